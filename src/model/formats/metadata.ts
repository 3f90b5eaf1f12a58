/**
 * What a file states besides its tensors: `architecture`, `layers`, `preprocessing` and `labels`, as JSON text
 * under these keys of its metadata. The rest follows from names and shapes.
 */

import { FormatError, ShapeError } from '../../errors.js';
import {
  defaultPreprocessing,
  IMAGENET_PREPROCESSING,
  type Preprocessing,
} from '../../image/index.js';
import type { Precision } from '../../kernels/operators.js';
import { parseActivation } from '../graph/operators/activation.js';
import { SCALED_DTYPE } from './dtype.js';
import type { TensorSource } from './tensor-source.js';

/** PyTorch's default, which the networks of torchvision and timm use. */
const BATCH_NORM_EPS = 1e-5;

/** Facts about a network that its weights do not show. */
export interface NetOptions {
  /** Which convolution of a ResNet's bottleneck has the stride: `3x3`: v1.5 (torchvision, timm); `1x1`: v1 (paper, Keras). */
  readonly strideOn: '3x3' | '1x1';
  /** Whether a max pool follows a ResNet's stem. Default: yes, except after a 3×3 stem. */
  readonly maxPool?: boolean;
  /** The number that batch norms add to a variance. */
  readonly batchNormEps: number;
  /** By PyTorch's name: `relu`, `leaky_relu:0.2`, `silu` … */
  readonly activationFunction: string;
  /** Strides of a ResNet's stages. Stages beyond the list have the usual ones: 1 for the first stage, then 2. */
  readonly strides: readonly number[];
  /** Dilations of a ResNet's stages; 1 beyond the list. A stage with a larger dilation than the one before has stride 1. */
  readonly dilations: readonly number[];
  /** Whether an activation follows a DenseNet's last batch norm: true for torchvision, false for fast.ai. */
  readonly activatesFeatures: boolean;
}

const DEFAULTS: NetOptions = {
  strideOn: '3x3',
  batchNormEps: BATCH_NORM_EPS,
  activationFunction: 'relu',
  strides: [],
  dilations: [],
  activatesFeatures: true,
};

/** A larger dilation can only be a mistake. */
const MOST_DILATION = 64;

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isStages = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= 64 && value.every((v) => isWhole(v, 1, MOST_DILATION));

/** The valid values of each option, and their description for messages. */
const VALID: Readonly<Record<keyof NetOptions, readonly [(value: unknown) => boolean, string]>> = {
  strideOn: [(value) => value === '3x3' || value === '1x1', '3x3 or 1x1'],
  maxPool: [isBoolean, 'true or false'],
  batchNormEps: [(value) => isNumber(value) && value > 0, 'a number > 0'],
  activationFunction: [
    (value) => typeof value === 'string' && parseActivation(value) !== undefined,
    'a function such as relu, leaky_relu:0.2 or silu',
  ],
  strides: [isStages, `whole numbers from 1 to ${MOST_DILATION}`],
  dilations: [isStages, `whole numbers from 1 to ${MOST_DILATION}`],
  activatesFeatures: [isBoolean, 'true or false'],
};

/** The facts that weights do not show, and which of them are assumed. */
export interface SaidOptions {
  readonly options: NetOptions;
  /** The keys that neither the caller nor the file states: the usual value is assumed. */
  readonly assumed: readonly (keyof NetOptions)[];
}

/**
 * The options: the caller's, else `architecture` of the metadata, else the usual ones.
 *
 * @throws {ShapeError} for an invalid option of the caller, {FormatError} for invalid metadata
 */
export function netOptionsOf(source: TensorSource, given: Partial<NetOptions> = {}): SaidOptions {
  const said = architectureOf(source);
  const options: Record<string, unknown> = { ...DEFAULTS };
  const assumed: (keyof NetOptions)[] = [];
  for (const [key, [isValid, expected]] of Object.entries(VALID)) {
    const own = given[key as keyof NetOptions];
    const value = own ?? said[key];
    if (value === undefined) {
      // `convert` writes the classes and every unusual option. So with classes, a missing option is the usual one.
      if (said['classes'] === undefined) assumed.push(key as keyof NetOptions);
      continue;
    }
    if (!isValid(value)) {
      const what = `expected ${expected}, got ${JSON.stringify(value)}`;
      if (own !== undefined) throw new ShapeError(`${key}: ${what}`);
      throw new FormatError(`${source.name}: metadata architecture.${key} ${what}`);
    }
    options[key] = value;
  }
  return { options: options as unknown as NetOptions, assumed };
}

/** The metadata `architecture`. Text that is not JSON is the name of an architecture. */
export function architectureOf(source: TensorSource): Record<string, unknown> {
  const text = source.metadata.get('architecture');
  const isName = text !== undefined && /^[\w./-]+$/.test(text);
  return isName ? { name: text } : (metadataObject(source, 'architecture') ?? {});
}

/** What a file states about a layer besides its tensors. Extents are for rows, then columns. */
export interface LayerFacts {
  readonly kernel?: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  /** What a pool computes from a window. */
  readonly pool?: 'max' | 'mean';
  /** For a pool: whether a window that begins inside and ends outside counts. */
  readonly ceilMode?: boolean;
  /** The function of a module that is an activation function. */
  readonly activation?: string;
  readonly eps?: number;
}

const isPair = (value: unknown, least: number): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((v) => isWhole(v, least, 1024));

