/**
 * What one forward pass tells about one picture: classes, saliency maps of every scale, their
 * combination, class activation maps, LOVI, and what it cost. Maps come in the pixels of the picture
 * that was given; pixels that the network did not see are NaN.
 */

import type { Calibration } from './calibration.js';
import { mapsCost, PAPER_TABLE_6 } from './cost.js';
import { ShapeError } from './errors.js';
import type { Statistic } from './kernels/index.js';
import { type CamMethod, classActivationMap, type Forward, type ResNet } from './model/index.js';
import {
  combineMaps,
  lovi,
  NORMALIZERS,
  type Normalizer,
  normalizeRange,
  type Picture,
  type Region,
  type SaliencyMap,
  type ScaleWeights,
  toNdArray,
  upsampleBilinear,
} from './viz/index.js';

/** A class and the network's belief in it. */
export interface Prediction {
  readonly index: number;
  readonly label: string;
  /** Softmax of the logits. */
  readonly probability: number;
  readonly logit: number;
}

/** The maps of one class, each [height, width]. */
export interface ClassMaps {
  /** Class activation map, range-normalised. */
  readonly camMap: SaliencyMap;
  /** FastCAM: combined saliency × class activation. */
  readonly fastcamMap: SaliencyMap;
  /** What was salient but not for this class: combined saliency × (1 − class activation). */
  readonly nonClassMap: SaliencyMap;
}

/** Milliseconds, operations and bytes of an explanation. */
export interface Cost {
  readonly ms: {
    /** Resize and normalisation of the picture. */
    readonly preprocess: number;
    /** The forward pass, with the statistic of each scale: SMOE Scale is fused into it. */
    readonly network: number;
    /** Normalisation and combination of the scale maps. */
    readonly saliency: number;
  };
  readonly ops: {
    readonly network: number;
    /** 0 where another statistic was asked for: the paper counts none. */
    readonly smoe: number;
    readonly normalize: number;
    readonly combine: number;
  };
  readonly bytes: {
    readonly weights: number;
    /** Activations, and the backend's working memory. */
    readonly arena: number;
    /** The scale maps and the largest of them once more, as the paper counts. */
    readonly maps: number;
  };
  /** The paper's Table 6: the same figures for ResNet-50 at 224×224. */
  readonly paper: typeof PAPER_TABLE_6;
}

/** What an explanation is made from; `item` picks one picture of the batch. */
export interface ExplanationSource {
  readonly net: ResNet;
  readonly forward: Forward;
  readonly item: number;
  /** Of the picture as given. */
  readonly width: number;
  readonly height: number;
  readonly region: Region;
  readonly options: ResolvedOptions;
  readonly preprocessMs: number;
  readonly networkMs: number;
}

/** Options of `explain` with their defaults filled in. */
export interface ResolvedOptions {
  readonly statistic: Statistic;
  readonly normalizer: Normalizer;
  readonly calibration: Calibration | undefined;
  readonly scaleWeights: ScaleWeights;
  readonly cam: CamMethod | 'none';
  readonly target: 'top' | number | string;
  readonly now: () => number;
}

export class Explanation {
  /** Of the picture as given, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The part of the picture that the network saw, in its pixels. */
  readonly region: Region;
  /** Height and width of the network's input. */
  readonly inputSize: readonly [number, number];
  /** [classes] */
  readonly logits: Float32Array;
  /** Index of the class that `camMap`, `fastcamMap` and `nonClassMap` are for. */
  readonly target: number;
  readonly cam: CamMethod | 'none';
  readonly statistic: Statistic;
  /** The statistic at each scale, first to last, native resolution. */
  readonly rawMaps: readonly SaliencyMap[];
  /** The same, normalised. */
  readonly scaleMaps: readonly SaliencyMap[];

  readonly #net: ResNet;
  /** The last stage's output of this picture, [h, w, C]: one pass serves every class. */
  readonly #features: Float32Array;
  readonly #featureShape: { readonly H: number; readonly W: number; readonly C: number };
  readonly #options: ResolvedOptions;
  readonly #ops: { readonly network: number; readonly smoe: number };
  readonly #arenaBytes: number;
  readonly #preprocessMs: number;
  readonly #networkMs: number;
  #saliencyMs: number;
  #combined: SaliencyMap | undefined;
  #targetMaps: ClassMaps | undefined;

  /** Copies what it needs out of the arena, which the next forward pass overwrites. */
  constructor(source: ExplanationSource) {
    const { net, forward, item, options } = source;
    const { plan } = forward;
    this.width = source.width;
    this.height = source.height;
    this.region = source.region;
    this.inputSize = [plan.H, plan.W];
    this.cam = options.cam;
    this.statistic = options.statistic;
    this.#net = net;
    this.#options = options;
    this.#featureShape = plan.featureShape;
    this.#ops = { network: plan.macs / plan.N, smoe: plan.smoeOps / plan.N };
    this.#arenaBytes = forward.bytes;
    this.#preprocessMs = source.preprocessMs;
    this.#networkMs = source.networkMs;

    this.logits = itemOf(forward.logits, item, plan.N);
    this.target = this.#classIndex(options.target);
    this.#features = itemOf(forward.features, item, plan.N);
    const start = options.now();
    this.rawMaps = plan.taps.map(({ H, W }, i) =>
      toNdArray(itemOf(forward.maps[i]!, item, plan.N), [H, W]),
    );
    const { normalizer, calibration } = options;
    this.scaleMaps = this.rawMaps.map(({ data, shape }, i) => {
      const normalized = new Float32Array(data.length);
      const place = net.kernels.maps?.normalizeGaussian;
      NORMALIZERS[normalizer](normalized, data, calibration?.scales[i], place);
      return toNdArray(normalized, shape);
    });
    this.#saliencyMs = options.now() - start;
  }

