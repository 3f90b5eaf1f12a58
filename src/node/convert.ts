/**
 * Weights of any kind that is read → safetensors that explain themselves: torchvision's names, and in the
 * metadata what the network needs beside them.
 *
 *   architecture    JSON: block, depths, width, …, strideOn, batchNormEps
 *   preprocessing   JSON: size, channels, mean, std, interpolation
 *   labels          JSON: class names in index order, where they are known
 *   source          JSON: the file that it was, and its SHA-256 (of an index: of it and its shards, in turn)
 *   format          pt, as Hugging Face's libraries ask for
 *
 * Tensors are read, rounded, compared and written a megabyte at a time. Files are written under temporary
 * names and renamed when all of them are whole.
 */

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FormatError, ShapeError } from '../errors.js';
import {
  type Architecture,
  architectureOf,
  asTorchvision,
  batchNormEpsOf,
  checkTensors,
  decodeFloats,
  layersOf,
  MAX_SHARDS,
  type Precision,
  preprocessingOf,
  type StoredTensor,
  safetensorsHeader,
  sizeOf,
  storedTensor,
  type TensorSource,
} from '../model/index.js';
import { systemReason } from './file-bytes.js';
import { labelsFor, openModelWeights } from './model-file.js';
import type { OpenFile } from './open-file.js';

export interface ConvertOptions {
  /** Default `f32`. */
  readonly precision?: Precision;
  /** Bytes of tensors in a file, at most; a larger tensor has one for itself. Default: one file. */
  readonly shardBytes?: number;
  /** A file of class names. Default: as `openModel` has it. */
  readonly labels?: string;
  readonly architecture?: string;
  readonly strideOn?: Architecture['strideOn'];
  /** Told the share that is written, from 0 to 1, and the tensor. */
  readonly onProgress?: (done: number, tensor: string) => void;
}

/** What rounding did to a layer: a convolution, a batch norm or the classifier. */
export interface LayerLoss {
  readonly layer: string;
  readonly weights: number;
  /** Magnitude of the largest weight. */
  readonly largest: number;
  /** Against float32, which the network computes with. */
  readonly largestError: number;
  readonly meanError: number;
}

export interface Conversion {
  readonly input: string;
  /** The files written; of shards the index comes last. */
  readonly files: readonly string[];
  readonly architecture: Architecture;
  readonly precision: Precision;
  readonly weights: number;
  /** Of what was read, and of what was written. */
  readonly sourceBytes: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly layers: readonly LayerLoss[];
}

/** Elements that are in memory at a time. */
const PIECE = 2 ** 18;

type NamedTensor = readonly [name: string, stored: StoredTensor];

/**
 * Converts a model.
 *
 * @param input as `openModel` has it: a safetensors file, an index, a PyTorch checkpoint, `bundled`
 * @param output the file to write; with shards the name that theirs are made from
 * @throws {FormatError} for what is no ResNet, has a weight that is not finite or beyond the precision, and
 * for a file that cannot be written
 * @throws {ShapeError} for an output that would overwrite what is read, and an option out of range
 */
