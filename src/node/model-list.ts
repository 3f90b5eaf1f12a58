/** What there is to load, and what of it fits in a memory. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, makeKernels, PRECISIONS, type Precision } from '../kernels/index.js';
import {
  type Preprocessing,
  packedBytes,
  parseSafetensors,
  prepareNetwork,
  recognizeNetwork,
  type TensorSource,
} from '../model/index.js';
import { ARCHITECTURES, namedArchitecture, parameterCount } from './architectures.js';
import { bundledWeights } from './assets.js';
import { cacheFolder } from './cache.js';
import { readFileBytes } from './file-bytes.js';
import { KNOWN_MODELS, type KnownModel } from './known-models.js';
import { largestInput, type Memory, memoryOf } from './memory.js';
import { noiseWeights } from './noise-model.js';

export interface ListedModel extends Pick<KnownModel, 'name' | 'alias'> {
  /** A key of ARCHITECTURES; in words for the bundled one. */
  readonly architecture: string;
  /** Where it comes from; none for the bundled one. */
  readonly url?: string;
  readonly licence: KnownModel['licence'] | 'MIT';
  /** What it was trained behind; the bundled file says so itself. */
  readonly preprocessing?: Preprocessing;
  /** Of the file: what it has where it is there, else what its floats take. */
  readonly bytes: number;
  /** The file, where it is there. */
  readonly path?: string;
}

/** A file in the cache that was fetched by a URL of the caller's. */
export interface CachedFile {
  readonly path: string;
  readonly bytes: number;
}

export interface ModelList {
  readonly cache: string;
  /** The bundled model and those that are known by name. */
  readonly models: readonly ListedModel[];
  readonly files: readonly CachedFile[];
}

/** What can be loaded by name, and what else is in the cache. Does not use the network. */
export async function listModels(): Promise<ModelList> {
  const cache = cacheFolder();
  const found = new Map<string, CachedFile>();
  for (const file of await readdir(cache).catch(() => [])) {
    if (/\.(part|part\.json|lock)$/.test(file)) continue;
    const path = join(cache, file);
    const about = await stat(path).catch(() => undefined);
    if (about?.isFile()) found.set(file, { path, bytes: about.size });
  }
  const known = KNOWN_MODELS.map(({ file, sha256Prefix: _, ...model }) => {
    const bytes = 4 * parameterCount(namedArchitecture(model.architecture));
    return { ...model, bytes, ...found.get(file) };
  });
  const own = new Set(KNOWN_MODELS.map(({ file }) => file));
  const files = [...found].filter(([file]) => !own.has(file)).map(([, cached]) => cached);
  return { cache, models: [await bundled(), ...known], files };
}

async function bundled(): Promise<ListedModel> {
  const path = bundledWeights();
  const { size } = await stat(path);
  return {
    name: 'bundled',
    architecture: 'resnet50 of a quarter width',
    licence: 'MIT',
    bytes: size,
    path,
  };
}

/** One network, its weights stored one way. */
export interface NetworkFit {
  /** `bundled` or a name of ARCHITECTURES. */
  readonly network: string;
  readonly precision: Precision;
  readonly weightBytes: number;
  /** The side of the largest square input that fits, 0 for none. */
  readonly largest: number;
  readonly inputs: readonly (Memory & { readonly size: number; readonly fits: boolean })[];
}

export interface MemoryFit {
  readonly budgetBytes: number;
  /** The backend whose layouts are counted, never `auto`. */
  readonly backend: string;
  readonly networks: readonly NetworkFit[];
}

/** Side of the input that scales are found at. */
const IMAGENET_SIZE = 224;

/** What each network takes with square inputs of some sizes, beside a budget. */
export async function fitNetworks(
  budgetBytes: number,
  sizes: readonly number[],
  backend?: Backend,
): Promise<MemoryFit> {
  const kernels = await makeKernels(backend);
  const weights = await readFileBytes(bundledWeights(), 'a model');
  const all: [string, TensorSource][] = [
    ['bundled', parseSafetensors(weights, 'bundled')],
    ...Object.entries(ARCHITECTURES).map(([name, dict]): [string, TensorSource] => [
      name,
      noiseWeights(dict()),
    ]),
  ];
  const networks = all.flatMap(([network, source]) => {
    const net = prepareNetwork(recognizeNetwork(source).graph, IMAGENET_SIZE);
    return PRECISIONS.map((precision) => ({
      network,
      precision,
      weightBytes: packedBytes(kernels, net.resting(precision)),
      largest: largestInput(kernels, net, budgetBytes, precision),
      inputs: sizes.map((size) => {
        const memory = memoryOf(kernels, net, [1, size, size], precision);
        return { size, ...memory, fits: memory.totalBytes <= budgetBytes };
      }),
    }));
  });
  return { budgetBytes, backend: kernels.name, networks };
}
