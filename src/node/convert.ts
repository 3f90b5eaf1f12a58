/**
 * Weights of any supported format → safetensors that carry their own description: torchvision's names, and
 * metadata with everything else that the network needs.
 *
 *   architecture    JSON: family, what its weights do not show, batchNormEps, activation
 *   preprocessing   JSON: size, channels, mean, std, interpolation
 *   labels          JSON: class names in index order, where they are known
 *   source          JSON: the input file and its SHA-256 (for an index: of it and its shards, in order)
 *   format          pt, which Hugging Face's libraries need
 *
 * Each layer is stored as it is kept in memory at that precision, so loading the file changes nothing.
 * Tensors are read, rounded, compared and written a megabyte at a time. Files are written under temporary
 * names and renamed when all of them are complete.
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
  /** The most bytes of tensors in a file; a larger tensor gets its own file. Default: one file. */
  readonly shardBytes?: number;
  /** Called with the share that is written, from 0 to 1, and the tensor. */
  readonly onProgress?: (done: number, tensor: string) => void;
}

export interface Conversion {
  readonly input: string;
  /** The files written; with shards, the index comes last. */
  readonly files: readonly string[];
  readonly architecture: Architecture;
  readonly precision: Precision;
  readonly weights: number;
  /** Bytes read, and bytes written. */
  readonly sourceBytes: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly layers: readonly LayerLoss[];
  /** What was ignored in the input, and each layer that changes more than usual: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what is assumed: a line. */
  readonly assumption?: string;
}

/** Elements in memory at a time; a whole output channel if that has more. */
const PIECE = 2 ** 18;

/** The extension of converted files. */
const ENDING = '.safetensors';

/** A tensor to write, with its scales if it has any. No vector has groups. */
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
 * @param input as in `openModel`: a safetensors file, an index, a PyTorch checkpoint, `bundled`
 * @param output the file to write, ….safetensors; the names of shards are made from it
 * @throws {FormatError} for an unknown network, a weight that is not finite or outside the precision's range,
 * and a file that cannot be written
 * @throws {ShapeError} for an output with another extension or that would overwrite an input, and for
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

/** The tensors of a network's file. */
function storedTensors(
  source: TensorSource,
  { layers, resting }: PreparedNetwork,
  precision: Precision,
): NamedTensor[] {
  const kept = resting(precision);
  return [...layers].flatMap(([key, layer]) => {
    const own = kept.get(key)!;
    const tensors = tensorsOf(source, layer);
    // The source's own scales.
    const scales = scaleName(tensors[0]![0]);
    return tensors
      .filter(([name]) => name !== scales)
      .map(
        ([name, shape], i): NamedTensor => [
          name,
          // The weight comes first; the other tensors are stored unchanged.
          storedTensor('precision' in own && i === 0 ? own.precision : 'f32', shape),
          isConv(layer) && i === 0 ? layer.extents.groups : undefined,
        ],
      );
  });
}

/** The header entries of a tensor and of its scales. */
function entriesOf([name, { dtype, shape, bytesPerElement, scaled }]: NamedTensor): Entry[] {
  const Cout = shape[0]!;
  const own: Entry = [name, { dtype, shape }, sizeOf(shape) * bytesPerElement];
  return scaled ? [own, [scaleName(name), { dtype: 'F32', shape: [Cout] }, 4 * Cout]] : [own];
}

/** The bytes of a tensor and of its scales, piece by piece; each is valid until the next is requested. */
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
  // One new buffer per piece would leave as much garbage as the model is large, so this one is reused.
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
    // Whole numbers that stay whole numbers are not changed.
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

/** The scales of an integer tensor. */
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

/** Tensors in order; a new shard begins if the next tensor does not fit. */
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
