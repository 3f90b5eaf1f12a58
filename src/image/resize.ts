/**
 * Antialiased resampling of 8-bit pictures, equal to Pillow's `Image.resize` with `BILINEAR` or
 * `BICUBIC`, which were used to train the networks:
 *
 *   out[i] = Σ_j f((j + ½ − c_i) / s) · x[j] / Σ_j f(…),  c_i = (i + ½)·scale,  s = max(scale, 1)
 *
 * first along rows, then along columns, rounding to 8 bits after each. When the picture is reduced, the
 * filter grows with the scale, so every source pixel counts. Weights are fixed-point with 22 bits.
 * Source: Pillow's documentation, "Concepts: Filters"; cubic with a = −½ (Keys 1981).
 */

import { expectWhole } from '../errors.js';
import { checkPicture, overWhite, type Picture, pixelsOf, type Region } from './picture.js';

export type Interpolation = 'bilinear' | 'bicubic';

export interface Filter {
  /** Half its width, in pixels at scale 1. */
  readonly support: number;
  weight(distance: number): number;
}

export const FILTERS: Readonly<Record<Interpolation, Filter>> = {
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

/** The weights of a run of output positions along one axis of a picture. */
export interface ResizeTaps {
  /** First source position of each output. */
  readonly first: Int32Array;
  /** Source positions of each output. */
  readonly count: Int32Array;
  /** [outputs, most], fixed-point. */
  readonly weights: Int32Array;
  readonly most: number;
}

/**
 * Another implementation of the first pass, along rows: RGBA pixels x [rows, extent] → out [rows, outputs].
 *
 * @returns false if it cannot do this case, and for pixels that are not all opaque
 */
export type ResizeRows = (
  out: Uint32Array,
  x: Uint32Array,
  extent: number,
  taps: ResizeTaps,
) => boolean;

/**
 * Resizes a picture to width × height and returns the part in `window` (default: all of it), computing no more than
 * that. Transparent pixels show white, as on a page.
 *
 * @param resizeRows does the first pass if it can; the first pass takes most of the time
 * @returns RGBA [window.height, window.width, 4]
 * @throws {ShapeError} for sizes that are not whole numbers ≥ 1 or data of another length
 */
export function resize(
  picture: Picture,
  width: number,
  height: number,
  interpolation: Interpolation,
  window: Region = { x: 0, y: 0, width, height },
  resizeRows?: ResizeRows,
): Uint8Array {
  checkPicture('resize', picture);
  expectWhole('resize', { width, height });
  const filter = FILTERS[interpolation];
  const across = tapsOf(filter, picture.width, width, window.x, window.width);
  const down = tapsOf(filter, picture.height, height, window.y, window.height);
  // Only the source rows that the second pass reads go through the first.
  const top = down.first[0]!;
  const bottom = down.first[window.height - 1]! + down.count[window.height - 1]!;
  const part = (whole: Picture): Uint32Array =>
    pixelsOf(whole).subarray(top * whole.width, bottom * whole.width);
  const rows = new Uint32Array((bottom - top) * window.width);
  if (!resizeRows?.(rows, part(picture), picture.width, across)) {
    resizeAxis(rows, part(overWhite(picture)), picture.width, 1, 0, across);
  }
  const out = new Uint32Array(window.height * window.width);
  resizeAxis(out, rows, bottom - top, window.width, top, down);
  return new Uint8Array(out.buffer);
}

/**
 * The weights of `outputs` positions, from `begin` on, of an axis that is resized from one extent to another.
 */
export function tapsOf(
  filter: Filter,
  from: number,
  to: number,
  begin: number,
  outputs: number,
): ResizeTaps {
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
 * Opaque RGBA pixels x [outer, extent, inner] → out [outer, outputs, inner]. A pixel is read as one number, and its
 * three channels are summed together: a third of the time of channel by channel (12 megapixels to 0.1, Node 20).
 *
 * @param begin the source position that x begins at
 */
export function resizeAxis(
  out: Uint32Array,
  x: Uint32Array,
  extent: number,
  inner: number,
  begin: number,
  { first, count, weights, most }: ResizeTaps,
): void {
  const outputs = first.length;
  let o = 0;
  for (let outer = 0; outer < x.length; outer += extent * inner) {
    for (let i = 0; i < outputs; i++) {
      const from = outer + (first[i]! - begin) * inner;
      const taps = i * most;
      const n = count[i]!;
      for (let e = from; e < from + inner; e++) {
        let r = HALF;
        let g = HALF;
        let b = HALF;
        for (let j = 0; j < n; j++) {
          const pixel = x[e + j * inner]!;
          const weight = weights[taps + j]!;
          r += Math.imul(pixel & 255, weight);
          g += Math.imul((pixel >> 8) & 255, weight);
          b += Math.imul((pixel >> 16) & 255, weight);
        }
        out[o++] = 0xff000000 | (toByte(b) << 16) | (toByte(g) << 8) | toByte(r);
      }
    }
  }
}

/** One half: added before rounding down, it rounds to the nearest. */
const HALF = 1 << (FRACTION_BITS - 1);

function toByte(sum: number): number {
  const value = sum >> FRACTION_BITS;
  return value < 0 ? 0 : Math.min(value, 255);
}
