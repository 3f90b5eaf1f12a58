/** Models from files: bundled, in the cache, or one's own; class names; the backend. */

import { fileURLToPath } from 'node:url';
import { FormatError } from '../errors.js';
import { type ExplainingNetwork, networkOf } from '../explain.js';
import { type Backend, makeKernels, type Precision } from '../kernels/index.js';
import {
  labelsOf,
  type RecognizeOptions,
  recognizeNetwork,
  type TensorSource,
} from '../model/index.js';
import { checkArchitecture } from './architectures.js';
import { locateRemote } from './cache.js';
import { readFileBytes } from './file-bytes.js';
import { openWeights, type WeightsFile } from './weights-file.js';

export interface ModelOptions extends RecognizeOptions {
  /**
   * `bundled` (default): a ResNet-50 of quarter width, 200 classes; a safetensors file, the index of
   * several, or a PyTorch checkpoint; or the name or URL of a model that `fetchModel` has put into the
   * cache.
   */
  readonly model?: string;
  /**
   * A file of class names: a JSON array, or one a line. Default: what the model's metadata says, the
   * bundled model's own, ImageNet's for any other of 1000 classes, else the class numbers.
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

const BUNDLED = 'bundled';
/** The file of the bundled weights. */
export const BUNDLED_WEIGHTS: string = asset('tiny-resnet50.safetensors');
const BUNDLED_LABELS = asset('tiny-resnet50-labels.json');
const IMAGENET_LABELS = asset('imagenet-1k-labels.json');
const IMAGENET_CLASSES = 1000;

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

/** Class names in index order: a JSON array of strings, or one a line. */
export async function readLabels(path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readFileBytes(path, 'a labels'));
  if (!/^\s*[[{]/.test(text)) return text.trim().split(/\s*\r?\n\s*/);
  let labels: unknown;
  try {
    labels = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not valid JSON`, { cause: error });
  }
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) {
    throw new FormatError(`${path}: expected a JSON array of class names`);
  }
  return labels;
}

/**
 * The class names of a model, where any are known: those that are given, its own, the package's.
 *
 * @throws {FormatError} when there are more or fewer than classes
 */
export async function labelsFor(
  source: TensorSource,
  classes: number,
  { model = BUNDLED, labels: path }: Pick<ModelOptions, 'model' | 'labels'>,
): Promise<readonly string[] | undefined> {
  const own = path === undefined ? labelsOf(source) : undefined;
  const labelsPath = path ?? defaultLabels(model, classes);
  const labels = own ?? (labelsPath === undefined ? undefined : await readLabels(labelsPath));
  if (labels !== undefined && labels.length !== classes) {
    throw new FormatError(
      `${path ?? model}: ${labels.length} class names for a model of ${classes} classes`,
    );
  }
  return labels;
}

function defaultLabels(model: string, classes: number): string | undefined {
  if (model === BUNDLED) return BUNDLED_LABELS;
  return classes === IMAGENET_CLASSES ? IMAGENET_LABELS : undefined;
}

/** A file of the package's own, from `src` and from `dist` alike. */
function asset(name: string): string {
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}
