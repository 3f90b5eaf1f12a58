/**
 * Explanations of activations from another runtime (TensorFlow.js, onnxruntime, WebNN): it ran the network and kept
 * the activations at the ends of the scales. docs/activations.md has recipes.
 */

import { checkKernels } from './disposal.js';
import { oneOf, refuseKind, ShapeError } from './errors.js';
import { checkFinite, checkFloats, type ExplainOptions, resolveFor } from './explain.js';
import { type Explained, Explanation } from './explanation.js';
import type { Picture, Region } from './image/index.js';
import {
  flatten,
  jsKernels,
  type Kernels,
  STATISTICS,
  type Statistic,
} from './kernels/operators.js';
import {
  type Activation,
  classIndex,
  type Network,
  relu,
  smoeOps,
  tap,
  type ValueShape,
} from './model/index.js';

const NAME = 'explainActivations';

/** An activation of a network for one picture. */
export interface ActivationTensor {
  /** Row-major. */
  readonly data: Float32Array;
  /** [H, W, C] for `nhwc`, [C, H, W] for `nchw`; a leading 1, for the one picture, is allowed. */
  readonly shape: readonly number[];
  readonly layout: 'nhwc' | 'nchw';
}

/** The activation at the end of a scale. Values below 0 count as 0. */
export interface ActivationTap extends ActivationTensor {
  /** Its name in `scaleNames`; default `taps[0]` … */
  readonly name?: string;
}

/**
 * The weights of a classifier that is linear in the mean of its features. For another classifier, give the gradients
 * of the logits by that mean; they are valid for this picture.
 */
export interface ClassWeights {
  /** Row-major. */
  readonly data: Float32Array;
  readonly shape: readonly number[];
  /**
   * What a row is. `classes`: [classes, C], as in PyTorch's Linear and ONNX's Gemm with transB.
   * `channels`: [C, classes], as in the Dense layer of Keras and TensorFlow.js.
   */
  readonly rows: 'classes' | 'channels';
}

export interface Activations {
  /** One or more, first scale to last. */
  readonly taps: readonly ActivationTap[];
  /** The features that the classifier averages. Class activation maps are made from them, the weights and the logits. */
  readonly features?: ActivationTensor;
  readonly classWeights?: ClassWeights;
  /** [classes], before softmax or sigmoid. The logarithms of softmax's probabilities can be used too. */
  readonly logits?: ArrayLike<number>;
  /** The size of the picture, which is the size of the maps. Default: that of the first tap. */
  readonly picture?: Pick<Picture, 'width' | 'height'>;
  /** The part of the picture that the network saw, in the picture's pixels; default all of it. */
  readonly region?: Region;
}

export interface ActivationOptions extends Omit<ExplainOptions, 'fit' | 'size' | 'taps'> {
  /** Class names in index order; default the index as text. */
  readonly labels?: readonly string[];
  /** Turns logits into probabilities; default `softmax`. */
  readonly activation?: Activation;
  /** The backend that computes the statistic and the maps; default the portable one. */
  readonly kernels?: Kernels;
}

/**
 * The same explanation as `explain`, without a forward pass: from activations that any runtime computed.
 *
 * The arguments are not changed, and only the class weights are kept. `cost` has no data of the network:
 * `ms.network` is only the time of the statistics; operations of the network and bytes of weights and arena are 0.
 * `inputSize` is the size of `picture`.
 *
 * @param options `statistic` may be any that is measured after a ReLU
 * @throws {ShapeError} naming the tap or the argument: for a shape that does not fit its layout or its data, for
 * several pictures, NaN or ±∞, class weights that do not fit features and logits, and for options as `explain` does
 * @throws {TypeError} for data that is not a Float32Array
 */
export function explainActivations(
  activations: Activations,
  options: ActivationOptions = {},
): Explanation {
  const { kernels = jsKernels(), now = Date.now } = options;
  checkKernels(kernels);
  if (!Array.isArray(activations?.taps)) {
    refuseKind(`${NAME}: activations`, '{ taps: [{ data, shape, layout }] }', activations);
  }
  const taps = activations.taps.map((given, i) => columnsOf(`taps[${i}]`, given));
  if (taps.length === 0) refuse('taps', 'at least 1', 0);
  const net = headOf(activations, options, kernels);
  const resolved = resolveFor(net, taps.length, options);
  const { statistic } = resolved;
  if (STATISTICS[statistic].preActivation)
    refuse('statistic', 'one measured behind a ReLU', statistic);
  const { width, height } = activations.picture ?? { width: taps[0]!.W, height: taps[0]!.H };
  const { region = { x: 0, y: 0, width, height } } = activations;
  const start = now();
  const maps = taps.map((columns) => measured(columns, statistic, kernels));
  const networkMs = now() - start;
  const plan = {
    ...{ N: 1, H: height, W: width, macs: 0, kept: [{ shape: net.features }] },
    taps: taps.map(({ H, W }, i) => ({ name: activations.taps[i]!.name ?? `taps[${i}]`, H, W })),
    smoeOps: statistic === 'smoe' ? taps.reduce((sum, columns) => sum + smoeOps(columns), 0) : 0,
  };
  return new Explanation({
    net,
    forward: { plan, maps, logits: net.logits, features: net.features.x, bytes: 0 },
    ...{ item: 0, width, height, region, options: resolved, preprocessMs: 0, networkMs },
  });
}

