/** Models from files: bundled, in the cache, or one's own; class names; the backend. */

import { type ExplainingNetwork, networkOf } from '../explain.js';
import { type Backend, makeKernels, type Precision } from '../kernels/index.js';
import { type RecognizeOptions, recognizeNetwork } from '../model/index.js';
import { checkArchitecture } from './architectures.js';
import { BUNDLED, BUNDLED_WEIGHTS } from './assets.js';
import { locateRemote } from './cache.js';
import { labelsFor } from './labels.js';
import { openWeights, type WeightsFile } from './weights-file.js';

export interface ModelOptions extends RecognizeOptions {
  /**
   * `bundled` (default): a ResNet-50 of quarter width, 200 classes; a safetensors file, the index of
   * several, or a PyTorch checkpoint; or the name or URL of a model that `fetchModel` has put into the
   * cache.
   */
  readonly model?: string;
  /**
   * A file of class names, as `readLabels` has it, or `imagenet`. Default: what the model's metadata says,
   * the bundled model's own, ImageNet's for models that are published as its, else the class numbers.
   */
  readonly labels?: string;
  /** The name of the architecture that the weights must have; default inferred. */
  readonly architecture?: string;
  readonly backend?: Backend;
  /** How the weights are kept; default as they are stored, the coarsest of the kernels. */
  readonly precision?: Precision;
}

export interface Model {
  /** `bundled`, or as given. */
  readonly name: string;
  /** The backend that computes, never `auto`. */
  readonly backend: string;
  readonly net: ExplainingNetwork;
  /** False where no class names are known and the numbers stand in for them. */
  readonly labelled: boolean;
}

/**
 * Loads a model and its class names.
 *
 * @throws {FormatError} in one line that names the file and the cause
 */
export async function openModel(options: ModelOptions = {}): Promise<Model> {
  const { model: name = BUNDLED, architecture, backend, labels: _, ...network } = options;
  const cached = await locateRemote(name);
  const weights = await openWeights(cached?.path ?? weightsPath(name), name);
  try {
    const { source, graph } = recognizeNetwork(weights.source, options);
    if (architecture !== undefined) checkArchitecture(source, architecture);
    const labels = await labelsFor(source, graph.classes, options);
    const kernels = await makeKernels(backend);
    const net = networkOf(source, {
      ...network,
      kernels,
      ...(labels !== undefined && { labels }),
      ...(cached?.known && { preprocessing: cached.known.preprocessing }),
    });
    return { name, backend: kernels.name, net, labelled: labels !== undefined };
  } finally {
    // Packed, the weights have no use for their file any more.
    weights.close();
  }
}

/** The weights of a model by the name that `ModelOptions.model` has. @throws as `openModel` */
export async function openModelWeights(model: string): Promise<WeightsFile> {
  const cached = await locateRemote(model);
  return openWeights(cached?.path ?? weightsPath(model), model);
}

function weightsPath(model: string): string {
  return model === BUNDLED ? BUNDLED_WEIGHTS : model;
}

let bundled: Promise<Model> | undefined;

/** The bundled model, loaded when first asked for and kept. */
export function bundledModel(): Promise<Model> {
  bundled ??= openModel();
  return bundled;
}
