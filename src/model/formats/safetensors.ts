/**
 * safetensors: `u64 length | JSON header | data`. A header entry is
 * `name: { dtype, shape, data_offsets: [begin, end] }`, offsets counted from the end of the header;
 * `__metadata__` maps strings to strings. The header may be padded with spaces and the data need not
 * be aligned. Source: https://github.com/huggingface/safetensors#format.
 *
 * Nothing in the file is trusted: before anything is allocated for a length, the length is checked
 * against the bytes that are there.
 */

import { FormatError } from '../../errors.js';
import { type ByteSource, byteSource } from './byte-source.js';
import { checkWeights, DTYPE_BYTES, decodeFloats } from './dtype.js';
import { sizeOf } from './tensor-source.js';
import { decodeUtf8 } from './utf8.js';

/** The format's own limit on the header, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The first byte of a header. */
const OPENING_BRACE = 0x7b;

/** Bytes that a message shows of a file of another format: enough for the length and what follows it. */
const SHOWN_BYTES = 12;

export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly begin: number;
  readonly end: number;
}

/** A parsed header with the file's bytes. Tensors are decoded one at a time, when they are read. */
export interface SafetensorsFile {
  /** Name of the file in messages. */
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The tensor's bytes as they are in the file (not aligned; a view if the file is in memory). */
  bytes(tensor: string): Uint8Array;
  /**
   * Decodes elements `begin` … `begin + out.length` of a tensor of F32, F16, BF16, F64 or I8 into `out`.
   *
   * @throws {FormatError} for a tensor that is missing, of another dtype, or shorter
   */
  readInto(out: Float32Array, tensor: string, begin: number): void;
  /** The whole tensor as float32, in an array of its own. @throws {FormatError} as `readInto` */
  read(tensor: string): Float32Array;
}

/**
 * Reads the header of a safetensors file.
 *
 * @param file the whole file, or an object that reads pieces of it
 * @param name name of the file in error messages
 * @throws {FormatError} with the byte offset or the tensor's name, for a file that is truncated, has an
 * implausible header, a tensor without a dtype, a shape that does not fit its bytes, or offsets that leave
 * the file or overlap. An unknown dtype is no error until its tensor is read
 */
export function parseSafetensors(
  file: ArrayBuffer | Uint8Array | ByteSource,
  name: string,
): SafetensorsFile {
  const source = byteSource(file);
  if (source.length < PREFIX_BYTES) {
    throw new FormatError(
      `${name}: not a safetensors file: ${source.length} bytes, the header length alone takes 8`,
    );
  }
  const head = source.read(0, Math.min(source.length, SHOWN_BYTES));
  const headerBytes = headerLength(head);
  const isCut = headerBytes > source.length - PREFIX_BYTES;
  if (headerBytes > MAX_HEADER_BYTES || (isCut && head[PREFIX_BYTES] !== OPENING_BRACE)) {
    throw new FormatError(`${name}: not a safetensors file: it ${firstBytes(head)}`);
  }
  if (isCut) {
    throw new FormatError(
      `${name}: truncated: header length ${headerBytes} at byte 0, file has ${source.length} bytes`,
    );
  }
  const header = source.read(PREFIX_BYTES, PREFIX_BYTES + headerBytes);
  return safetensorsFile(source, name, parseHeader(header, name, source.length));
}

/** Bytes of the header's length, at the beginning of a file. */
export const PREFIX_BYTES = 8;

/** The first bytes of a file, for messages: `begins with the bytes 89 50 4e 47 …`. */
export function firstBytes(head: Uint8Array): string {
  const text = String.fromCharCode(...head.subarray(0, SHOWN_BYTES));
  if (/^[\s -~]+$/.test(text)) {
    const isPage = text.trim()[0] === '<';
    return `begins with the text ${JSON.stringify(text)}${isPage ? ': a page of an error?' : ''}`;
  }
  const hex = [...head.subarray(0, SHOWN_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `begins with the bytes ${hex.join(' ')}`;
}

/** The header's length in bytes. @param prefix the first 8 bytes of the file */
export function headerLength(prefix: Uint8Array): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  return view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
}

/** The contents of a header. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/**
 * @param bytes the bytes of the header alone
 * @param fileBytes size of the file, in which all tensors must be
 * @throws {FormatError} as `parseSafetensors`
 */
export function parseHeader(bytes: Uint8Array, name: string, fileBytes: number): SafetensorsHeader {
  const fail = (what: string): never => {
    throw new FormatError(`${name}: ${what}`);
  };
  const dataBegin = PREFIX_BYTES + bytes.length;
  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const [key, entry] of Object.entries(parseObject(bytes, fail))) {
    if (key === '__metadata__') {
      readMetadata(entry, metadata, fail);
    } else {
      tensors.set(key, readEntry(key, entry, dataBegin, fileBytes, fail));
    }
  }
  refuseOverlaps(tensors, fail);
  return { metadata, tensors };
}

