/**
 * The network in files of one's own, in the worker. Tensors are read when they are asked for, so that no
 * file of weights is in memory as a whole; an ONNX file is. The first bytes of a file tell what it is: names lie.
 */

import { FormatError } from 'fastcam';
import {
  type ByteSource,
  joinShards,
  parseSafetensors,
  type RecognizedNetwork,
  recognizeNetwork,
  type TensorSource,
} from 'fastcam/model';
import type { OnnxFiles } from './onnx.ts';
import { nameOf } from './weights.ts';

/** Workers have it, and the types of pages do not. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };

/** A network in files. */
export interface Source {
  readonly network: RecognizedNetwork;
  /** The file, where it is ONNX: the second engine takes it as well. */
  readonly onnx?: OnnxFiles;
  /** What is to be said of the pixels, where nobody says what becomes of them before the network. */
  readonly pixels?: string;
}

/** Bytes of a file or of a part of it, read when they are asked for. */
export type Open = (blob: Blob, name: string) => ByteSource;

/**
 * Read at a time. Layers ask for a few kilobytes, and in Chromium a call takes 1.5 ms, however little it reads:
 * a ResNet-50 of 94 MB, in 3661 pieces, loads in 2 s in place of 7 (measured).
 */
const AHEAD_BYTES = 2 ** 20;

/** What a safetensors file begins with: the length of its header, below 2³², and the header. */
const SAFETENSORS = [0, 0, 0, 0, 0x7b];
const SAFETENSORS_AT = 4;

/**
 * The network in one file or several. Where some of several are safetensors, others are left out, and else where one
 * is ONNX, all but its weights.
 *
 * @param onProgress is told how much of the files has been read, 0…1
 * @throws {FormatError} in one line that names the file and what is wrong with it
 */
export async function openNetwork(
  given: readonly File[],
  onProgress: (done: number) => void,
): Promise<Source> {
  const total = given.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const open = opener((bytes) => {
    done += bytes;
    onProgress(Math.min(1, done / total));
  });
  const safetensors = given.filter((file) => isSafetensors(open(file, file.name)));
  if (safetensors.length === 0) return openOther(given, open);
  const sources = safetensors.map(
    (file) => [file, parseSafetensors(open(file, file.name), file.name)] as const,
  );
  return { network: recognizeNetwork(joined(new Map(sources))) };
}

/** What reads other files is loaded when they come. */
async function openOther(given: readonly File[], open: Open): Promise<Source> {
  const { HEAD_BYTES, isOnnx, openCheckpoints } = await import('./checkpoints.ts');
  const model = given.find((file) =>
    isOnnx(open(file, file.name).read(0, Math.min(file.size, HEAD_BYTES))),
  );
  if (!model) return { network: recognizeNetwork(joined(await openCheckpoints(given, open))) };
  const { openOnnx } = await import('./onnx.ts');
  return openOnnx(model, given, open);
}

/** @param onRead is told of every piece that is asked for, how long it is */
function opener(onRead: (bytes: number) => void): Open {
  const reader = new FileReaderSync();
  /** What was read last, of whichever file. */
  let kept: { readonly blob: Blob; readonly begin: number; readonly bytes: Uint8Array } | undefined;
  const readFrom = (blob: Blob, begin: number, end: number, name: string): Uint8Array => {
    try {
      return new Uint8Array(reader.readAsArrayBuffer(blob.slice(begin, end)));
    } catch (cause) {
      const reason = 'a folder, or a file that has changed since';
      throw new FormatError(`${name}: cannot be read: ${reason}`, { cause });
    }
  };
  return (blob, name) => ({
    length: blob.size,
    read(begin, end) {
      onRead(end - begin);
      const isKept =
        kept?.blob === blob && begin >= kept.begin && end <= kept.begin + kept.bytes.length;
      if (!kept || !isKept) {
        const ahead = Math.max(end, begin + AHEAD_BYTES);
        kept = { blob, begin, bytes: readFrom(blob, begin, ahead, name) };
      }
      return kept.bytes.subarray(begin - kept.begin, end - kept.begin);
    },
  });
}

function isSafetensors(file: ByteSource): boolean {
  const head = file.read(0, Math.min(file.length, SAFETENSORS_AT + SAFETENSORS.length));
  return SAFETENSORS.every((byte, i) => head[SAFETENSORS_AT + i] === byte);
}

function joined(sources: ReadonlyMap<File, TensorSource>): TensorSource {
  const [first] = sources.values();
  if (sources.size === 1) return first!;
  const named = [...sources].map(([{ name }, source]) => [name, source] as const);
  return joinShards(new Map(named), nameOf([...sources.keys()]));
}
