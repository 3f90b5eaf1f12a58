/**
 * What weights say of themselves beside their tensors: `architecture`, `preprocessing` and `labels`,
 * JSON text under those keys of a file's metadata. Names and shapes tell the rest.
 */

import { FormatError, inFile } from '../../errors.js';
import { IMAGENET_PREPROCESSING, type Preprocessing } from '../../image/preprocess.js';
import { type Architecture, inferArchitecture, namedArchitecture } from '../architecture.js';
import type { TensorSource } from './tensor-source.js';

/** PyTorch's default, which every torchvision and timm ResNet keeps. */
const BATCH_NORM_EPS = 1e-5;

/**
 * The architecture that the weights have.
 *
 * @param options.strideOn leaves no trace in the weights: default what the metadata says, else `3x3`
 * @param options.architecture a name of the table, that the weights must fit
 * @throws {FormatError} naming the tensor or the metadata that does not fit
 */
export function architectureOf(
  source: TensorSource,
  options: { readonly architecture?: string; readonly strideOn?: Architecture['strideOn'] } = {},
): Architecture {
  const said = metadataObject(source, 'architecture')?.['strideOn'];
  if (said !== undefined && said !== '3x3' && said !== '1x1') {
    throw new FormatError(`${source.name}: metadata architecture.strideOn is neither 3x3 nor 1x1`);
  }
  const strideOn = options.strideOn ?? said ?? '3x3';
  const inferred = inFile(source.name, () => inferArchitecture(source.tensors, strideOn));
  if (options.architecture !== undefined) {
    const { depths, ...expected } = namedArchitecture(options.architecture);
    if (`${depths}` !== `${inferred.depths}`) {
      throw new FormatError(
        `${source.name}: ${options.architecture} has depths ${depths}, the weights have ${inferred.depths}`,
      );
    }
    for (const key of ['block', 'width', 'widthPerGroup', 'groups'] as const) {
      if (expected[key] !== inferred[key]) {
        throw new FormatError(
          `${source.name}: ${options.architecture} has ${key} ${expected[key]}, the weights have ${inferred[key]}`,
        );
      }
    }
  }
  return inferred;
}

/** What is added to a variance: `architecture.batchNormEps` of the metadata, else PyTorch's default. */
export function batchNormEpsOf(source: TensorSource): number {
  const said = metadataObject(source, 'architecture')?.['batchNormEps'] ?? BATCH_NORM_EPS;
  if (typeof said === 'number' && said > 0 && Number.isFinite(said)) return said;
  throw new FormatError(
    `${source.name}: metadata architecture.batchNormEps expected a number > 0, got ${JSON.stringify(said)}`,
  );
}

/** What pictures go through; what the metadata leaves open is as for ImageNet. */
export function preprocessingOf(source: TensorSource): Preprocessing {
  const said = metadataObject(source, 'preprocessing');
  if (!said) return IMAGENET_PREPROCESSING;
  const merged = { ...IMAGENET_PREPROCESSING, ...said } as Preprocessing;
  const triple = (v: unknown): boolean =>
    Array.isArray(v) && v.length === 3 && v.every((c) => Number.isFinite(c));
  const { size, channels, mean, std, interpolation, cropRatio = 1 } = merged;
  if (
    !(Number.isInteger(size) && size >= 1) ||
    !(channels === 'rgb' || channels === 'bgr') ||
    !triple(mean) ||
    !triple(std) ||
    std.includes(0) ||
    !(interpolation === 'bilinear' || interpolation === 'bicubic') ||
    !(cropRatio > 0 && cropRatio <= 1)
  ) {
    throw new FormatError(
      `${source.name}: metadata preprocessing is not valid: ${JSON.stringify(said)}`,
    );
  }
  return {
    size,
    channels,
    mean,
    std,
    interpolation,
    ...('cropRatio' in said && { cropRatio }),
  };
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