/** A file from its header and its bytes. */
export function safetensorsFile(
  source: ByteSource,
  name: string,
  { metadata, tensors }: SafetensorsHeader,
): SafetensorsFile {
  const fail = (what: string): never => {
    throw new FormatError(`${name}: ${what}`);
  };
  const find = (tensor: string): TensorInfo =>
    tensors.get(tensor) ?? fail(`tensor ${tensor} is missing`);
  const readInto = (out: Float32Array, tensor: string, begin: number): void => {
    const { dtype, shape, begin: first } = find(tensor);
    if (begin + out.length > sizeOf(shape)) {
      fail(`tensor ${tensor} [${shape}] has no elements ${begin}…${begin + out.length}`);
    }
    checkWeights(name, tensor, dtype);
    const size = DTYPE_BYTES[dtype]!;
    const from = first + size * begin;
    decodeFloats(out, source.read(from, from + size * out.length), dtype);
  };
  return {
    name,
    metadata,
    tensors,
    bytes: (tensor) => {
      const { begin, end } = find(tensor);
      return source.read(begin, end);
    },
    readInto,
    read: (tensor) => {
      const out = new Float32Array(sizeOf(find(tensor).shape));
      readInto(out, tensor, 0);
      return out;
    },
  };
}

type Fail = (what: string) => never;

function parseObject(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(decodeUtf8(bytes));
  } catch {
    fail('not a safetensors file: the header at byte 8 is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return fail('not a safetensors file: the header at byte 8 is not a JSON object');
  }
  return header as Record<string, unknown>;
}

function readMetadata(entry: unknown, metadata: Map<string, string>, fail: Fail): void {
  if (typeof entry !== 'object' || entry === null) fail('__metadata__ is not an object');
  for (const [key, value] of Object.entries(entry as object)) {
    if (typeof value !== 'string') fail(`__metadata__ ${key} is not a string`);
    metadata.set(key, value);
  }
}

function readEntry(
  key: string,
  entry: unknown,
  dataBegin: number,
  fileBytes: number,
  fail: Fail,
): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const refuse = (what: string, value: unknown): never =>
    fail(`tensor ${key} has no valid ${what}: ${JSON.stringify(value)}`);
  if (typeof dtype !== 'string') return refuse('dtype', dtype);
  if (!isSizes(shape)) return refuse('shape', shape);
  if (!isSizes(offsets) || offsets.length !== 2) return refuse('data_offsets', offsets);
  const begin = dataBegin + offsets[0]!;
  const end = dataBegin + offsets[1]!;
  if (begin > end || end > fileBytes) {
    fail(`tensor ${key} at bytes ${begin}…${end} is outside the file of ${fileBytes} bytes`);
  }
  // The size of a newer, unknown dtype cannot be checked. Reading such a tensor is an error anyway.
  if (Object.hasOwn(DTYPE_BYTES, dtype)) {
    const expected = DTYPE_BYTES[dtype]! * sizeOf(shape);
    if (end - begin !== expected) {
      fail(`tensor ${key} expected ${expected} bytes for ${dtype} [${shape}], got ${end - begin}`);
    }
  }
  return { dtype, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function refuseOverlaps(tensors: ReadonlyMap<string, TensorInfo>, fail: Fail): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (let i = 1; i < sorted.length; i++) {
    const [before, { end }] = sorted[i - 1]!;
    const [name, { begin }] = sorted[i]!;
    if (begin < end) fail(`tensors ${before} and ${name} overlap at byte ${begin}`);
  }
}
