/**
 * The result of one forward pass for one picture: classes, saliency maps of every scale, their
 * combination, class activation maps, LOVI, and the cost. Maps have the size of the given picture.
 * Pixels that the network did not see are NaN.
 */

import type { Calibration } from './calibration.js';
import { mapsCost, PAPER_TABLE_6 } from './cost.js';
import { owned } from './disposal.js';
import { ShapeError } from './errors.js';
import { type DrawnPicture, fitInside, type Region, type Size } from './image/index.js';
import type { Kernels, Statistic } from './kernels/operators.js';
import {
  type CamMethod,
  type ClassMaps,
  classActivationMap,
  classMaps,
  combinedMap,
  normalizedMap,
} from './methods/index.js';
import {
  type Activation,
  type Forward,
  type KeptValue,
  type Network,
  type Plan,
  type Tap,
  topClass,
} from './model/index.js';
import {
  lovi,
  type Normalizer,
  type SaliencyMap,
  type ScaleWeights,
  toNdArray,
} from './viz/index.js';

/** A class and its probability. */
export interface Prediction {
  readonly index: number;
  readonly label: string;
  /** Softmax of the logits, or the sigmoid of this logit; the network decides. */
  readonly probability: number;
  readonly logit: number;
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
    /** 0 for other statistics: the paper counts only SMOE Scale. */
    readonly smoe: number;
    readonly normalize: number;
    readonly combine: number;
  };
  readonly bytes: {
    readonly weights: number;
    /** Activations, and the backend's working memory. */
    readonly arena: number;
    /** The scale maps, with the largest counted twice, as in the paper. */
    readonly maps: number;
  };
  /** The paper's Table 6: the same figures for ResNet-50 at 224×224. */
  readonly paper: typeof PAPER_TABLE_6;
}

/** What an explanation needs from the source of the activations, such as a `Network`. */
export interface Explained
  extends Pick<Network, 'activation' | 'labels' | 'weightBytes'>,
    Pick<
      Network,
      'classIndex' | 'hasLinearHead' | 'checkClassMaps' | 'classWeights' | 'classActivation'
    > {
  readonly kernels: Pick<Kernels, 'maps' | 'pictures'>;
}

/** The parts of a forward pass that an explanation reads. */
export interface ExplainedPass extends Pick<Forward, 'logits' | 'features' | 'maps' | 'bytes'> {
  readonly plan: Pick<Plan, 'N' | 'H' | 'W' | 'macs' | 'smoeOps'> & {
    readonly kept: readonly Pick<KeptValue, 'shape'>[];
    readonly taps: readonly Pick<Tap, 'name' | 'H' | 'W'>[];
  };
}

/** The inputs of an explanation; `item` selects one picture of the batch. */
export interface ExplanationSource {
  readonly net: Explained;
  readonly forward: ExplainedPass;
  readonly item: number;
  /** Size of the given picture. */
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
  readonly taps: true | readonly string[];
  /** Longest side of the maps. */
  readonly longSide: number;
  readonly now: () => number;
}

interface Own {
  /** Its own copies of the inputs: the next forward pass overwrites the arena. */
  readonly source: ExplanationSource;
  saliencyMs: number;
  combined?: SaliencyMap;
  targetMaps?: ClassMaps;
}

export class Explanation {
  /** Size of the maps, in pixels: that of the given picture, or as the option `maps` asks. */
  readonly width: number;
  readonly height: number;
  /** The part of the picture that the network saw, in pixels of the maps. */
  readonly region: Region;
  /** Height and width of the network's input. */
  readonly inputSize: readonly [number, number];
  /** [classes]; empty if the network has no classifier. */
  readonly logits: Float32Array;
  /** Index of the class that `camMap`, `fastcamMap` and `nonClassMap` are for. */
  readonly target: number | undefined;
  readonly cam: CamMethod | 'none';
  /** The function that turns logits into probabilities. */
  readonly activation: Activation;
  readonly statistic: Statistic;
  /** Names of the values that were measured, first scale to last. */
  readonly scaleNames: readonly string[];
  /** The statistic at each scale, first to last, native resolution. */
  readonly rawMaps: readonly SaliencyMap[];
  /** The same, normalised. */
  readonly scaleMaps: readonly SaliencyMap[];

