/**
 * What weights say of themselves beside their tensors: `architecture`, `preprocessing` and `labels`,
 * JSON text under those keys of a file's metadata. Names and shapes tell the rest.
 */

import { FormatError } from '../../errors.js';
import { defaultPreprocessing, type Preprocessing } from '../../image/index.js';
import type { Precision } from '../../kernels/index.js';
import { SCALED_DTYPE } from './dtype.js';
import type { TensorSource } from './tensor-source.js';

/** PyTorch's default, which every torchvision and timm ResNet keeps. */
const BATCH_NORM_EPS = 1e-5;

/** What weights do not show. */
export interface NetOptions {
  /** Where a ResNet's bottlenecks stride: `3x3` is "v1.5" (torchvision, timm), `1x1` the paper's v1 (Keras). */
  readonly strideOn: '3x3' | '1x1';
  /** Whether a max pool follows a ResNet's 3×3 stem. */
  readonly maxPool: boolean;
}

/**
 * What weights do not show: `architecture.strideOn` and `architecture.maxPool` of the metadata, else
 * torchvision's, and no pool.
 */
export function netOptionsOf(source: TensorSource): NetOptions {
  const { strideOn = '3x3', maxPool = false } = metadataObject(source, 'architecture') ?? {};
  if (strideOn !== '3x3' && strideOn !== '1x1') {
    throw new FormatError(`${source.name}: metadata architecture.strideOn is neither 3x3 nor 1x1`);
  }
  if (typeof maxPool !== 'boolean') {
    throw new FormatError(
      `${source.name}: metadata architecture.maxPool is neither true nor false`,
    );
  }
  return { strideOn, maxPool };
}

/** What makes probabilities of logits. */
export type Activation = 'softmax' | 'sigmoid';

/** `architecture.activation` of the metadata; else a sigmoid for one logit, softmax for several. */
export function activationOf(source: TensorSource, classes: number): Activation {
  const { activation } = metadataObject(source, 'architecture') ?? {};
  if (activation === 'softmax' || activation === 'sigmoid') return activation;
  if (activation === undefined) return classes === 1 ? 'sigmoid' : 'softmax';
  throw new FormatError(
    `${source.name}: metadata architecture.activation is neither softmax nor sigmoid`,
  );
}

/** What is added to a variance: `architecture.batchNormEps` of the metadata, else PyTorch's default. */
export function batchNormEpsOf(source: TensorSource): number {
  const said = metadataObject(source, 'architecture')?.['batchNormEps'] ?? BATCH_NORM_EPS;
  if (typeof said === 'number' && said > 0 && Number.isFinite(said)) return said;
  throw new FormatError(
    `${source.name}: metadata architecture.batchNormEps expected a number > 0, got ${JSON.stringify(said)}`,
  );
}

/** The orders of channels that networks of 3, of 1 and of other numbers may have. */
const ORDERS: Readonly<Record<number, readonly string[]>> = {
  3: ['rgb', 'bgr', 'other'],
  1: ['grey', 'other'],
  0: ['other'],
};

/**
 * What pictures go through; what the metadata leaves open is as for ImageNet.
 *
 * @param channels of the network's input
 */
export function preprocessingOf(source: TensorSource, channels: number): Preprocessing {
  const said = metadataObject(source, 'preprocessing');
  const usual = defaultPreprocessing(channels);
  if (!said) return usual;
  const merged = { ...usual, ...said } as Preprocessing;
  const isEach = (v: unknown): boolean =>
    Array.isArray(v) && v.length === channels && v.every((c) => Number.isFinite(c));
  const { size, channels: order, mean, std, interpolation, cropRatio = 1 } = merged;
  if (
    !(Number.isInteger(size) && size >= 1) ||
    !ORDERS[channels === 3 || channels === 1 ? channels : 0]!.includes(order) ||
    !isEach(mean) ||
    !isEach(std) ||
    std.includes(0) ||
    !(interpolation === 'bilinear' || interpolation === 'bicubic') ||
    !(cropRatio > 0 && cropRatio <= 1)
  ) {
    throw new FormatError(
      `${source.name}: metadata preprocessing is not valid: ${JSON.stringify(said)}`,
    );
  }
  const crop = 'cropRatio' in said && { cropRatio };
  return { size, channels: order, mean, std, interpolation, ...crop };
}

/** The names of the classes in index order, where the metadata has them. */
export function labelsOf(source: TensorSource): readonly string[] | undefined {
  const text = source.metadata.get('labels');
  if (text === undefined) return undefined;
  const labels = parseJson(text);
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  throw new FormatError(`${source.name}: metadata labels is not a JSON array of class names`);
}

/** @throws {FormatError} when there is something under the key that is not a JSON object */
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

/** `undefined`, which JSON has no text for, where the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The precision that weights are stored in: the coarsest that a kernel has. */
export function storedPrecision({ tensors }: TensorSource): Precision {
  const dtypes = [...tensors.values()].flatMap(({ shape, dtype }) =>
    shape.length > 1 ? dtype : [],
  );
  if (dtypes.includes(SCALED_DTYPE)) return 'int8';
  return dtypes.includes('F16') || dtypes.includes('BF16') ? 'f16' : 'f32';
}
