/**
 * Antialiased resampling of 8-bit pictures, equal to Pillow's `Image.resize` with `BILINEAR` or
 * `BICUBIC`, which is what the networks were trained behind:
 *
 *   out[i] = Σ_j f((j + ½ − c_i) / s) · x[j] / Σ_j f(…),  c_i = (i + ½)·scale,  s = max(scale, 1)
 *
 * first along rows, then along columns, rounding to 8 bits after each. Going down, the filter grows
 * with the scale, so every source pixel counts. Weights are fixed-point with 22 bits.
 * Source: Pillow's documentation, "Concepts: Filters"; cubic with a = −½ (Keys 1981).
 */

import { ShapeError } from '../errors.js';
import type { Picture, Region } from './picture.js';

export type Interpolation = 'bilinear' | 'bicubic';

interface Filter {
  /** Half its width, in pixels at scale 1. */
  readonly support: number;
  weight(distance: number): number;
}

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x) => {
      const a = -0.5;
      const d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
      return 0;
    },
  },
};

/** Fraction bits of a weight: 255 times a weight of a few units still fits 32 bits. */
const FRACTION_BITS = 22;

/** The weights of a run of output positions along one axis. */
interface Taps {
  /** First source position of each output. */
  readonly first: Int32Array;
  /** Source positions of each output. */
  readonly count: Int32Array;
  /** [outputs, most], fixed-point. */
  readonly weights: Int32Array;
  readonly most: number;
}

/**
 * Resizes `x` to width × height and returns the part in `window` (default: all of it), computing no
 * more than that.
 *
 * @param x [H, W, channels]
 * @returns [window.height, window.width, channels]
 * @throws {ShapeError} for sizes that are not whole numbers ≥ 1 or data of another length
 */
export function resize(
  x: Picture,
  width: number,
  height: number,
  channels: number,
  interpolation: Interpolation,
  window: Region = { x: 0, y: 0, width, height },
): Uint8Array {
  for (const size of [x.width, x.height, width, height, window.width, window.height]) {
    if (!Number.isInteger(size) || size < 1) {
      throw new ShapeError(`resize: sizes expected whole numbers ≥ 1, got ${size}`);
    }
  }
  if (x.data.length !== x.width * x.height * channels) {
    throw new ShapeError(
      `resize: data expected length ${x.width * x.height * channels} for [${x.height}, ${x.width}, ${channels}], got ${x.data.length}`,
    );
  }
  // A picture of the right size already: every filter would give each pixel back.
  const isWhole = window.width === width && window.height === height;
  if (x.width === width && x.height === height && isWhole) return new Uint8Array(x.data);
  const filter = FILTERS[interpolation];
  const across = tapsOf(filter, x.width, width, window.x, window.width);
  const down = tapsOf(filter, x.height, height, window.y, window.height);
  // Only the source rows that the second pass reads go through the first.
  const top = down.first[0]!;
  const bottom = down.first[window.height - 1]! + down.count[window.height - 1]!;
  const seen = x.data.subarray(top * x.width * channels, bottom * x.width * channels);
  const rows = resizeAxis(seen, x.width, channels, 0, across);
  return resizeAxis(rows, bottom - top, window.width * channels, top, down);
}

function tapsOf(filter: Filter, from: number, to: number, begin: number, outputs: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * most);
  const exact = new Float64Array(most);
  for (let i = 0; i < outputs; i++) {
    const center = (begin + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let j = low; j < high; j++) {
      const weight = filter.weight((j - center + 0.5) / stretch);
      exact[j - low] = weight;
      sum += weight;
    }
    first[i] = low;
    count[i] = high - low;
    for (let j = 0; j < high - low; j++) {
      // Half away from zero, as Pillow rounds.
      const scaled = (exact[j]! / sum) * 2 ** FRACTION_BITS;
      weights[i * most + j] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
  }
  return { first, count, weights, most };
}

/**
 * x [outer, n, inner] → [outer, outputs, inner].
 *
 * @param begin the source position that x begins at
 */
function resizeAxis(
  x: ArrayLike<number>,
  n: number,
  inner: number,
  begin: number,
  { first, count, weights, most }: Taps,
): Uint8Array {
  const outer = x.length / (n * inner);
  const out = new Uint8Array(outer * first.length * inner);
  let o = 0;
  for (let row = 0; row < outer; row++) {
    for (let i = 0; i < first.length; i++) {
      const from = (row * n + first[i]! - begin) * inner;
      for (let e = from; e < from + inner; e++) {
        let sum = 1 << (FRACTION_BITS - 1);
        for (let j = 0; j < count[i]!; j++) sum += x[e + j * inner]! * weights[i * most + j]!;
        out[o++] = clampToByte(sum >> FRACTION_BITS);
      }
    }
  }
  return out;
}

function clampToByte(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}