  readonly #own: Own;

  /**
   * Copies the data it needs from the arena, so that one pass is enough for all classes and sizes.
   *
   * @param size size of the maps
   */
  constructor(source: ExplanationSource, size: Size = fitInside(source, source.options.longSide)) {
    const { net, item, options, region } = source;
    const forward = itemOf(source.forward, item);
    const { plan, logits } = forward;
    this.width = size.width;
    this.height = size.height;
    const across = size.width / source.width;
    const down = size.height / source.height;
    this.region = {
      x: region.x * across,
      y: region.y * down,
      width: region.width * across,
      height: region.height * down,
    };
    this.inputSize = [plan.H, plan.W];
    this.cam = options.cam;
    this.statistic = options.statistic;
    this.activation = net.activation;
    this.logits = logits;
    this.target = net.labels.length > 0 ? net.classIndex(this.classOf(options.target)) : undefined;
    this.scaleNames = plan.taps.map(({ name }) => name);
    const { normalizer, calibration, now } = options;
    const start = now();
    this.rawMaps = plan.taps.map(({ H, W }, i) => toNdArray(forward.maps[i]!, [H, W]));
    this.scaleMaps = plan.taps.map(({ H, W }, i) => {
      const constants = calibration?.scales[i];
      return normalizedMap(net.kernels, forward.maps[i]!, [H, W], normalizer, constants);
    });
    const saliencyMs = now() - start;
    this.#own = { source: { ...source, forward, item: 0 }, saliencyMs };
  }