const VALID_FACTS: Readonly<Record<keyof LayerFacts, (value: unknown) => boolean>> = {
  kernel: (value) => isPair(value, 1),
  stride: (value) => isPair(value, 1),
  padding: (value) => isPair(value, 0),
  dilation: (value) => isPair(value, 1),
  pool: (value) => value === 'max' || value === 'mean',
  ceilMode: isBoolean,
  activation: (value) => typeof value === 'string',
  eps: (value) => isNumber(value) && value >= 0,
};

/** `layers` of the metadata, by the name of the layer. @throws {FormatError} if one is not valid */
export function layerFactsOf(source: TensorSource): ReadonlyMap<string, LayerFacts> {
  const layers = Object.entries(metadataObject(source, 'layers') ?? {});
  for (const [layer, facts] of layers) {
    for (const [key, isValid] of Object.entries(VALID_FACTS)) {
      const value = (facts as Record<string, unknown> | null)?.[key];
      if (value === undefined || isValid(value)) continue;
      const what = `layers.${layer}.${key} is not valid: ${JSON.stringify(value)}`;
      throw new FormatError(`${source.name}: metadata ${what}`);
    }
  }
  return new Map(layers.map(([layer, facts]) => [layer, (facts ?? {}) as LayerFacts]));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return isNumber(value) && Number.isInteger(value) && value >= least && value <= most;
}

/** The function from logits to probabilities. */
export type Activation = 'softmax' | 'sigmoid';

/** `architecture.activation` of the metadata; else a sigmoid for one logit, softmax for several. */
export function activationOf(source: TensorSource, classes: number): Activation {
  const { activation } = architectureOf(source);
  if (activation === 'softmax' || activation === 'sigmoid') return activation;
  if (activation === undefined) return classes === 1 ? 'sigmoid' : 'softmax';
  throw new FormatError(
    `${source.name}: metadata architecture.activation is neither softmax nor sigmoid`,
  );
}

/** The orders of channels for networks with 3 channels and with 1, besides `other`. */
const ORDERS: Readonly<Record<number, readonly string[]>> = { 3: ['rgb', 'bgr'], 1: ['grey'] };

/**
 * The preprocessing of pictures: the caller's, else `preprocessing` of the metadata, else that of ImageNet.
 *
 * @param channels channels of the network's input
 * @param size used in place of ImageNet's
 * @throws {ShapeError} if the caller's is not valid, {FormatError} if the metadata is not valid
 */
export function preprocessingOf(
  source: TensorSource,
  channels: number,
  given: Partial<Preprocessing> = {},
  size: number = IMAGENET_PREPROCESSING.size,
): Preprocessing {
  const said = metadataObject(source, 'preprocessing') ?? {};
  const own = { ...defaultPreprocessing(channels), size, ...said } as Preprocessing;
  if (!isPreprocessing(own, channels)) {
    throw new FormatError(
      `${source.name}: metadata preprocessing is not valid: ${JSON.stringify(said)}`,
    );
  }
  const merged = { ...own, ...given };
  if (!isPreprocessing(merged, channels)) {
    throw new ShapeError(
      `preprocessing: not valid for ${channels} channels: ${JSON.stringify(given)}`,
    );
  }
  const { channels: order, mean, std, interpolation, cropRatio } = merged;
  const crop = cropRatio !== undefined && ('cropRatio' in said || 'cropRatio' in given);
  return {
    size: merged.size,
    channels: order,
    mean,
    std,
    interpolation,
    ...(crop && { cropRatio }),
  };
}

function isPreprocessing(p: Preprocessing, count: number): boolean {
  const { size, channels, mean, std, interpolation, cropRatio = 1 } = p;
  const isEach = (v: unknown): boolean =>
    Array.isArray(v) && v.length === count && v.every((c) => isNumber(c));
  return (
    isWhole(size, 1, 2 ** 20) &&
    (channels === 'other' || ORDERS[count]?.includes(channels) === true) &&
    isEach(mean) &&
    isEach(std) &&
    !std.includes(0) &&
    (interpolation === 'bilinear' || interpolation === 'bicubic') &&
    cropRatio > 0 &&
    cropRatio <= 1
  );
}

/** The names of the classes in index order, if the metadata has them. */
export function labelsOf(source: TensorSource): readonly string[] | undefined {
  const text = source.metadata.get('labels');
  if (text === undefined) return undefined;
  const labels = parseJson(text);
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw new FormatError(`${source.name}: metadata labels is not a JSON array of class names`);
}

/** @throws {FormatError} if the value of the key is not a JSON object */
export function metadataObject(
  source: TensorSource,
  key: string,
): Record<string, unknown> | undefined {
  const text = source.metadata.get(key);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new FormatError(`${source.name}: metadata ${key} is not a JSON object`);
}

/** The value of a JSON text; `undefined` if the text is not JSON (no JSON text has this value). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The precision that weights are stored in: the coarsest of all kernels. */
export function storedPrecision({ tensors }: TensorSource): Precision {
  const own = [...tensors.values()].flatMap(({ shape, dtype }) =>
    shape.length > 1 ? dtypePrecision(dtype) : [],
  );
  return own.includes('int8') ? 'int8' : own.includes('f16') ? 'f16' : 'f32';
}

/** The coarsest precision that keeps every bit of a dtype. */
export function dtypePrecision(dtype: string): Precision {
  if (dtype === SCALED_DTYPE) return 'int8';
  return dtype === 'F16' || dtype === 'BF16' ? 'f16' : 'f32';
}
