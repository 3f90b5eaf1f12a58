/**
 * All steps together: picture → input → forward pass with taps → maps → `Explanation`.
 */

import { type Calibration, checkCalibration } from './calibration.js';
import { DISPOSE } from './disposal.js';
import { expectWhole, kindOf, oneOf, refuseKind, ShapeError } from './errors.js';
import { Explanation, type ResolvedOptions } from './explanation.js';
import {
  checkPicture,
  type Fit,
  fitPicture,
  type Geometry,
  type Picture,
  preprocess,
  type Region,
} from './image/index.js';
import { flatten, STATISTICS, type Statistic } from './kernels/operators.js';
import { CAM_METHODS, type CamMethod } from './methods/index.js';
import {
  type ByteStream,
  checkFile,
  type Forward,
  type ForwardOptions,
  Network,
  type NetworkOptions,
  type ProgressOptions,
  parseSafetensors,
  type RecognizedNetwork,
  streamWeights,
  type TensorSource,
} from './model/index.js';
import {
  NORMALIZERS,
  type Normalizer,
  resolveScaleWeights,
  type ScaleWeights,
} from './viz/index.js';

/** Pictures already resized and normalised, NCHW. */
export interface FloatTensor {
  readonly data: Float32Array;
  readonly shape: readonly [N: number, C: number, H: number, W: number];
}

export interface ExplainOptions {
  /** The statistic measured at the end of each scale; default `smoe`, the paper's. */
  readonly statistic?: Statistic;
  /** Default `gaussian`, the paper's. */
  readonly normalizer?: Normalizer;
  /** Constants of the normaliser from many pictures; default: each map's own. */
  readonly calibration?: Calibration;
  /** Default `equal`. */
  readonly scaleWeights?: ScaleWeights;
  /** Default `gradcam++` if the classifier is linear in the last features, or with gradients; else `none`. */
  readonly cam?: CamMethod | 'none';
  /** The class to explain: the top one (default), an index or a name. */
  readonly target?: 'top' | number | string;
  /** How the picture is fitted to the input; default `whole`. Tensors are used as they are. */
  readonly fit?: Fit;
  /** Names of the values to measure at, instead of the ends of scales. */
  readonly taps?: readonly string[];
  /**
   * The long side of the maps, in pixels, if the picture is larger; default that of the picture. Large maps take
   * longer than the network: half a second for 12 megapixels.
   */
  readonly maps?: { readonly longSide: number };
  /** Short side of the input; default the size that the model was trained at. */
  readonly size?: number;
  /** A clock in milliseconds, for `cost`; default `Date.now`. The core has no finer clock. */
  readonly now?: () => number;
}

export interface LoadOptions extends NetworkOptions, ProgressOptions {
  /** Name of the file in messages; default `weights`. */
  readonly name?: string;
}

/** A network with methods that explain pictures. */
export interface ExplainingNetwork extends Network {
  /** See the function `explain`. */
  explain(image: Picture | FloatTensor, options?: ExplainOptions): Explanation;
  /** See the function `explainBatch`. */
  explainBatch(tensor: FloatTensor, options?: ExplainOptions): Explanation[];
  /** `dispose`, for `using`. */
  [DISPOSE](): void;
}

/**
 * Loads a network from a safetensors file: a ResNet, VGG, AlexNet or DenseNet with the names of torchvision or timm.
 * A ResNet may also have the names of Hugging Face or Keras.
 *
 * @param file its bytes, or a stream of them (a `ReadableStream`, as from `fetch`). A stream is read one layer at a
 * time
 * @throws {FormatError} for bytes that are not such a file, naming the offset or the tensor, and for a stream
 * that fails
 */
export async function loadNetwork(
  file: ArrayBuffer | Uint8Array | ByteStream,
  options: LoadOptions,
): Promise<ExplainingNetwork> {
  const { name = 'weights' } = options ?? {};
  checkFile('loadNetwork', file);
  if (!('getReader' in file)) return networkOf(parseSafetensors(file, name), options);
  return explaining(await streamWeights(file, name, options));
}

