/**
 * Samples of a TIFF → RGBA. Source: Adobe, TIFF 6.0, §3–8 (colors), §18 (alpha), §21 (YCbCr), §23 (CIELab).
 */

import type { Layout } from './layout.js';

/** How samples become bytes. */
export interface Levels {
  /** For a sample of the color, to 0…255, not rounded. */
  color(value: number): number;
  /** For alpha, to 0…1. */
  alpha(value: number): number;
  /** A sample without data. */
  isMissing(value: number): boolean;
}

/** Writes one pixel at `out[o]`, red, green and blue, from the samples at `samples[i]`. */
type WriteColor = (
  out: Uint8ClampedArray,
  o: number,
  samples: ArrayLike<number>,
  i: number,
) => void;

/** @param out RGBA of the same pixels; it rounds and clamps the values */
export function writeColors(
  out: Uint8ClampedArray,
  samples: ArrayLike<number>,
  layout: Layout,
  levels: Levels,
  palette: readonly number[],
): void {
  const { read, alpha } = layout;
  const stride = read.length;
  const colors = alpha === 'none' ? stride : stride - 1;
  const write = colorWriter(layout, levels, palette);
  for (let i = 0, o = 0; o < out.length; i += stride, o += 4) {
    write(out, o, samples, i);
    out[o + 3] = 255;
    if (alpha !== 'none') {
      const a = levels.alpha(samples[i + colors]!);
      if (alpha === 'premultiplied') divide(out, o, samples, i, a, layout, levels);
      out[o + 3] = 255 * a;
    }
    if (isMissing(samples, i, colors, levels)) out.fill(0, o, o + 4);
  }
}

function isMissing(samples: ArrayLike<number>, i: number, colors: number, levels: Levels): boolean {
  for (let c = 0; c < colors; c++) if (!levels.isMissing(samples[i + c]!)) return false;
  return true;
}

/** Divides colors by alpha that were multiplied by it. */
function divide(
  out: Uint8ClampedArray,
  o: number,
  samples: ArrayLike<number>,
  i: number,
  alpha: number,
  layout: Layout,
  levels: Levels,
): void {
  for (let c = 0; c < 3; c++) {
    const isPlain = layout.colors === 'rgb' || layout.colors === 'grey';
    const level = isPlain
      ? levels.color(samples[i + (layout.colors === 'rgb' ? c : 0)]!)
      : out[o + c]!;
    out[o + c] = alpha === 0 ? 0 : level / alpha;
  }
}

function colorWriter(layout: Layout, levels: Levels, palette: readonly number[]): WriteColor {
  const { color } = levels;
  const most = 2 ** layout.bits - 1;
  switch (layout.colors) {
    case 'grey':
      return (out, o, samples, i) => {
        const level = color(samples[i]!);
        out[o] = level;
        out[o + 1] = level;
        out[o + 2] = level;
      };
    case 'rgb':
      return (out, o, samples, i) => {
        out[o] = color(samples[i]!);
        out[o + 1] = color(samples[i + 1]!);
        out[o + 2] = color(samples[i + 2]!);
      };
    case 'palette':
      // All reds, all greens, all blues; of the 16 bits the upper 8 are used.
      return (out, o, samples, i) => {
        for (let c = 0; c < 3; c++) out[o + c] = palette[c * (most + 1) + samples[i]!]! >> 8;
      };
    case 'cmyk':
      return (out, o, samples, i) => {
        const white = 255 * (1 - samples[i + 3]! / most);
        for (let c = 0; c < 3; c++) out[o + c] = white * (1 - samples[i + c]! / most);
      };
    case 'ycbcr':
      return (out, o, samples, i) => {
        const y = samples[i]!;
        const cb = samples[i + 1]! - 128;
        const cr = samples[i + 2]! - 128;
        out[o] = y + 1.402 * cr;
        out[o + 1] = y - 0.344136 * cb - 0.714136 * cr;
        out[o + 2] = y + 1.772 * cb;
      };
    case 'lab':
      return writeLab(layout.bits);
  }
}

/** White of CIE's illuminant D50, and its XYZ → linear sRGB by Bradford's adaptation (Lindbloom). */
const D50 = [0.96422, 1, 0.82521] as const;
const TO_LINEAR = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;

function writeLab(bits: 8 | 16 | number): WriteColor {
  const most = 2 ** bits - 1;
  // a* and b* are signed; in 16 bits, 8 are after the point.
  const signed = (value: number): number =>
    ((value << (32 - bits)) >> (32 - bits)) / 2 ** (bits - 8);
  const cube = (t: number): number => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  return (out, o, samples, i) => {
    const y = ((100 * samples[i]!) / most + 16) / 116;
    const xyz = [
      D50[0] * cube(y + signed(samples[i + 1]!) / 500),
      D50[1] * cube(y),
      D50[2] * cube(y - signed(samples[i + 2]!) / 200),
    ];
    for (const [c, [x, yy, z]] of TO_LINEAR.entries()) {
      const linear = x * xyz[0]! + yy * xyz[1]! + z * xyz[2]!;
      out[o + c] =
        255 * (linear > 0.0031308 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 12.92 * linear);
    }
  };
}
