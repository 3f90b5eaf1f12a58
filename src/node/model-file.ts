/** Models from files: bundled, in the cache, or one's own; class names; the backend. */

import { type ExplainingNetwork, networkOf } from '../explain.js';
import { type Backend, makeKernels, type Precision } from '../kernels/index.js';
import { BUNDLED } from './assets.js';
import { PICTURE_KERNELS } from './drawing/picture-kernels.js';
import { openNetwork, type WeightsOptions } from './model-weights.js';

export interface ModelOptions extends WeightsOptions {
  /**
   * `bundled` (default): a ResNet-50 of quarter width, 200 classes; an ONNX file, a safetensors file, the index
   * of several, or a PyTorch checkpoint; or the name or URL of a model that `fetchModel` has put into the
   * cache.
   */
  readonly model?: string;
  readonly backend?: Backend;
  /** How the weights are kept; default as they are stored, layer by layer. */
  readonly precision?: Precision;
}

export interface Model {
  /** `bundled`, or as given. */
  readonly name: string;
  /** What it was opened with: a thread opens it again. */
  readonly options: ModelOptions;
  /** The backend that computes, never `auto`. */
  readonly backend: string;
  readonly net: ExplainingNetwork;
  /** False where no class names are known and the numbers stand in for them. */
  readonly labelled: boolean;
  /** What was left out of the file, and what is doubtful: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what it is taken to be: a line. */
  readonly assumption?: string;
}

/** Classes of ImageNet, whose names many networks of as many classes want. */
const IMAGENET_CLASSES = 1000;

/**
 * Loads a model and its class names.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option that is not valid
 */
export async function openModel(options: ModelOptions = {}): Promise<Model> {
  const { model: name = BUNDLED, backend, labels: _, ...network } = options;
  const opened = await openNetwork(name, options);
  try {
    const { labels, assumption } = opened;
    const kernels = await makeKernels(backend);
    kernels.pictures = PICTURE_KERNELS;
    const named = labels && { labels };
    const net = networkOf(opened.network, { ...network, kernels, ...named });
    const isUnnamed = !labels && net.labels.length === IMAGENET_CLASSES;
    const hint = 'no class names: if the 1000 classes are ImageNet’s, say --labels imagenet';
    const warnings = [...opened.warnings, ...(isUnnamed ? [hint] : [])];
    return {
      name,
      options,
      backend: kernels.name,
      net,
      labelled: labels !== undefined,
      warnings,
      ...(assumption !== undefined && { assumption }),
    };
  } finally {
    // Packed, the weights have no use for their file any more.
    opened.close();
  }
}

let bundled: Promise<Model> | undefined;

/** The bundled model, loaded when first asked for and kept. */
export function bundledModel(): Promise<Model> {
  bundled ??= openModel();
  return bundled;
}
