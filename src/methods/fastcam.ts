/**
 * FastCAM: the maps of all scales, normalised, combined, and multiplied by a class activation map.
 *
 *   raw maps ─ normalise ─▶ scale maps ─ combine ─▶ C ─┬─▶ FastCAM = C·CAM
 *   features ─ class, method ─▶ CAM ───────────────────┴─▶ non-class = C·(1 − CAM)
 *
 * The mathematics is in fastcam/viz. A backend may have its own kernels for the slow steps. They
 * give the same bits, and this file chooses between the two.
 *
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI" (arXiv 1911.11293).
 */

import type { Region } from '../image/index.js';
import type { Kernels } from '../kernels/operators.js';
import {
  checkCombination,
  NORMALIZERS,
  type Normalizer,
  type NormalizerConstants,
  normalizeRange,
  type SaliencyMap,
  type ScaleWeights,
  sumUpsampled,
  toNdArray,
} from '../viz/index.js';

/** The maps of one class, each [height, width]. */
export interface ClassMaps {
  /** Class activation map, range-normalised. */
  readonly camMap: SaliencyMap;
  /** FastCAM: combined saliency × class activation. */
  readonly fastcamMap: SaliencyMap;
  /** Salient pixels that are not of this class: combined saliency × (1 − class activation). */
  readonly nonClassMap: SaliencyMap;
}

/**
 * The map of one scale, normalised.
 *
 * @param raw [h, w]; it may be in the backend's memory
 * @param constants constants of many pictures, instead of the map's own
 */
export function normalizedMap(
  { maps }: Pick<Kernels, 'maps'>,
  raw: Float32Array,
  shape: readonly [number, number],
  normalizer: Normalizer = 'gaussian',
  constants?: NormalizerConstants,
): SaliencyMap {
  const out = new Float32Array(raw.length);
  const isTaken = normalizer === 'gaussian' && !constants && maps?.normalizeGaussian(out, raw);
  if (!isTaken) NORMALIZERS[normalizer](out, raw, constants);
  return toNdArray(out, [...shape]);
}

/** `combineMaps` of fastcam/viz, by the backend if it accepts such maps. */
export function combinedMap(
  kernels: Pick<Kernels, 'maps'>,
  maps: readonly SaliencyMap[],
  size: readonly [number, number],
  weights: ScaleWeights,
  region: Region,
): SaliencyMap {
  const { seen, shares } = checkCombination('combineMaps', maps, size, weights, region);
  const out = new Float32Array(size[0] * size[1]);
  const isTaken = kernels.maps?.sumUpsampled(out, size, seen, shares, region);
  if (!isTaken) sumUpsampled(out, size, seen, shares, region);
  return toNdArray(out, [...size]);
}

/**
 * The maps of a class.
 *
 * @param combined [height, width]
 * @param coarse [h, w], the class activation map at its own resolution
 */
export function classMaps(
  combined: SaliencyMap,
  coarse: Float32Array,
  [h, w]: readonly [number, number],
  region: Region,
  kernels: Pick<Kernels, 'maps' | 'pictures'>,
): ClassMaps {
  const size = combined.shape as [number, number];
  const { data: cam } = combinedMap(kernels, [toNdArray(coarse, [h, w])], size, 'equal', region);
  const fastcam = new Float32Array(cam.length);
  const nonClass = new Float32Array(cam.length);
  const { data } = combined;
  if (kernels.pictures) kernels.pictures.classMaps(cam, fastcam, nonClass, data);
  else {
    normalizeRange(cam, cam);
    for (let i = 0; i < cam.length; i++) {
      const share = cam[i]!;
      fastcam[i] = data[i]! * share;
      nonClass[i] = data[i]! * (1 - share);
    }
  }
  return {
    camMap: toNdArray(cam, [...size]),
    fastcamMap: toNdArray(fastcam, [...size]),
    nonClassMap: toNdArray(nonClass, [...size]),
  };
}
