/**
 * From one forward pass to every map of the page. Each part depends on some of the settings only, and
 * is kept while those stay:
 *
 *   raw maps ─ normaliser ─▶ scale maps ─┬─ weights ─▶ combined ─┬─▶ FastCAM = combined · CAM
 *                                        └─▶ LOVI                └─▶ non-class = combined · (1 − CAM)
 *   features ─ class, method ─▶ CAM ─────────────────────────────┘
 *
 * Where the classifier is not linear in the features, or there is none, the maps of a class are left out. Of a pass of
 * onnxruntime-web, the scale maps and the CAM are there already.
 */

import { type CamMethod, classActivationMap } from 'fastcam/methods';
import {
  combineMaps,
  lovi,
  NORMALIZERS,
  type Normalizer,
  normalizeRange,
  type Picture,
  type SaliencyMap,
  toNdArray,
  upsampleBilinear,
} from 'fastcam/viz';
import { latest } from './latest.ts';
import type { Model, Pass } from './network.ts';
import type { MethodMapName } from './settings.ts';

/** What the combination depends on. */
export interface MapSettings {
  readonly normalizer: Normalizer;
  /** One for each scale. */
  readonly scaleWeights: readonly number[];
  readonly cam: CamMethod;
  /** Index of the class; none where there is no classifier. */
  readonly target: number | undefined;
}

/** [height, width] */
export type Size = readonly [number, number];

export interface Maps {
  /** Native resolution, first scale to last. */
  readonly scales: readonly SaliencyMap[];
  /** Whether the scale maps, and so the combined one, lie in 0…1; else they are values as measured. */
  readonly isNormalized: boolean;
  /** These have the picture's size. */
  readonly combined: SaliencyMap;
  readonly lovi: Picture;
  readonly ofClass?: ClassMaps;
  /** Of the methods that were asked for, at the picture's size. */
  readonly methods: ReadonlyMap<MethodMapName, MethodMap>;
}

/** The map of a method, and in words what it took. */
export interface MethodMap {
  readonly map: SaliencyMap;
  readonly note: string;
}

/** The maps of the class. */
export interface ClassMaps {
  /** The class activation at the resolution of the last stage, ≥ 0, not normalised. */
  readonly coarseCam: SaliencyMap;
  /** These have the picture's size. */
  readonly cam: SaliencyMap;
  readonly fastcam: SaliencyMap;
  readonly nonClass: SaliencyMap;
}

export type MapsOf = (
  pass: Pass,
  model: Model,
  size: Size,
  settings: MapSettings,
) => Omit<Maps, 'methods'>;

/** Makes the function that keeps what it can from one call to the next. */
export function mapsFromPasses(): MapsOf {
  const scalesOf = latest(normalizeScales);
  const unitScalesOf = latest(normalizeScales);
  const combinedOf = latest(combineMaps);
  const loviOf = latest(lovi);
  const coarseCamOf = latest(coarseCam);
  const camOf = latest(upsampleCam);
  const productsOf = latest(products);
  return (pass, model, size, { normalizer, scaleWeights, cam: method, target }) => {
    const scales = pass.isNormalized ? pass.rawMaps : scalesOf(pass.rawMaps, normalizer);
    const combined = combinedOf(scales, size, scaleWeights);
    const isNormalized = pass.isNormalized === true || normalizer !== 'identity';
    // Its colours know no values beyond 1.
    const unitScales = isNormalized ? scales : unitScalesOf(pass.rawMaps, 'range');
    const maps = { scales, isNormalized, combined, lovi: loviOf(unitScales, size) };
    const { features, madeCam } = pass;
    if (madeCam) {
      const cam = camOf(madeCam.map, size);
      return { ...maps, ofClass: { coarseCam: madeCam.map, cam, ...productsOf(combined, cam) } };
    }
    const { classWeights } = model;
    if (!features || !classWeights || target === undefined) return maps;
    const coarse = coarseCamOf(features, classWeights, target, method);
    const cam = camOf(coarse, size);
    return { ...maps, ofClass: { coarseCam: coarse, cam, ...productsOf(combined, cam) } };
  };
}

function normalizeScales(
  rawMaps: readonly SaliencyMap[],
  normalizer: Normalizer,
): readonly SaliencyMap[] {
  return rawMaps.map(({ data, shape }) => {
    const normalized = new Float32Array(data.length);
    NORMALIZERS[normalizer](normalized, data);
    return toNdArray(normalized, shape);
  });
}

function coarseCam(
  { data, size: [h, w] }: NonNullable<Pass['features']>,
  classWeights: Float32Array,
  target: number,
  method: CamMethod,
): SaliencyMap {
  const C = data.length / (h * w);
  const out = new Float32Array(h * w);
  classActivationMap(out, data, classWeights.subarray(target * C, (target + 1) * C), method);
  return toNdArray(out, [h, w]);
}

function upsampleCam(coarse: SaliencyMap, [H, W]: Size): SaliencyMap {
  const cam = new Float32Array(H * W);
  upsampleBilinear(cam, [H, W], coarse);
  normalizeRange(cam, cam);
  return toNdArray(cam, [H, W]);
}

function products(
  combined: SaliencyMap,
  cam: SaliencyMap,
): Pick<ClassMaps, 'fastcam' | 'nonClass'> {
  const fastcam = new Float32Array(cam.data.length);
  const nonClass = new Float32Array(cam.data.length);
  for (let i = 0; i < fastcam.length; i++) {
    fastcam[i] = combined.data[i]! * cam.data[i]!;
    nonClass[i] = combined.data[i]! * (1 - cam.data[i]!);
  }
  return { fastcam: toNdArray(fastcam, cam.shape), nonClass: toNdArray(nonClass, cam.shape) };
}

/** A class and the network's belief in it. */
export interface Belief {
  readonly index: number;
  readonly probability: number;
}

/** All classes, best first: by softmax, or each by the sigmoid of its own logit. */
export function beliefs(logits: Float32Array, activation: Model['activation']): Belief[] {
  const max = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
  const probabilityOf = {
    softmax: (logit: number) => Math.exp(logit - max) / sum,
    sigmoid: (logit: number) => 1 / (1 + Math.exp(-logit)),
  }[activation];
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .map((index) => ({ index, probability: probabilityOf(logits[index]!) }));
}