  /** The `count` likeliest classes, best first. */
  top(count: number): Prediction[] {
    const max = this.logits.reduce(
      (most, logit) => Math.max(most, logit),
      Number.NEGATIVE_INFINITY,
    );
    const sum = this.logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
    return Array.from(this.logits, (logit, index) => ({
      index,
      label: this.#net.labels[index]!,
      probability: Math.exp(logit - max) / sum,
      logit,
    }))
      .sort((a, b) => b.logit - a.logit || a.index - b.index)
      .slice(0, count);
  }

  /** Name of class `index`. */
  label(index: number): string {
    return this.#net.labels[index]!;
  }

  /** The scale maps combined (Eq. 3), [height, width] in [0, 1]. Made once, when first asked for. */
  get combinedMap(): SaliencyMap {
    if (!this.#combined) {
      const start = this.#options.now();
      const { scaleWeights } = this.#options;
      const sum = this.#net.kernels.maps?.sumUpsampled;
      this.#combined = combineMaps(this.scaleMaps, this.#size, scaleWeights, this.region, sum);
      this.#saliencyMs += this.#options.now() - start;
    }
    return this.#combined;
  }

  /** Class activation map of `target`. @throws {ShapeError} when `cam` is `none` */
  get camMap(): SaliencyMap {
    return this.#mapsOfTarget.camMap;
  }

  /** FastCAM of `target`. @throws {ShapeError} when `cam` is `none` */
  get fastcamMap(): SaliencyMap {
    return this.#mapsOfTarget.fastcamMap;
  }

  /** What was salient but not for `target`. @throws {ShapeError} when `cam` is `none` */
  get nonClassMap(): SaliencyMap {
    return this.#mapsOfTarget.nonClassMap;
  }

  /**
   * The maps of any class, from the same forward pass.
   *
   * @param target `top`, a class index or a class name
   * @throws {ShapeError} for a class that the network does not have
   */
  classMaps(target: number | string, method: CamMethod = camMethod(this.cam)): ClassMaps {
    const { H, W, C } = this.#featureShape;
    const classWeights = new Float32Array(C);
    this.#net.classWeights(classWeights, this.#classIndex(target));
    const coarse = new Float32Array(H * W);
    classActivationMap(coarse, this.#features, classWeights, method);

    const combined = this.combinedMap.data;
    const cam = new Float32Array(combined.length);
    upsampleBilinear(cam, this.#size, toNdArray(coarse, [H, W]), this.region);
    normalizeRange(cam, cam);
    const fastcam = new Float32Array(cam.length);
    const nonClass = new Float32Array(cam.length);
    for (let i = 0; i < cam.length; i++) {
      fastcam[i] = combined[i]! * cam[i]!;
      nonClass[i] = combined[i]! * (1 - cam[i]!);
    }
    return {
      camMap: toNdArray(cam, this.#size),
      fastcamMap: toNdArray(fastcam, this.#size),
      nonClassMap: toNdArray(nonClass, this.#size),
    };
  }

  /** Saliency in colour by layer (LOVI): hue says at which scale, brightness how much. */
  lovi(): Picture {
    return lovi(this.scaleMaps, this.#size, this.region);
  }

  /** What it cost. Makes the combined map, if nobody asked for it yet. */
  get cost(): Cost {
    const lengths = this.scaleMaps.map(({ data }) => data.length);
    const { normalize, combine, mapBytes } = mapsCost(lengths, this.combinedMap.data.length);
    return {
      ms: {
        preprocess: this.#preprocessMs,
        network: this.#networkMs,
        saliency: this.#saliencyMs,
      },
      ops: { ...this.#ops, normalize, combine },
      bytes: { weights: this.#net.weightBytes, arena: this.#arenaBytes, maps: mapBytes },
      paper: PAPER_TABLE_6,
    };
  }

  #classIndex(target: number | string): number {
    if (target !== 'top') return this.#net.classIndex(target);
    const { logits } = this;
    return logits.reduce((best, logit, index) => (logit > logits[best]! ? index : best), 0);
  }

  get #size(): [number, number] {
    return [this.height, this.width];
  }

  get #mapsOfTarget(): ClassMaps {
    this.#targetMaps ??= this.classMaps(this.target);
    return this.#targetMaps;
  }
}

function camMethod(cam: CamMethod | 'none'): CamMethod {
  if (cam === 'none') throw new ShapeError("cam: no class activation map was asked for ('none')");
  return cam;
}

/** A copy of item `n` of an array [N, …]. */
function itemOf(batch: Float32Array, n: number, N: number): Float32Array {
  const length = batch.length / N;
  return batch.slice(n * length, (n + 1) * length);
}
