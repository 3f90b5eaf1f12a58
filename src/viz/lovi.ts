/**
 * LOVI, layer-ordered visualisation of information (Mundhenk et al. 2019, Eq. 4–7): the n maps of all
 * scales in one colour picture. With γ_l ∈ [0, 1] of scale l = 0 … n − 1 at one pixel:
 *
 *   hue         300° · Σ γ_l·(1 − l/(n−1)) / Σ γ_l     which scale: violet is the first, red the last
 *   saturation  1 − (Σ γ_l/(n·max γ) − 1/n)/(1 − 1/n) = (n − Σγ_l/max γ)/(n − 1)
 *                                                      1: one scale alone; 0 (grey): all alike
 *   value       max γ                                   how salient
 *
 * then HSV → RGB. Black where nothing is salient. The 300° are those of the authors' code, which also
 * stretches the whole stack to [0, 1] first; the paper does not.
 *
 * Maps are upsampled row by row, so that only a few rows of sums are in memory.
 */

import { expectWhole } from '../errors.js';
import { createPicture, type DrawnPicture, pixelsOf, type Region } from '../image/picture.js';
import { paintColors, writeColors, writeHsv, writeRgbRow } from './hsv.js';
import { checkMaps, checkSize, type SaliencyMap } from './ndarray.js';
import { ScaleRows } from './scale-rows.js';

/** Hue of the first scale, 300°, in units of 60°. */
const FIRST_HUE = 5;

/**
 * LOVI colours as numbers (formula above).
 *
 * @param out float32 [H, W, 3], RGB in 0…1, overwritten. NaN where the maps do not cover the pixel.
 * @param maps n ≥ 1 normalised maps at their own resolutions, first scale to last; values outside
 *   [0, 1] are clamped. One map alone is shown in red: hue 0, saturation 1, value γ.
 * @param size [H, W] of the picture, in pixels.
 * @param region the part of the picture that the maps cover; all of it by default.
 * @throws ShapeError if extents or lengths do not fit.
 */
export function loviColors(
  out: Float32Array,
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  region?: Region,
): void {
  writeColors('loviColors', out, size, new LoviRows('loviColors', maps, size, region));
}

/**
 * LOVI as an opaque picture; pixels that the maps do not cover are hatched grey. Arguments as for
 * `loviColors`.
 */
export function lovi(
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  region?: Region,
): DrawnPicture {
  return paintColors(size, new LoviRows('lovi', maps, size, region));
}

/**
 * The legend of LOVI's colours: a column for each of `n` scales, first to last. In the upper half only that
 * scale is salient. In the lower half the others rise to the same value, and the colour turns to white.
 *
 * @param n number of scales, ≥ 1.
 * @throws ShapeError if an extent is not a whole number ≥ 1.
 */
export function loviLegend(n: number, width: number, height: number): DrawnPicture {
  checkSize('loviLegend', [height, width]);
  expectWhole('loviLegend', { n });
  const picture = createPicture(width, height);
  const pixels = pixelsOf(picture);
  const row = new Float64Array(3 * width);
  const all = (n / 2) * scalePosition(0, n); // the sum of all positions
  for (let y = 0; y < height; y++) {
    const descent = height > 1 ? Math.max(0, (2 * y) / (height - 1) - 1) : 0;
    const others = descent * descent; // slowly at first: hues shift fastest there
    for (let x = 0; x < width; x++) {
      const own = scalePosition(Math.floor((x * n) / width), n);
      const sum = 1 + (n - 1) * others;
      writeLoviColor(row, 3 * x, n, sum, own + (all - own) * others, 1);
    }
    writeRgbRow(pixels, y, row);
  }
  return picture;
}

/** Computes LOVI row by row. */
export class LoviRows {
  readonly #scales: ScaleRows;

  constructor(
    operation: string,
    maps: readonly SaliencyMap[],
    size: readonly [number, number],
    region: Region | undefined,
  ) {
    checkMaps(operation, maps);
    this.#scales = new ScaleRows(operation, maps, size, region, scalePositions(maps.length));
  }

  /** Writes row `y` into `rgb` [W, 3]. */
  colors(rgb: Float64Array, y: number): void {
    const { n, weighted, sum, max } = this.#scales;
    this.#scales.read(y);
    for (let x = 0; x < sum.length; x++) {
      writeLoviColor(rgb, 3 * x, n, sum[x]!, weighted[x]!, max[x]!);
    }
  }
}

/** The positions of n scales on the axis of hue: 1 for the first, 0 for the last. */
export function scalePositions(n: number): number[] {
  return Array.from({ length: n }, (_, l) => scalePosition(l, n));
}

function scalePosition(l: number, n: number): number {
  return n > 1 ? 1 - l / (n - 1) : 0;
}

/** The colour of a pixel with Σγ, Σγ·position and max γ, at rgb[i … i + 2]. */
function writeLoviColor(
  rgb: Float64Array,
  i: number,
  n: number,
  sum: number,
  moment: number,
  max: number,
): void {
  if (sum === 0) {
    rgb[i] = rgb[i + 1] = rgb[i + 2] = 0;
    return;
  }
  const hue = (FIRST_HUE * moment) / sum;
  const saturation = n > 1 ? (n - sum / max) / (n - 1) : 1;
  writeHsv(rgb, i, hue, saturation, max);
}
