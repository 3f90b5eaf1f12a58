/** All steps of an attribution: picture → input → passes → map → `Attribution`. */

import { expectWhole, oneOf, refuseKind, ShapeError } from './errors.js';
import {
  checkFinite,
  checkFloats,
  type ExplainOptions,
  type FloatTensor,
  geometryOf,
} from './explain.js';
import { type Picture, preprocess, type Region } from './image/index.js';
import { flatten } from './kernels/operators.js';
import {
  ATTRIBUTION_METHODS,
  type Attribution,
  type AttributionMethod,
  type ChannelReduction,
  isGradientMethod,
  type NamedBaseline,
  SMOOTHINGS,
  type Smoothing,
} from './methods/gradients/attribution.js';
import { GRADIENT_POOLINGS, type GradientPooling } from './methods/gradients/bidicam.js';
import { type AttributionRequest, attributed, inputsOf } from './methods/gradients/index.js';
import { BASELINES, baselineOf } from './methods/gradients/integrated-gradients.js';
import { type NetworkInput, Passes } from './methods/gradients/passes.js';
import { REDUCTIONS } from './methods/gradients/reduction.js';
import { SCORES, type Score, type Targets, usualScore } from './model/gradient/score.js';
import type { Network } from './model/index.js';

export interface AttributeOptions extends Pick<ExplainOptions, 'fit' | 'size' | 'now'> {
  /** Default `gradient`. */
  readonly method?: AttributionMethod;
  /** Default `none`. */
  readonly smoothing?: Smoothing;
  /** The class to explain: the most likely one (default), an index or a name; or several, whose scores are added. */
  readonly target?: 'top' | number | string | readonly (number | string)[];
  /** What is differentiated; default `logit`, for a single logit `two-sided`. */
  readonly score?: Score;
  /** Steps of integrated gradients; default 20. */
  readonly steps?: number;
  /**
   * Where integrated gradients begin; default `zero`, in the units of the normalised input. `mean` is the picture's mean
   * color, `blurred` the picture blurred by a Gaussian of a twentieth of its short side. Or a tensor like the input.
   */
  readonly baseline?: NamedBaseline | FloatTensor;
  /** Noisy inputs of a smoothing; default 15. */
  readonly samples?: number;
  /** Standard deviation of the noise, as a share of the input's range; default 0.15. */
  readonly noise?: number;
  /** Seed of the noise; the same seed gives the same bits. Default 0. */
  readonly seed?: number;
  /** Default `largest`; for `smoothgrad-squared` and `vargrad` `sum`. */
  readonly reduction?: ChannelReduction;
  /**
   * For class activation maps: names of the values, or one. The maps of several are averaged after each is
   * range-normalised. Default: the last scale. For BiDiCAM: the scales, first to last; default: all.
   */
  readonly at?: string | readonly string[];
  /** How BiDiCAM pools gradients; default `signed`. */
  readonly pooling?: GradientPooling;
  /** Whether BiDiCAM mixes Grad-CAM in, from nothing at the first scale to nothing else at the last. Default false. */
  readonly mix?: boolean;
  /** Called with the share of the passes that is done. */
  readonly onProgress?: (done: number) => void;
  /** Such as an `AbortSignal`: stops between two passes, and throws the abort reason. */
  readonly signal?: { throwIfAborted(): void };
}

/**
 * Explains one picture by a method that needs gradients.
 *
 * @param image RGBA bytes with width and height, or a tensor [1, channels, H, W], normalised as the network expects
 * @throws {ShapeError} for an image whose data does not fit its size, an option out of range, and a network that has no
 * classifier, overflows, or contains an operator without gradient
 */
export function attribute(
  net: Network,
  image: Picture | FloatTensor,
  options: AttributeOptions = {},
): Attribution {
  const { now = Date.now, signal, onProgress } = options;
  const resolved = resolveAttribution(net, options);
  const { score, targets, method, smoothing } = resolved;
  const seen = inputOf(net, image, options);
  const { input, region, width, height } = seen;
  const baseline = baselineFrom(net, input, options.baseline);
  const start = now();
  const total = inputsOf(resolved);
  const passes = new Passes(net, input, {
    ...{ score, targets, signal },
    onProgress: onProgress && ((done) => onProgress(done / total)),
  });
  const { map, attribution } = attributed(passes, { ...resolved, baseline });
  const { logits } = passes;
  return {
    ...{ method, smoothing, score, targets: passes.targets, logits },
    ...{ map, attribution, region, width, height },
    ms: now() - start,
    passes: passes.count,
    bytes: { weights: net.weightBytes, pass: passes.bytes },
    keptShare: passes.keptShare,
  };
}

interface Resolved extends Omit<AttributionRequest, 'baseline'> {
  readonly score: Score;
  readonly targets: Targets;
}

