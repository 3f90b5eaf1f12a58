/**
 * Weights from a stream of safetensors. The whole file is never in memory. The header comes first: from it the
 * network is recognized and checked, and its memory is reserved. A layer is packed as soon as its tensors are
 * there; then their bytes are free for the next layer.
 *
 * Most files have the tensors of a layer near each other, in the order of the forward pass or of their names. Some
 * have all vectors before all kernels. In these orders only one kernel and the vectors before it are held. A file
 * with batch norms after all kernels is loaded, too, but the kernels are held until then.
 */

import { FormatError } from '../errors.js';
import type { ByteSource } from './formats/byte-source.js';
import { type ByteStream, StreamBytes } from './formats/byte-stream.js';
import {
  firstBytes,
  headerLength,
  MAX_HEADER_BYTES,
  PREFIX_BYTES,
  parseHeader,
  type SafetensorsHeader,
  safetensorsFile,
  type TensorInfo,
} from './formats/safetensors.js';
import { recognizeNetwork } from './nets/index.js';
import { Network, type NetworkOptions } from './network.js';

export interface ProgressOptions {
  /** Called after each chunk with the number of bytes received, once the file's length is known. */
  readonly onProgress?: (bytes: number, totalBytes: number) => void;
}

/** A ResNet's header has about ten kilobytes; with class names about a hundred. */
const MAX_STREAM_HEADER_BYTES = 2 ** 24;

/** The end of a 32-bit memory. */
const MAX_FILE_BYTES = 2 ** 32;

/**
 * Packs the weights of a network while they arrive.
 *
 * @param name name of the file in messages
 * @throws {FormatError} as `Network`, and for a stream that fails, ends early, is longer than its file or gives
 * something other than bytes. After any error the stream is cancelled and all memory is released
 * @throws {ShapeError} as `Network`, before any tensor is read
 */
export async function streamWeights(
  stream: ByteStream,
  name: string,
  options: NetworkOptions & ProgressOptions,
): Promise<Network> {
  const { onProgress } = options;
  const bytes: StreamBytes = new StreamBytes(stream, name, (received) => {
    if (bytes.length !== undefined) onProgress?.(received, bytes.length);
  });
  let net: Network | undefined;
  try {
    const header = await readHeader(bytes, name);
    const held = new HeldPieces(bytes.length!, name);
    const recognized = recognizeNetwork(safetensorsFile(held, name, header), options);
    net = new Network(recognized, options);
    await packLayers(bytes, held, recognized.source.tensors, net);
    await bytes.end();
    return net;
  } catch (error) {
    net?.dispose();
    bytes.cancel(error);
    throw error;
  }
}

async function readHeader(bytes: StreamBytes, name: string): Promise<SafetensorsHeader> {
  const prefix = new Uint8Array(PREFIX_BYTES);
  await bytes.fill(prefix);
  const length = headerLength(prefix);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(`${name}: not a safetensors file: it ${firstBytes(prefix)}`);
  }
  if (length > MAX_STREAM_HEADER_BYTES) {
    throw new FormatError(
      `${name}: header length ${length} at byte 0, at most ${MAX_STREAM_HEADER_BYTES} are read from a stream`,
    );
  }
  const text = new Uint8Array(length);
  await bytes.fill(text);
  const header = parseHeader(text, name, MAX_FILE_BYTES);
  const ends = [...header.tensors.values()].map(({ end }) => end);
  bytes.length = Math.max(PREFIX_BYTES + length, ...ends);
  return header;
}

/** Reads the tensors in the file's order, and packs each layer once all its tensors are there. */
async function packLayers(
  bytes: StreamBytes,
  held: HeldPieces,
  infos: ReadonlyMap<string, TensorInfo>,
  net: Network,
): Promise<void> {
  const layers = [...net.tensors];
  const waiting = new Map(layers.map(([layer, own]) => [layer, own.length]));
  const wanted = layers.flatMap(([layer, own]) =>
    own.map(([tensor], i) => ({ ...infos.get(tensor)!, layer, isWeight: i === 0 })),
  );
  wanted.sort((a, b) => a.begin - b.begin);
  held.makeRoom(Math.max(...wanted.map(({ begin, end }) => end - begin)));
  for (const { layer, begin, end, isWeight } of wanted) {
    await bytes.skipTo(begin);
    await bytes.fill(held.add(layer, begin, end, isWeight));
    const left = waiting.get(layer)! - 1;
    waiting.set(layer, left);
    if (left > 0) continue;
    net.pack(layer);
    held.drop(layer);
  }
  await bytes.skipTo(bytes.length!);
}

interface HeldPiece {
  readonly layer: string;
  readonly begin: number;
  readonly bytes: Uint8Array;
  /** Whether it is in the shared room. */
  readonly isGuest: boolean;
}

/**
 * The pieces of a file that are in memory. Weights use the same room, one after the other, so that garbage does
 * not grow to the size of the file.
 */
class HeldPieces implements ByteSource {
  readonly length: number;
  readonly #name: string;
  #pieces: HeldPiece[] = [];
  #room = new Uint8Array(0);

  constructor(length: number, name: string) {
    this.length = length;
    this.#name = name;
  }

  /** Makes room for the largest weight. */
  makeRoom(bytes: number): void {
    this.#room = new Uint8Array(bytes);
  }

  /** @returns the array for the file's bytes `begin` … `end` */
  add(layer: string, begin: number, end: number, isWeight: boolean): Uint8Array {
    const isGuest = isWeight && !this.#pieces.some((piece) => piece.isGuest);
    const length = end - begin;
    const bytes = isGuest ? this.#room.subarray(0, length) : new Uint8Array(length);
    this.#pieces.push({ layer, begin, bytes, isGuest });
    return bytes;
  }

  /** Forgets the pieces of a layer. */
  drop(layer: string): void {
    this.#pieces = this.#pieces.filter((piece) => piece.layer !== layer);
  }

  read(begin: number, end: number): Uint8Array {
    const held = this.#pieces.find(
      (piece) => piece.begin <= begin && end <= piece.begin + piece.bytes.length,
    );
    if (!held) throw new FormatError(`${this.#name}: bytes ${begin}…${end} are not there`);
    return held.bytes.subarray(begin - held.begin, end - held.begin);
  }
}
