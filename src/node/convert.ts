/**
 * Weights of any kind that is read → safetensors that explain themselves: torchvision's names, and in the
 * metadata what the network needs beside them.
 *
 *   architecture    JSON: family, what its weights do not show, batchNormEps, activation
 *   preprocessing   JSON: size, channels, mean, std, interpolation
 *   labels          JSON: class names in index order, where they are known
 *   source          JSON: the file that it was, and its SHA-256 (of an index: of it and its shards, in turn)
 *   format          pt, as Hugging Face's libraries ask for
 *
 * Each layer is stored as it rests in memory at that precision: loading the file keeps what it has.
 * Tensors are read, rounded, compared and written a megabyte at a time. Files are written under temporary
 * names and renamed when all of them are whole.
 */

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { FormatError, ShapeError } from '../errors.js';
import type { Precision } from '../kernels/index.js';
import {
  type Architecture,
  decodeFloats,
  inputChannels,
  isConv,
  type PreparedNetwork,
  prepareNetwork,
  preprocessingOf,
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
  tensorsOf,
  usualSize,
} from '../model/index.js';
import { openNetwork, type WeightsOptions } from './model-weights.js';
import type { OpenFile } from './open-file.js';
import { safetensorsHeader } from './safetensors-writer.js';
import { MAX_SHARDS } from './shard-index.js';
import { type StoredTensor, storedTensor } from './stored-tensor.js';
import { type Kernel, type LayerLoss, lossWarnings, WeightLoss } from './weight-loss.js';
import { refuseOverwriting, WrittenFile } from './written-file.js';

export interface ConvertOptions extends WeightsOptions {
  /** Default `f32`. Early layers are stored one step finer, as they are kept in memory. */
  readonly precision?: Precision;
  /** Bytes of tensors in a file, at most; a larger tensor has one for itself. Default: one file. */
  readonly shardBytes?: number;
  /** Told the share that is written, from 0 to 1, and the tensor. */
  readonly onProgress?: (done: number, tensor: string) => void;
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
  /** What was left out of what was read, and each layer that is changed more than is usual: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what it is taken to be: a line. */
  readonly assumption?: string;
}

/** Elements that are in memory at a time, or an output channel's if these are more. */
const PIECE = 2 ** 18;

/** What converted files are called by. */
const ENDING = '.safetensors';

/** A tensor to write; its scales, if it has any, go with it. No vector has groups. */
type NamedTensor = readonly [name: string, stored: StoredTensor, groups: number | undefined];

/** A tensor of a header, and its length in bytes. */
type Entry = readonly [name: string, info: TensorShape, bytes: number];

/** A file to write. */
interface Output {
  readonly path: string;
  readonly tensors: readonly NamedTensor[];
}

/**
 * Converts a model.
 *
 * @param input as `openModel` has it: a safetensors file, an index, a PyTorch checkpoint, `bundled`
 * @param output the file to write, called ….safetensors; with shards the name that theirs are made from
 * @throws {FormatError} for a network that is not known, a weight that is not finite or beyond the precision,
 * and a file that cannot be written
 * @throws {ShapeError} for an output that is called by another ending or would overwrite what is read, and
 * an option out of range
 */