export async function convertModel(
  input: string,
  output: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { precision = 'f32', shardBytes, onProgress = () => {} } = options;
  const weights = await openModelWeights(input);
  const files: WrittenFile[] = [];
  try {
    const source = asTorchvision(weights.source);
    const architecture = architectureOf(source, options);
    const tensors = checkTensors(source, layersOf(architecture)).map(
      ([name, shape]): NamedTensor => [name, storedTensor(precision, shape)],
    );
    const labels = await labelsFor(source, { model: input, ...options });
    const sha256 = sha256Of(weights.files);
    const metadata = {
      ...Object.fromEntries(source.metadata),
      format: 'pt',
      architecture: JSON.stringify({ ...architecture, batchNormEps: batchNormEpsOf(source) }),
      preprocessing: JSON.stringify(preprocessingOf(source)),
      ...(labels !== undefined && { labels: JSON.stringify(labels) }),
      source: JSON.stringify({ file: basename(input), sha256 }),
    };

    const shards = shardBytes === undefined ? [tensors] : splitIntoShards(tensors, shardBytes);
    const paths = shardBytes === undefined ? [output] : shardPaths(output, shards.length);
    const index = shardBytes === undefined ? [] : [`${output}.index.json`];
    const read = [...weights.files.map(({ path }) => path), options.labels ?? []].flat();
    refuseOverwriting([...paths, ...index], read);

    const losses = new Losses();
    const total = tensors.reduce((sum, [, stored]) => sum + bytesOf(stored), 0);
    let written = 0;
    for (const [i, shard] of shards.entries()) {
      const file = await WrittenFile.create(paths[i]!);
      files.push(file);
      const entries = shard.map(([name, stored]) => [name, stored, bytesOf(stored)] as const);
      await file.append(safetensorsHeader(entries, metadata));
      for (const [name, stored] of shard) {
        for (const piece of encodedPieces(source, name, stored, losses)) {
          await file.append(piece);
          written += piece.length;
          onProgress(written / total, name);
        }
      }
    }
    for (const path of index) {
      const file = await WrittenFile.create(path);
      files.push(file);
      await file.append(Buffer.from(indexOf(shards, paths, total)));
    }
    for (const file of files) await file.close();
    for (const file of files) await file.rename();
    return {
      input,
      files: files.map(({ path }) => path),
      architecture,
      precision,
      weights: tensors.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0),
      sourceBytes: weights.files.reduce((sum, { length }) => sum + length, 0),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      sha256,
      layers: losses.layers(),
    };
  } finally {
    weights.close();
    for (const file of files) await file.discard();
  }
}

/** The bytes of a tensor, piece by piece; each lasts until the next is asked for. */
function* encodedPieces(
  source: TensorSource,
  name: string,
  stored: StoredTensor,
  losses: Losses,
): Generator<Uint8Array> {
  const { shape, dtype, bytesPerElement, limit } = stored;
  const size = sizeOf(shape);
  for (let begin = 0; begin < size; begin += PIECE) {
    const x = new Float32Array(Math.min(PIECE, size - begin));
    source.readInto(x, name, begin);
    const bad = x.findIndex((value) => !(Math.abs(value) < limit));
    if (bad >= 0) {
      const what = `${source.name}: tensor ${name} has ${x[bad]} at element ${begin + bad}`;
      throw new FormatError(
        Number.isFinite(x[bad]) ? `${what}, beyond the range of ${dtype}: keep it as f32` : what,
      );
    }
    const bytes = new Uint8Array(x.length * bytesPerElement);
    stored.encode(bytes, x);
    const rounded = new Float32Array(x.length);
    decodeFloats(rounded, bytes, dtype);
    losses.add(name, x, rounded);
    yield bytes;
  }
}

/** Errors by layer: a tensor's name without its last part. */
class Losses {
  readonly #layers = new Map<
    string,
    { weights: number; largest: number; worst: number; sum: number }
  >();

  add(tensor: string, x: Float32Array, rounded: Float32Array): void {
    const layer = tensor.slice(0, tensor.lastIndexOf('.'));
    let { weights, largest, worst, sum } = this.#layers.get(layer) ?? {
      weights: 0,
      largest: 0,
      worst: 0,
      sum: 0,
    };
    for (let i = 0; i < x.length; i++) {
      const error = Math.abs(rounded[i]! - x[i]!);
      largest = Math.max(largest, Math.abs(x[i]!));
      worst = Math.max(worst, error);
      sum += error;
    }
    weights += x.length;
    this.#layers.set(layer, { weights, largest, worst, sum });
  }

  layers(): LayerLoss[] {
    return [...this.#layers].map(([layer, { weights, largest, worst, sum }]) => ({
      layer,
      weights,
      largest,
      largestError: worst,
      meanError: sum / weights,
    }));
  }
}

