/**
 * The combination of the scales into one map (Mundhenk et al. 2019, Eq. 3):
 *
 *   C = Σ wᵢ·up(Fᵢ) / Σ wᵢ
 *
 * with the normalised maps Fᵢ and bilinear upsampling. min Fᵢ ≤ C ≤ max Fᵢ at every pixel, and only
 * the ratios of the weights matter.
 */

import { ShapeError } from '../errors.js';
import type { Region } from '../image/picture.js';
import { checkMaps, type SaliencyMap, toNdArray } from './ndarray.js';
import { checkUpsampling, RowUpsampler, wholeOf } from './upsample.js';

/** The paper's weights for the five scales of a ResNet, first to last. */
export const SCALE_WEIGHTS: Readonly<Record<'equal' | 'ramp' | 'prior', readonly number[]>> = {
  /** The best weights with a class activation map. */
  equal: [1, 1, 1, 1, 1],
  /** The rule of thumb: later scales see more. */
  ramp: [1, 2, 3, 4, 5],
  /** The best weights without one, from each scale's own score on ImageNet. */
  prior: [0.18, 0.15, 0.37, 0.4, 0.72],
};

/** The name of a set, or one weight for each map. */
export type ScaleWeights = keyof typeof SCALE_WEIGHTS | readonly number[];

/**
 * One weight for each of `n` maps. `equal` and `ramp` (1…n) are for any number of maps, `prior` for
 * five.
 *
 * @returns weights as given: finite, ≥ 0, with a positive sum; not divided by it.
 * @throws ShapeError if a weight or their number does not fit, TypeError for an unknown name.
 */
export function resolveScaleWeights(weights: ScaleWeights, n: number): number[] {
  if (weights === 'equal') return new Array<number>(n).fill(1);
  if (weights === 'ramp') return Array.from({ length: n }, (_, i) => i + 1);
  const list = typeof weights === 'string' ? SCALE_WEIGHTS[weights] : weights;
  if (!Array.isArray(list)) {
    throw new TypeError(
      `scaleWeights: expected ${Object.keys(SCALE_WEIGHTS).join(', ')} or numbers, got ${String(weights)}`,
    );
  }
  if (list.length !== n) {
    const given = typeof weights === 'string' ? `'${weights}' with ${list.length}` : list.length;
    throw new ShapeError(`scaleWeights: expected ${n} weights for ${n} maps, got ${given}`);
  }
  let sum = 0;
  for (const weight of list) {
    if (!(Number.isFinite(weight) && weight >= 0)) {
      throw new ShapeError(`scaleWeights: expected finite weights ≥ 0, got [${list.join(', ')}]`);
    }
    sum += weight;
  }
  if (!(sum > 0 && Number.isFinite(sum))) {
    throw new ShapeError(
      `scaleWeights: expected a positive, finite sum, got ${sum} of [${list.join(', ')}]`,
    );
  }
  return [...list];
}

/**
 * Combines the maps of all scales into one of the picture's size: C = Σ wᵢ·up(Fᵢ) / Σ wᵢ.
 *
 * Sums are in double precision, one row at a time; scratch is 2·n + 1 rows. A map of weight 0 is
 * not read. Five maps of a ResNet-50 at 224 × 224 take 0.6 million multiplications.
 *
 * @param maps n ≥ 1 normalised maps [hᵢ, wᵢ] of any sizes, first scale to last.
 * @param size [H, W] of the result, in pixels.
 * @param weights a named set or n numbers ≥ 0 with a positive sum.
 * @param region the part of the picture that the maps cover; pixels outside become NaN.
 * @returns float32 [H, W], within the range of the maps.
 * @throws ShapeError if the number of weights or an extent does not fit.
 */
export function combineMaps(
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  weights: ScaleWeights = 'equal',
  region: Region = wholeOf(size),
): SaliencyMap {
  const { seen, shares } = checkCombination('combineMaps', maps, size, weights, region);
  const out = new Float32Array(size[0] * size[1]);
  sumUpsampled(out, size, seen, shares, region);
  return toNdArray(out, [...size]);
}

/** The terms of a combination. */
export interface Combination {
  /** The maps that have a weight. */
  readonly seen: readonly SaliencyMap[];
  /** Their weights, with sum 1. */
  readonly shares: readonly number[];
}

/** @throws as `combineMaps`, in the name of `operation` */
export function checkCombination(
  operation: string,
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  weights: ScaleWeights,
  region: Region,
): Combination {
  checkMaps(operation, maps);
  const n = maps.length;
  const rawWeights = resolveScaleWeights(weights, n);
  const total = rawWeights.reduce((sum, weight) => sum + weight, 0);
  const seen = maps.filter((_, i) => rawWeights[i]);
  const shares = rawWeights.filter((weight) => weight).map((weight) => weight / total);
  for (const map of seen) checkUpsampling(operation, size, map, region);
  return { seen, shares };
}

/**
 * out [H, W] = Σ shareᵢ·up(mapᵢ), NaN outside the region; the arguments were checked.
 *
 * @param rows the maps, prepared
 * @param row scratch, [W]. If both are given, nothing is allocated
 */
export function sumUpsampled(
  out: Float32Array,
  size: readonly [number, number],
  maps: readonly SaliencyMap[],
  shares: readonly number[],
  region: Region,
  rows: readonly RowUpsampler[] = maps.map(
    (map, i) => new RowUpsampler('combineMaps', size, map, region, shares[i]),
  ),
  row: Float64Array = new Float64Array(size[1]),
): void {
  for (let oy = 0; oy < size[0]; oy++) {
    row.fill(0);
    for (let i = 0; i < rows.length; i++) rows[i]!.add(row, oy);
    out.set(row, oy * row.length);
  }
}