export async function convertModel(
  input: string,
  output: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { precision = 'f32', shardBytes, onProgress = () => {} } = options;
  checkOutput(output);
  const weights = await openNetwork(input, options);
  const files: WrittenFile[] = [];
  try {
    const { labels } = weights;
    const { architecture, source, graph, at } = weights.network;
    if (at) {
      throw new FormatError(
        `${input}: is ONNX, and safetensors cannot store its graph: use the file as it is; explain --precision sets the precision of its weights in memory`,
      );
    }
    const channels = inputChannels(graph);
    const given = options.preprocessing;
    const preprocessing = preprocessingOf(source, channels, given, usualSize(graph));
    const net = prepareNetwork(graph, preprocessing.size);
    const tensors = storedTensors(source, net, precision);
    const outputs =
      shardBytes === undefined
        ? [{ path: output, tensors }]
        : shardsOf(output, splitIntoShards(tensors, shardBytes));
    const indexPaths = shardBytes === undefined ? [] : [`${output}.index.json`];
    const read = [...weights.files.map(({ path }) => path), options.labels ?? []].flat();
    refuseOverwriting('convert', [...outputs.map(({ path }) => path), ...indexPaths], read);

    const sha256 = sha256Of(weights.files);
    const metadata = {
      ...Object.fromEntries(source.metadata),
      format: 'pt',
      architecture: JSON.stringify(architecture),
      preprocessing: JSON.stringify(preprocessing),
      ...(labels !== undefined && { labels: JSON.stringify(labels) }),
      source: JSON.stringify({ file: basename(input), sha256 }),
    };
    const loss = new WeightLoss();
    const total = bytesOf(tensors);
    let written = 0;
    const create = async (path: string): Promise<WrittenFile> => {
      const file = await WrittenFile.create(path);
      files.push(file);
      return file;
    };
    for (const { path, tensors: own } of outputs) {
      const file = await create(path);
      await file.append(safetensorsHeader(own.flatMap(entriesOf), metadata));
      for (const tensor of own) {
        for (const piece of encodedPieces(source, tensor, loss)) {
          await file.append(piece);
          written += piece.length;
          onProgress(written / total, tensor[0]);
        }
      }
    }
    for (const path of indexPaths) await (await create(path)).append(indexOf(outputs, total));
    for (const file of files) await file.close();
    for (const file of files) await file.rename();
    const layers = loss.layers();
    return {
      input,
      files: files.map(({ path }) => path),
      architecture,
      precision,
      weights: tensors.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0),
      sourceBytes: weights.files.reduce((sum, { length }) => sum + length, 0),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      sha256,
      layers,
      warnings: [...weights.warnings, ...lossWarnings(layers, precision)],
      ...(weights.assumption !== undefined && { assumption: weights.assumption }),
    };
  } finally {
    weights.close();
    for (const file of files) await file.discard();
  }
}

function checkOutput(output: string): void {
  if (basename(output).endsWith(ENDING) && basename(output) !== ENDING) return;
  throw new ShapeError(`convert: output expected a name that ends in ${ENDING}, got ${output}`);
}

/** What a network's file holds. */
function storedTensors(
  source: TensorSource,
  { layers, resting }: PreparedNetwork,
  precision: Precision,
): NamedTensor[] {
  const kept = resting(precision);
  return [...layers].flatMap(([key, layer]) => {
    const own = kept.get(key)!;
    const tensors = tensorsOf(source, layer);
    // Scales of the source's are its own.
    const scales = scaleName(tensors[0]![0]);
    return tensors
      .filter(([name]) => name !== scales)
      .map(
        ([name, shape], i): NamedTensor => [
          name,
          // The weight comes first; all else is kept as it is.
          storedTensor('precision' in own && i === 0 ? own.precision : 'f32', shape),
          isConv(layer) && i === 0 ? layer.extents.groups : undefined,
        ],
      );
  });
}

/** What the header says of a tensor and of its scales. */
function entriesOf([name, { dtype, shape, bytesPerElement, scaled }]: NamedTensor): Entry[] {
  const Cout = shape[0]!;
  const own: Entry = [name, { dtype, shape }, sizeOf(shape) * bytesPerElement];
  return scaled ? [own, [scaleName(name), { dtype: 'F32', shape: [Cout] }, 4 * Cout]] : [own];
}