/** The statistic of columns clamped at 0, [H, W]. */
function measured(columns: Columns, statistic: Statistic, kernels: Kernels): Float32Array {
  const pixels = columns.H * columns.W;
  const length = columns.x.length;
  const buffers = [
    { offset: 0, length },
    { offset: length, length: pixels },
  ];
  const inputs = [columns];
  const context = { N: 1, inputs, shape: columns, buffers: [0], out: 0, sparse: false };
  const steps = [...relu().steps(context), ...tap(statistic).steps({ ...context, out: 1 })];
  const program = kernels.bind(steps, buffers, new Map());
  program.buffer(0).set(columns.x);
  program.run();
  const map = program.buffer(1).slice();
  program.release();
  return map;
}

/** Replaces the network: its classes, and its classifier if that is given. */
interface Head extends Explained, Pick<Network, 'hasClassMaps'> {
  readonly logits: Float32Array;
  readonly features: Columns;
}

function headOf(
  given: Activations,
  { labels: names, activation = 'softmax' }: ActivationOptions,
  kernels: Kernels,
): Head {
  const logits = Float32Array.from(given.logits ?? []);
  checkFinite(`${NAME}: logits`, logits);
  // The keys of an array are its indices.
  const labels = names ?? Object.keys(logits);
  if (labels.length !== logits.length) refuse('labels', logits.length, labels.length);
  const features = given.features ? columnsOf('features', given.features) : NOTHING;
  const weights = given.classWeights ? rowsOf(given.classWeights) : NOTHING;
  const hasLinearHead = weights !== NOTHING;
  const { C } = features;
  if (hasLinearHead && (weights.C !== C || weights.H !== labels.length)) {
    refuse(
      'classWeights',
      `${labels.length}×${C}, classes by channels of the features`,
      `${weights.H}×${weights.C}`,
    );
  }
  return {
    ...{ kernels, labels, activation, weightBytes: 0, logits, features, hasLinearHead },
    hasClassMaps: hasLinearHead,
    checkClassMaps() {
      if (!hasLinearHead) refuse('cam', 'classWeights and features, or none', 'no classWeights');
    },
    classIndex: (target) => classIndex(labels, target),
    classWeights: (out, index) => out.set(weights.x.subarray(index * C, (index + 1) * C)),
  };
}

/** Values with their channels last, [H, W, C]. */
interface Columns extends ValueShape {
  readonly x: Float32Array;
}

const NOTHING: Columns = { H: 0, W: 0, C: 0, x: new Float32Array(0) };

/** @throws as `explainActivations` */
function columnsOf(what: string, { data, shape = [], layout }: ActivationTensor): Columns {
  oneOf(`${what}.layout`, layout, ['nhwc', 'nchw']);
  checkFloats(`${NAME}: ${what}`, data);
  const isLast = layout === 'nhwc';
  const extents = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  const [first, ...rest] = extents as [number, number, number];
  const [H, W, C] = isLast ? [first, ...rest] : [...rest, first];
  if (extents.length !== 3 || !(Math.min(H, W, C) > 0) || data.length !== H * W * C) {
    refuse(what, `one picture, ${layout}, and as many values`, `[${shape}] with ${data.length}`);
  }
  checkFinite(`${NAME}: ${what}`, data);
  const x = isLast ? data : new Float32Array(data.length);
  // Swaps channels and pixels.
  if (!isLast) flatten(x, data, [1, C, H * W]);
  return { H, W, C, x };
}

/** The weights as [classes, 1, C]. */
function rowsOf({ data, shape, rows }: ClassWeights): Columns {
  oneOf('classWeights.rows', rows, ['classes', 'channels']);
  const [a, b] = shape as [number, number];
  return columnsOf('classWeights', {
    data,
    ...(rows === 'classes'
      ? { shape: [a, 1, b], layout: 'nhwc' }
      : { shape: [a, b, 1], layout: 'nchw' }),
  });
}

function refuse(what: string, expected: string | number, got: string | number): never {
  throw new ShapeError(`${NAME}: ${what} expected ${expected}, got ${got}`);
}