/** A file under a temporary name beside its own, until it is renamed. */
class WrittenFile {
  readonly path: string;
  bytes = 0;
  readonly #temporary: string;
  #handle: FileHandle | undefined;
  #isThere = true;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(path: string): Promise<WrittenFile> {
    const temporary = `${path}.${process.pid}.part`;
    const handle = await written(path, () => open(temporary, 'wx'));
    return new WrittenFile(path, temporary, handle);
  }

  async append(bytes: Uint8Array): Promise<void> {
    await written(this.path, () => this.#handle!.appendFile(bytes));
    this.bytes += bytes.length;
  }

  async close(): Promise<void> {
    await written(this.path, () => this.#handle!.sync());
    await this.#handle!.close();
    this.#handle = undefined;
  }

  async rename(): Promise<void> {
    await written(this.path, () => rename(this.#temporary, this.path));
    this.#isThere = false;
  }

  /** Removes what has not been renamed. */
  async discard(): Promise<void> {
    await this.#handle?.close();
    if (this.#isThere) await rm(this.#temporary, { force: true });
  }
}

async function written<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'its folder does not exist' : systemReason(error);
    throw new FormatError(`${path}: cannot be written: ${reason}`, { cause: error });
  }
}

/** Tensors in order, a new shard where the next does not fit. */
function splitIntoShards(tensors: readonly NamedTensor[], most: number): NamedTensor[][] {
  if (!(most >= 1)) throw new ShapeError(`convert: shardBytes expected ≥ 1, got ${most}`);
  const shards: NamedTensor[][] = [];
  let left = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor[1]);
    if (shards.length === 0 || bytes > left) {
      shards.push([]);
      left = most;
    }
    shards.at(-1)!.push(tensor);
    left -= bytes;
  }
  if (shards.length > MAX_SHARDS) {
    throw new ShapeError(
      `convert: shards of ${most} bytes are ${shards.length}, at most ${MAX_SHARDS}: make them larger`,
    );
  }
  return shards;
}

/** model.safetensors → model-00001-of-00003.safetensors, … */
function shardPaths(output: string, count: number): string[] {
  const ending = '.safetensors';
  if (!basename(output).endsWith(ending) || basename(output) === ending) {
    throw new ShapeError(`convert: shards expected an output called ….safetensors, got ${output}`);
  }
  const stem = basename(output).slice(0, -ending.length);
  const number = (i: number): string => String(i).padStart(5, '0');
  return Array.from({ length: count }, (_, i) =>
    join(dirname(output), `${stem}-${number(i + 1)}-of-${number(count)}${ending}`),
  );
}

function indexOf(
  shards: readonly (readonly NamedTensor[])[],
  paths: readonly string[],
  totalBytes: number,
): string {
  const map = shards.flatMap((shard, i) => shard.map(([name]) => [name, basename(paths[i]!)]));
  const index = {
    metadata: { total_size: totalBytes },
    weight_map: Object.fromEntries(map),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** Nothing that is read may be written over, under whatever name it goes. */
function refuseOverwriting(outputs: readonly string[], inputs: readonly string[]): void {
  const taken = new Set(inputs.flatMap(identities));
  for (const output of outputs) {
    if (identities(output).some((identity) => taken.has(identity))) {
      throw new ShapeError(`convert: ${output} would overwrite what is read: name another file`);
    }
  }
}

/** The path, and what the file system knows the file by: links have the same. */
function identities(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [resolve(path)] : [resolve(path), `${found.dev} ${found.ino}`];
}

function sha256Of(files: readonly OpenFile[]): string {
  const hash = createHash('sha256');
  for (const { length, read } of files) {
    for (let begin = 0; begin < length; begin += PIECE) {
      hash.update(read(begin, Math.min(begin + PIECE, length)));
    }
  }
  return hash.digest('hex');
}

function bytesOf({ shape, bytesPerElement }: StoredTensor): number {
  return sizeOf(shape) * bytesPerElement;
}