/** The bytes of a tensor and of its scales, piece by piece; each lasts until the next is asked for. */
function* encodedPieces(
  source: TensorSource,
  [name, stored, groups]: NamedTensor,
  loss: WeightLoss,
): Generator<Uint8Array> {
  const kernel: Kernel | undefined = groups === undefined ? undefined : { ...stored, groups };
  const { shape, dtype, bytesPerElement, limit, scaled } = stored;
  const rows = shape[0]!;
  const K = sizeOf(shape) / rows;
  const most = Math.min(rows, Math.ceil(PIECE / K));
  // Filled anew for each piece: what lies around until it is collected would add up to the model.
  const values = new Float32Array(most * K);
  const encoded = new Uint8Array(most * K * bytesPerElement);
  const decoded = new Float32Array(most * K);
  const given = scalesOf(source, name);
  const scales = given?.slice() ?? new Float32Array(rows).fill(1);
  for (let begin = 0; begin < rows; begin += most) {
    const end = Math.min(begin + most, rows);
    const x = values.subarray(0, (end - begin) * K);
    const rounded = decoded.subarray(0, x.length);
    const bytes = encoded.subarray(0, x.length * bytesPerElement);
    source.readInto(x, name, begin * K);
    // Whole numbers that stay whole numbers stay what they are.
    if (!scaled) scaleRows(x, given?.subarray(begin, end));
    const bad = x.findIndex((value) => !(Math.abs(value) < limit));
    if (bad >= 0) {
      const what = `${source.name}: tensor ${name} has ${x[bad]} at element ${begin * K + bad}`;
      throw new FormatError(
        Number.isFinite(x[bad]) ? `${what}, beyond the range of ${dtype}: keep it as f32` : what,
      );
    }
    stored.encode(bytes, x, scales.subarray(begin, end));
    decodeFloats(rounded, bytes, dtype);
    if (scaled) {
      scaleRows(x, given?.subarray(begin, end));
      scaleRows(rounded, scales.subarray(begin, end));
    }
    loss.add(name, x, rounded, kernel, begin);
    yield bytes;
  }
  if (scaled) yield new Uint8Array(scales.buffer);
}

/** The scales of a tensor of whole numbers. */
function scalesOf(source: TensorSource, tensor: string): Float32Array | undefined {
  const name = scaleName(tensor);
  const info = source.tensors.get(name);
  if (!info) return undefined;
  const scales = new Float32Array(sizeOf(info.shape));
  source.readInto(scales, name, 0);
  const bad = scales.findIndex((scale) => !Number.isFinite(scale));
  if (bad < 0) return scales;
  throw new FormatError(`${source.name}: tensor ${name} has ${scales[bad]} at element ${bad}`);
}

/** Multiplies rows, one by each scale. */
function scaleRows(x: Float32Array, scales: Float32Array | undefined): void {
  if (!scales) return;
  const K = x.length / scales.length;
  for (let i = 0; i < x.length; i++) x[i]! *= scales[Math.floor(i / K)]!;
}

/** Tensors in order, a new shard where the next does not fit. */
function splitIntoShards(tensors: readonly NamedTensor[], most: number): NamedTensor[][] {
  if (!(most >= 1)) throw new ShapeError(`convert: shardBytes expected ≥ 1, got ${most}`);
  const shards: NamedTensor[][] = [];
  let left = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf([tensor]);
    if (shards.length === 0 || bytes > left) {
      shards.push([]);
      left = most;
    }
    shards.at(-1)!.push(tensor);
    left -= bytes;
  }
  if (shards.length > MAX_SHARDS) {
    throw new ShapeError(
      `convert: shards of ${most} bytes make ${shards.length} files, at most ${MAX_SHARDS}: use larger shards`,
    );
  }
  return shards;
}

/** model.safetensors → model-00001-of-00003.safetensors, … */
function shardsOf(output: string, shards: readonly (readonly NamedTensor[])[]): Output[] {
  const stem = output.slice(0, -ENDING.length);
  const number = (i: number): string => String(i).padStart(5, '0');
  return shards.map((tensors, i) => ({
    path: `${stem}-${number(i + 1)}-of-${number(shards.length)}${ENDING}`,
    tensors,
  }));
}

/** The index of shards, as Hugging Face writes it. */
function indexOf(outputs: readonly Output[], totalBytes: number): Uint8Array {
  const map = outputs.flatMap(({ path, tensors }) =>
    tensors.flatMap(entriesOf).map(([name]) => [name, basename(path)]),
  );
  const index = { metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(map) };
  return Buffer.from(`${JSON.stringify(index, null, 2)}\n`);
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

function bytesOf(tensors: readonly NamedTensor[]): number {
  return tensors.flatMap(entriesOf).reduce((sum, [, , bytes]) => sum + bytes, 0);
}