/** Options with their defaults. Wrong options are found before any picture is read. */
export function resolveAttribution(net: Network, options: AttributeOptions): Resolved {
  const { method = 'gradient', smoothing = 'none', fit = 'whole' } = options;
  const { pooling = 'signed', mix = false } = options;
  const { samples = 15, noise = 0.15, seed = 0, steps = 20 } = options;
  if (net.labels.length === 0) throw new ShapeError('attribute: the network has no classifier');
  const { score = usualScore(net.labels.length) } = options;
  const { reduction = USUAL_REDUCTION[smoothing] } = options;
  oneOf('method', method, ATTRIBUTION_METHODS);
  oneOf('smoothing', smoothing, SMOOTHINGS);
  oneOf('score', score, SCORES);
  oneOf('reduction', reduction, REDUCTIONS);
  oneOf('pooling', pooling, GRADIENT_POOLINGS);
  oneOf('fit', fit, ['whole', 'crop', 'stretch']);
  if (typeof options.baseline === 'string') oneOf('baseline', options.baseline, BASELINES);
  expectWhole('attribute', { samples, steps });
  expectWhole('attribute', { seed }, 0);
  if (!(noise >= 0 && noise < Number.POSITIVE_INFINITY)) {
    throw new ShapeError(`noise: expected a number ≥ 0, got ${noise}`);
  }
  if (smoothing !== 'none' && !isGradientMethod(method)) {
    throw new ShapeError(`smoothing: expected none for ${method}, got ${smoothing}`);
  }
  const targets = targetsOf(net, options.target);
  const at = valuesOf(net, method, options.at);
  const numbers = { samples, noise, seed, steps };
  return { method, smoothing, score, reduction, ...numbers, targets, at, pooling, mix };
}

const USUAL_REDUCTION: Readonly<Record<Smoothing, ChannelReduction>> = {
  none: 'largest',
  smoothgrad: 'largest',
  'smoothgrad-squared': 'sum',
  vargrad: 'sum',
};

/** Indices of the classes, each once; none for `top`. */
function targetsOf(net: Network, target: AttributeOptions['target'] = 'top'): Targets {
  if (target === 'top') return [];
  const given = typeof target === 'object' ? target : [target];
  if (given.length === 0) throw new ShapeError('target: expected at least 1 class, got none');
  return [...new Set(given.map((one) => net.classIndex(one)))];
}

/** The values where scales end; where none do, those that may be measured. */
export function usualValues(net: Network): readonly string[] {
  return net.scales.length > 0 ? net.scales : net.scaleCandidates;
}

/** Names of the values of class activation maps, or of the scales of BiDiCAM. */
function valuesOf(
  net: Network,
  method: AttributionMethod,
  at: AttributeOptions['at'],
): readonly string[] {
  const usual = usualValues(net);
  if (at === undefined) {
    const isPlain = isGradientMethod(method) && method !== 'guided-gradcam';
    if (usual.length > 0 || isPlain) return method === 'bidicam' ? usual : usual.slice(-1);
    throw new ShapeError(`at: no value of the network ends a scale: name those for ${method}`);
  }
  const names = typeof at === 'string' ? [at] : at;
  if (!Array.isArray(names)) refuseKind('at:', 'names of values', at);
  const { nodes } = net.prepared.graph;
  const unknown = names.find((name) => !nodes.some((node) => node.name === name));
  if (names.length > 0 && unknown === undefined) return names;
  throw new ShapeError(`at: expected names of values, such as ${usual}, got ${unknown ?? 'none'}`);
}

/** What the network sees of a picture, and where. */
export interface Seen {
  readonly input: NetworkInput;
  readonly region: Region;
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
}

/** @throws {ShapeError} for an image whose data does not fit its size, or a size out of range */
export function inputOf(
  net: Network,
  image: Picture | FloatTensor,
  options: Pick<AttributeOptions, 'fit' | 'size'>,
): Seen {
  if ('shape' in Object(image)) return tensorInput(net, image as FloatTensor);
  const picture = image as Picture;
  const { width, height } = picture;
  const geometry = geometryOf('attribute', net, picture, options);
  const { height: H, width: W } = geometry.window;
  const data = new Float32Array(H * W * net.channels);
  preprocess(data, picture, geometry, net.preprocessing, net.kernels.pictures?.resizeRows);
  return { input: { data, H, W }, region: geometry.region, width, height };
}

function tensorInput(net: Network, tensor: FloatTensor): Seen {
  const input = tensorOf(net, 'tensor', tensor);
  const { H: height, W: width } = input;
  return { input, region: { x: 0, y: 0, width, height }, width, height };
}

/** A tensor [1, channels, H, W] as the network takes it. @throws {ShapeError} that begins with `attribute: name` */
function tensorOf(net: Network, name: string, { data, shape }: FloatTensor): NetworkInput {
  checkFloats(`attribute: ${name}`, data);
  const [N, C, H, W] = shape;
  const { channels } = net;
  if (shape.length !== 4 || N !== 1 || C !== channels || data.length !== C * H * W) {
    throw new ShapeError(
      `attribute: ${name} expected [1, ${channels}, H, W], got [${shape}] with ${data.length} values`,
    );
  }
  checkFinite(`attribute: ${name}`, data);
  const out = new Float32Array(data.length);
  // Swaps channels and pixels.
  flatten(out, data, [1, C, H * W]);
  return { data: out, H, W };
}

function baselineFrom(
  net: Network,
  input: NetworkInput,
  baseline: AttributeOptions['baseline'] = 'zero',
): Float32Array {
  if (typeof baseline === 'string') return baselineOf(baseline, input);
  if (!('shape' in Object(baseline))) {
    refuseKind('baseline:', `${BASELINES.join(', ')} or a tensor`, baseline);
  }
  const { data, H, W } = tensorOf(net, 'baseline', baseline);
  if (H === input.H && W === input.W) return data;
  throw new ShapeError(`attribute: baseline expected ${input.H}×${input.W}, got ${H}×${W}`);
}
