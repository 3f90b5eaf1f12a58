/**
 * The heat map of the authors' code (the paper has none). Hue and brightness show how salient a pixel
 * is, and paleness how much the scales agree. With γ_l ∈ [0, 1] of scale l = 0 … n − 1 at one pixel and the
 * weights w of the scales:
 *
 *   value       V = (Σ w_l·γ_l / Σ w_l) / max over the picture of the same
 *   hue         240° · (1 − V)                                     blue where least, red where most
 *   saturation  S^(1/e), S = (n − Σγ_l/max γ)/(n − 1)             LOVI's: pale where all are alike
 *
 * then HSV → RGB. Black where nothing is salient, and so black everywhere if all maps are zero. The
 * code stretches the whole stack to [0, 1] first.
 */

import type { DrawnPicture, Region } from '../image/picture.js';
import { resolveScaleWeights, type ScaleWeights } from './combine.js';
import { paintColors, writeColors, writeHsv } from './hsv.js';
import { checkMaps, type SaliencyMap } from './ndarray.js';
import { ScaleRows } from './scale-rows.js';

export interface HeatMapOptions {
  /** Weights w of the scales; `equal` by default, as in the authors' code. */
  readonly scaleWeights?: ScaleWeights;
}

/** Hue of V = 0, 240°, in units of 60°. */
const COLDEST_HUE = 4;

/**
 * Heat map colours as numbers (formula above).
 *
 * @param out float32 [H, W, 3], RGB in 0…1, overwritten. NaN where the maps do not cover the pixel.
 * @param maps n ≥ 1 normalised maps at their own resolutions, first scale to last; values outside
 *   [0, 1] are clamped. One map alone has saturation 1.
 * @param size [H, W] of the picture, in pixels.
 * @param region the part of the picture that the maps cover; all of it by default.
 * @throws ShapeError if extents, lengths or weights do not fit, TypeError for an unknown option.
 */
export function heatMapColors(
  out: Float32Array,
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  region?: Region,
  options: HeatMapOptions = {},
): void {
  writeColors(
    'heatMapColors',
    out,
    size,
    new HeatRows('heatMapColors', maps, size, region, options),
  );
}

/**
 * The heat map as an opaque picture; pixels that the maps do not cover are hatched grey. Arguments as
 * for `heatMapColors`.
 */
export function heatMap(
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  region?: Region,
  options: HeatMapOptions = {},
): DrawnPicture {
  return paintColors(size, new HeatRows('heatMap', maps, size, region, options));
}

/** Computes the heat map row by row, after one pass for its greatest weighted sum. */
class HeatRows {
  readonly #scales: ScaleRows;
  /** The greatest Σwγ of the picture. */
  readonly #peak: number;

  constructor(
    operation: string,
    maps: readonly SaliencyMap[],
    size: readonly [number, number],
    region: Region | undefined,
    { scaleWeights = 'equal' }: HeatMapOptions,
  ) {
    checkMaps(operation, maps);
    const weights = resolveScaleWeights(scaleWeights, maps.length);
    this.#scales = new ScaleRows(operation, maps, size, region, weights);
    let peak = 0;
    for (let y = 0; y < size[0]; y++) {
      this.#scales.read(y);
      for (const weighted of this.#scales.weighted) if (weighted > peak) peak = weighted;
    }
    this.#peak = peak;
  }

  /** Writes row `y` into `rgb` [W, 3]. */
  colors(rgb: Float64Array, y: number): void {
    const { n, weighted, sum, max } = this.#scales;
    this.#scales.read(y);
    for (let x = 0; x < sum.length; x++) {
      // 0/0 if nothing is salient, in the picture or at the pixel. NaN, not seen, stays NaN.
      const value = weighted[x] === 0 ? 0 : weighted[x]! / this.#peak;
      const alone = n > 1 && weighted[x] !== 0 ? (n - sum[x]! / max[x]!) / (n - 1) : 1;
      // Rounding may make S of equal scales negative.
      const saturation = Math.max(0, alone) ** (1 / Math.E);
      writeHsv(rgb, 3 * x, COLDEST_HUE * (1 - value), saturation, value);
    }
  }
}