  /** @throws {TypeError} if it is called on a framework's proxy of the explanation */
  private get own(): Own {
    return owned('explanation', #own in this ? this.#own : null);
  }

  /**
   * The same explanation with maps of another size: for example the maps of a large photo at the size of a
   * screen.
   *
   * @throws {ShapeError} for extents that are not whole numbers ≥ 1, when a map is asked for
   */
  resized(width: number, height: number): Explanation {
    return new Explanation(this.own.source, { width, height });
  }

  /** The `count` most likely classes, best first. Equal classes are ordered by index. */
  top(count: number): Prediction[] {
    const { logits } = this;
    const probabilities = probabilitiesOf(new Float64Array(logits.length), logits, this.activation);
    return Array.from(logits, (logit, index) => ({
      index,
      label: this.label(index),
      probability: probabilities[index]!,
      logit,
    }))
      .sort((a, b) => b.logit - a.logit)
      .slice(0, count);
  }

  /** Name of class `index`. */
  label(index: number): string {
    return this.own.source.net.labels[index]!;
  }

  /** The scale maps combined (Eq. 3), [height, width] in [0, 1]. Made once, when first asked for. */
  get combinedMap(): SaliencyMap {
    const { own, size, region } = this;
    if (!own.combined) {
      const { net, options } = own.source;
      const { scaleWeights, now } = options;
      const start = now();
      own.combined = combinedMap(net.kernels, this.scaleMaps, size, scaleWeights, region);
      own.saliencyMs += now() - start;
    }
    return own.combined;
  }

  /** Class activation map of `target`. @throws {ShapeError} when `cam` is `none` */
  get camMap(): SaliencyMap {
    return this.mapsOfTarget.camMap;
  }

  /** FastCAM of `target`. @throws {ShapeError} when `cam` is `none` */
  get fastcamMap(): SaliencyMap {
    return this.mapsOfTarget.fastcamMap;
  }

  /** What was salient but not for `target`. @throws {ShapeError} when `cam` is `none` */
  get nonClassMap(): SaliencyMap {
    return this.mapsOfTarget.nonClassMap;
  }

  /**
   * The maps of any class, from the same forward pass. A classifier that is not linear in the last features needs
   * `withGradients` of fastcam/gradients, and one backward pass through the classifier.
   *
   * @param target `top`, a class index or a class name
   * @throws {ShapeError} for a class that the network does not have, and if it has no class activation maps
   */
  classMaps(target: number | string, method: CamMethod | 'none' = this.cam): ClassMaps {
    const { net, forward } = this.own.source;
    net.checkClassMaps();
    if (method === 'none') {
      throw new ShapeError("cam: no class activation map was asked for ('none')");
    }
    const { H, W, C } = forward.plan.kept[0]!.shape;
    const { combinedMap: combined, inputSize, region } = this;
    const index = net.classIndex(this.classOf(target));
    const { features } = forward;
    const coarse = new Float32Array(H * W);
    if (net.hasLinearHead) {
      const classWeights = new Float32Array(C);
      net.classWeights(classWeights, index);
      // A single logit below 0 speaks for the other side.
      const isOther = this.logits.length === 1 && this.logits[0]! < 0;
      const weights = isOther ? classWeights.map((weight) => -weight) : classWeights;
      classActivationMap(coarse, features, weights, method);
    } else {
      net.classActivation!.make(coarse, features, inputSize, index, method);
    }
    return classMaps(combined, coarse, [H, W], region, net.kernels);
  }

  /** Saliency coloured by layer (LOVI): hue shows the scale, brightness shows how much. */
  lovi(): DrawnPicture {
    const { scaleMaps, size, region } = this;
    const { pictures } = this.own.source.net.kernels;
    return pictures?.lovi(scaleMaps, size, region) ?? lovi(scaleMaps, size, region);
  }

  /** The cost. Makes the combined map if it was not made before. */
  get cost(): Cost {
    const lengths = this.scaleMaps.map(({ data }) => data.length);
    const { normalize, combine, mapBytes } = mapsCost(lengths, this.combinedMap.data.length);
    const { source, saliencyMs } = this.own;
    const { net, forward, preprocessMs, networkMs } = source;
    const { plan, bytes } = forward;
    return {
      ms: { preprocess: preprocessMs, network: networkMs, saliency: saliencyMs },
      ops: { network: plan.macs, smoe: plan.smoeOps, normalize, combine },
      bytes: { weights: net.weightBytes, arena: bytes, maps: mapBytes },
      paper: PAPER_TABLE_6,
    };
  }

  /** For `top` the index of the most likely class; otherwise the index of the given class. */
  private classOf(target: number | string): number | string {
    return target === 'top' ? topClass(this.logits) : target;
  }

  private get size(): [number, number] {
    return [this.height, this.width];
  }

  private get mapsOfTarget(): ClassMaps {
    const { own } = this;
    own.targetMaps ??= this.classMaps(this.target ?? 'top');
    return own.targetMaps;
  }
}

/**
 * Probabilities of logits: their softmax, or the sigmoid of each.
 *
 * @param out [classes], overwritten and returned
 */
export function probabilitiesOf(
  out: Float64Array,
  logits: Float32Array,
  activation: Activation,
): Float64Array {
  const max = logits[topClass(logits)]!;
  let sum = 0;
  for (let i = 0; i < out.length; i++) sum += Math.exp(logits[i]! - max);
  for (let i = 0; i < out.length; i++) {
    const logit = logits[i]!;
    out[i] = activation === 'softmax' ? Math.exp(logit - max) / sum : 1 / (1 + Math.exp(-logit));
  }
  return out;
}

/** A copy of one picture's part of a pass. */
function itemOf(forward: ExplainedPass, item: number): ExplainedPass {
  const { plan, bytes } = forward;
  const { N, H, W, macs, smoeOps, kept, taps } = plan;
  const own = (batch: Float32Array): Float32Array => {
    const length = batch.length / N;
    return batch.slice(item * length, (item + 1) * length);
  };
  return {
    plan: { N: 1, H, W, macs: macs / N, smoeOps: smoeOps / N, kept, taps },
    logits: own(forward.logits),
    features: own(forward.features),
    maps: forward.maps.map(own),
    bytes,
  };
}
