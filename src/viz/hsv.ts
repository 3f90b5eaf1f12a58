/** Colours by hue, saturation and value, painted row by row: LOVI and the heat map. */

import { ShapeError } from '../errors.js';
import { createPicture, type DrawnPicture, pixelsOf, unseenGrey } from '../image/picture.js';
import { clamped } from './scale-rows.js';

/** Something that is painted row by row. */
export interface ColorRows {
  /** Writes the colours of row `y`, 0…1, NaN for no colour. @param rgb [W, 3] */
  colors(rgb: Float64Array, y: number): void;
}

/**
 * All rows as numbers.
 *
 * @param out [H, W, 3], overwritten
 * @throws ShapeError, in the name of `operation`, if `out` has another length
 */
export function writeColors(
  operation: string,
  out: Float32Array,
  [H, W]: readonly [number, number],
  rows: ColorRows,
): void {
  if (out.length !== 3 * H * W) {
    throw new ShapeError(
      `${operation}: out expected length ${3 * H * W} for [${H}, ${W}, 3], got ${out.length}`,
    );
  }
  const row = new Float64Array(3 * W);
  for (let y = 0; y < H; y++) {
    rows.colors(row, y);
    out.set(row, 3 * y * W);
  }
}

/** All rows as an opaque picture; hatched grey for no colour. */
export function paintColors([H, W]: readonly [number, number], rows: ColorRows): DrawnPicture {
  const picture = createPicture(W, H);
  const pixels = pixelsOf(picture);
  const row = new Float64Array(3 * W);
  for (let y = 0; y < H; y++) {
    rows.colors(row, y);
    writeRgbRow(pixels, y, row);
  }
  return picture;
}

/**
 * HSV → RGB, at rgb[i … i + 2] in 0…1. Each channel is a trapezium over the hue, 120° apart.
 *
 * @param hue in units of 60°, 0…6.
 * @param saturation 0…1.
 * @param value 0…1.
 */
export function writeHsv(
  rgb: Float64Array,
  i: number,
  hue: number,
  saturation: number,
  value: number,
): void {
  const chroma = saturation * value;
  rgb[i] = value - chroma * trapezium(hue);
  rgb[i + 1] = value - chroma * trapezium(hue - 2);
  rgb[i + 2] = value - chroma * trapezium(hue - 4);
}

/** How much a channel loses at `sextants` times 60° from its own hue: 0 within 60°, 1 beyond 120°. */
function trapezium(sextants: number): number {
  const away = Math.abs(sextants);
  return clamped((away > 3 ? 6 - away : away) - 1);
}

/** Colours 0…1 [W, 3] → row `y` of opaque pixels; hatched grey if they are NaN. */
export function writeRgbRow(pixels: Uint32Array, y: number, rgb: Float64Array): void {
  const W = rgb.length / 3;
  for (let x = 0; x < W; x++) {
    const r = rgb[3 * x]!;
    // Red is the lowest byte, alpha the highest.
    pixels[y * W + x] =
      0xff000000 +
      (Number.isNaN(r)
        ? unseenGrey(x, y) * 0x010101
        : toByte(r) + toByte(rgb[3 * x + 1]!) * 0x100 + toByte(rgb[3 * x + 2]!) * 0x10000);
  }
}

function toByte(level: number): number {
  return (255 * level + 0.5) | 0;
}
