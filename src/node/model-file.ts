/** Models from files: the bundled one, one in the cache, or the user's own; class names; the backend. */

import { type ExplainingNetwork, networkOf } from '../explain.js';
import type { Backend, Kernels, Precision } from '../kernels/index.js';
import { makeKernels } from '../threads.js';
import { BUNDLED } from './assets.js';
import { PICTURE_KERNELS } from './drawing/picture-kernels.js';
import { type OpenedModel, openNetwork, type WeightsOptions } from './model-weights.js';

export interface ModelOptions extends WeightsOptions {
  /**
   * `bundled` (default): a ResNet-50 of quarter width, 200 classes; an ONNX file, a safetensors file, the index
   * of several, or a PyTorch checkpoint; or the name or URL of a model that `fetchModel` has put into the
   * cache.
   */
  readonly model?: string;
  readonly backend?: Backend;
  /** How many threads work on each step of the network; default 1. */
  readonly threads?: number;
  /** Precision of the weights in memory; default as stored, layer by layer. */
  readonly precision?: Precision;
}

export interface Model {
  /** `bundled`, or as given. */
  readonly name: string;
  /** The options it was opened with: a thread opens it again. */
  readonly options: ModelOptions;
  /** The backend that computes, never `auto`. */
  readonly backend: string;
  readonly net: ExplainingNetwork;
  /** False if no class names are known; then their numbers are used. */
  readonly labelled: boolean;
  /** What was ignored in the file, and what is doubtful: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what is assumed: a line. */
  readonly assumption?: string;
}

/** The number of classes of ImageNet, whose names fit many networks of this size. */
const IMAGENET_CLASSES = 1000;

/**
 * Loads a model and its class names.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option that is not valid
 */
export async function openModel(options: ModelOptions = {}): Promise<Model> {
  const { model: name = BUNDLED, backend = 'auto', threads = 1 } = options;
  // Threads start while the file is read.
  const starting = makeKernels({ backend, threads });
  starting.catch(() => {});
  try {
    const opened = await openNetwork(name, options);
    try {
      return await modelOf(name, opened, await starting, options);
    } finally {
      // Packed, the weights have no use for their file any more.
      opened.close();
    }
  } catch (error) {
    starting.then(
      (kernels) => kernels.dispose(),
      () => {},
    );
    throw error;
  }
}

async function modelOf(
  name: string,
  opened: OpenedModel,
  kernels: Kernels,
  options: ModelOptions,
): Promise<Model> {
  const { labels, assumption } = opened;
  const { labels: _, ...network } = options;
  kernels.pictures = PICTURE_KERNELS;
  const named = labels && { labels };
  const net = await withClassMaps(networkOf(opened.network, { ...network, kernels, ...named }));
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
}

/** Class maps of a classifier that is not linear need gradients. Few networks do, so these are loaded on demand. */
export async function withClassMaps(net: ExplainingNetwork): Promise<ExplainingNetwork> {
  if (net.hasLinearHead || net.labels.length === 0) return net;
  const { withGradients } = await import('../gradients.js');
  return withGradients(net);
}

let bundled: Promise<Model> | undefined;

/** The bundled model, loaded when first asked for and kept. */
export function bundledModel(): Promise<Model> {
  bundled ??= openModel();
  return bundled;
}