/** The network of weights from anywhere. @throws as `loadNetwork` */
export function networkOf(
  weights: TensorSource | RecognizedNetwork,
  options: NetworkOptions,
): ExplainingNetwork {
  return explaining(new Network(weights, options).packAll());
}

function explaining(net: Network): ExplainingNetwork {
  return Object.assign(net, {
    explain: (image: Picture | FloatTensor, options?: ExplainOptions) =>
      explain(net, image, options),
    explainBatch: (tensor: FloatTensor, options?: ExplainOptions) =>
      explainBatch(net, tensor, options),
    [DISPOSE]: () => net.dispose(),
  });
}

/**
 * Explains one picture with one forward pass.
 *
 * @param image RGBA bytes with width and height, or a tensor [1, channels, H, W]
 * @throws {ShapeError} for an image whose data does not fit its size, or an option out of range
 */
export function explain(
  net: Network,
  image: Picture | FloatTensor,
  options: ExplainOptions = {},
): Explanation {
  if ('shape' in Object(image)) {
    const tensor = image as FloatTensor;
    const batch = tensor.shape?.[0];
    if (batch === 1) return explainBatch(net, tensor, options)[0]!;
    throw new ShapeError(`explain: expected 1 picture, got ${batch}: use explainBatch`);
  }
  const picture = image as Picture;
  const resolved = resolveOptions(net, options);
  const pass = runPicture(net, picture, options);
  const { width, height } = picture;
  return new Explanation({ net, item: 0, width, height, options: resolved, ...pass });
}

/** The result of the network for one picture. */
export interface PicturePass {
  readonly forward: Forward;
  /** The part of the picture that the network saw, in its pixels. */
  readonly region: Region;
  readonly preprocessMs: number;
  readonly networkMs: number;
}

/**
 * Runs the network on one picture, without explaining it.
 *
 * @param options.statistic one, or several in the same pass
 * @throws {ShapeError} for a picture without pixels, a size out of range, or a network that overflows
 */
export function runPicture(
  net: Network,
  image: Picture,
  options: Pick<ExplainOptions, 'fit' | 'size' | 'now'> & ForwardOptions = {},
): PicturePass {
  const { now = Date.now } = options;
  const start = now();
  const geometry = geometryOf('explain', net, image, options);
  const { window, region } = geometry;
  const forward = net.forward(1, window.height, window.width, options);
  preprocess(forward.input, image, geometry, net.preprocessing, net.kernels.pictures?.resizeRows);
  const ready = now();
  run(forward);
  return { forward, region, preprocessMs: ready - start, networkMs: now() - ready };
}

/**
 * Where a picture goes in the input of a network.
 *
 * @param what the function in messages
 * @throws {ShapeError} for a picture without pixels, or a size out of range
 */
export function geometryOf(
  what: string,
  net: Network,
  image: Picture,
  { fit = 'whole', size: asked }: Pick<ExplainOptions, 'fit' | 'size'>,
): Geometry {
  const { fixedSize, preprocessing, prepared } = net;
  const side = asked ?? preprocessing.size;
  expectWhole('fit', { size: side });
  // The file allows one size only; its short side identifies it.
  const isOwn = asked === undefined || asked === Math.min(...(fixedSize ?? []));
  const size = fixedSize && isOwn ? fixedSize : side;
  checkPicture(what, image);
  const { width, height } = image;
  return fitPicture(width, height, fit, size, preprocessing.cropRatio, prepared.stride);
}

/**
 * Explains every picture of a batch with one forward pass. Each result is what `explain` gives for
 * that picture alone, bit for bit; `cost.ms.network` is the pass's time divided by N.
 *
 * @param tensor [N, channels, H, W], normalised as the network expects
 */
export function explainBatch(
  net: Network,
  tensor: FloatTensor,
  options: ExplainOptions = {},
): Explanation[] {
  const resolved = resolveOptions(net, options);
  checkFloats('explain: tensor', tensor?.data);
  const [N, C, H, W] = tensor.shape;
  const { channels } = net;
  if (tensor.shape.length !== 4 || C !== channels || tensor.data.length !== N * C * H * W) {
    throw new ShapeError(
      `explain: tensor expected [N, ${channels}, H, W], got [${tensor.shape}] with ${tensor.data.length} values`,
    );
  }
  checkFinite('explain: tensor', tensor.data);
  const { now } = resolved;
  const start = now();
  const forward = net.forward(N, H, W, resolved);
  // Swaps channels and pixels.
  flatten(forward.input, tensor.data, [N, C, H * W]);
  const ready = now();
  run(forward);
  const networkMs = (now() - ready) / N;
  return Array.from({ length: N }, (_, item) => {
    const region = { x: 0, y: 0, width: W, height: H };
    const preprocessMs = (ready - start) / N;
    const about = { net, forward, item, width: W, height: H, region, options: resolved };
    return new Explanation({ ...about, preprocessMs, networkMs });
  });
}

/** Weights near the limit of float32 overflow in the network; then there is no result. */
function run(forward: Forward): void {
  forward.run();
  const bad = forward.logits.findIndex((logit) => !Number.isFinite(logit));
  if (bad >= 0) {
    throw new ShapeError(
      `explain: the network gives ${forward.logits[bad]} for class ${bad % (forward.logits.length / forward.plan.N)}: weights too large, or misread`,
    );
  }
}

/**
 * Options with their defaults. Wrong options are found before any picture is read.
 *
 * @throws {ShapeError} that begins with the option's name
 */
export function resolveOptions(net: Network, options: ExplainOptions): ResolvedOptions {
  const { taps = true } = options;
  if (taps !== true && !Array.isArray(taps)) refuseKind('taps:', 'names of values', taps);
  const scales = taps === true ? net.scales.length : net.valuesNamed(taps).length;
  if (scales === 0) {
    throw new ShapeError(
      `taps: no value of the network ends a scale: name some of ${net.scaleCandidates.join(',')}`,
    );
  }
  return resolveFor(net, scales, options);
}

/**
 * Options with their defaults, for any object with a head, and a number of maps.
 *
 * @throws {ShapeError} that begins with the option's name
 */
export function resolveFor(
  net: Pick<Network, 'hasClassMaps' | 'checkClassMaps' | 'classIndex'>,
  scales: number,
  options: ExplainOptions,
): ResolvedOptions {
  const { statistic = 'smoe', normalizer = 'gaussian', calibration, taps = true } = options;
  const { scaleWeights = 'equal', target = 'top', now = Date.now } = options;
  const { cam = net.hasClassMaps ? 'gradcam++' : 'none', maps } = options;
  oneOf('statistic', statistic, Object.keys(STATISTICS));
  oneOf('normalizer', normalizer, Object.keys(NORMALIZERS));
  oneOf('cam', cam, [...CAM_METHODS, 'none']);
  oneOf('fit', options.fit ?? 'whole', ['whole', 'crop', 'stretch']);
  resolveScaleWeights(scaleWeights, scales);
  if (calibration) {
    checkCalibration('calibration', calibration, { statistic, normalizer, scales });
  }
  if (maps) expectWhole('maps', { longSide: maps.longSide });
  if (target !== 'top') net.classIndex(target);
  if (cam !== 'none') net.checkClassMaps();
  const longSide = maps?.longSide ?? Number.POSITIVE_INFINITY;
  return { statistic, normalizer, calibration, scaleWeights, cam, target, taps, longSide, now };
}

/** @throws {TypeError} that begins with `what`, for anything but float32 */
export function checkFloats(what: string, data: unknown): void {
  if (kindOf(data) !== 'Float32Array') refuseKind(what, 'a Float32Array', data);
}

/** @throws {ShapeError} that begins with `what`, for NaN and ±∞ */
export function checkFinite(what: string, data: Float32Array): void {
  // findIndex takes ten times as long (measured).
  let i = 0;
  while (i < data.length && Number.isFinite(data[i])) i++;
  if (i < data.length) throw new ShapeError(`${what} has ${data[i]} at element ${i}`);
}
