/** The bytes of a pickle, read from a file in chunks: its length is known only at its end. */

import { FormatError } from '../../errors.js';
import { decodeUtf8 } from '../../model/formats/utf8.js';
import type { ByteSource } from '../../model/index.js';

/** A ResNet-152's state dict and optimizer take 1 MB; the tensors are stored elsewhere. */
export const MAX_PICKLE_BYTES: number = 64 * 2 ** 20;

/** Bytes to read at a time. */
const CHUNK_BYTES = 2 ** 16;

/** Random number generators have states of 2500 bytes, in pieces. */
const MAX_LONG_BYTES = 1024;

/** Bytes to read first when searching for the end of a line. */
const LINE_BYTES = 256;

export class PickleInput {
  /** Position of the next byte in the file. */
  at: number;
  readonly #source: ByteSource;
  readonly #end: number;
  #bytes: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Position of the chunk in the file. */
  #begin: number;

  constructor(source: ByteSource, begin: number) {
    this.#source = source;
    this.at = begin;
    this.#begin = begin;
    this.#end = Math.min(source.length, begin + MAX_PICKLE_BYTES);
  }

  u8(): number {
    const at = this.#skip(1);
    return this.#bytes[at]!;
  }

  u16(): number {
    const at = this.#skip(2);
    return this.#view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#skip(4);
    return this.#view.getUint32(at, true);
  }

  i32(): number {
    const at = this.#skip(4);
    return this.#view.getInt32(at, true);
  }

  /** Rounded above 2⁵³: no length is that large. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  /** Big-endian, unlike all other numbers. */
  f64(): number {
    const at = this.#skip(8);
    return this.#view.getFloat64(at, false);
  }

  /** Two's complement, little-endian. Rounded above 2⁵³: such large sizes are refused anyway. */
  long(length: number): number {
    const bytes = this.bytes(length);
    if (length > MAX_LONG_BYTES) throw new FormatError(`a number of ${length} bytes`);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i]!);
    return Number(BigInt.asIntN(8 * length, value));
  }

  /** A view of the chunk. */
  bytes(length: number): Uint8Array {
    const begin = this.#skip(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  text(length: number): string {
    return decodeUtf8(this.bytes(length));
  }

  /** The bytes up to the end of the line, which is skipped. */
  line(): Uint8Array {
    for (let reach = LINE_BYTES; ; reach *= 4) {
      const length = Math.min(reach, this.#end - this.at);
      this.#hold(length);
      const begin = this.at - this.#begin;
      const end = this.#bytes.subarray(begin, begin + length).indexOf(0x0a);
      if (end >= 0) {
        this.at += end + 1;
        return this.#bytes.subarray(begin, begin + end);
      }
      if (length < reach) throw new FormatError('truncated: a name or number without an end');
    }
  }

  textLine(): string {
    return decodeUtf8(this.line());
  }

  /** Skips `length` bytes, reading a new chunk if necessary. @returns where they begin in the chunk */
  #skip(length: number): number {
    this.#hold(length);
    const begin = this.at - this.#begin;
    this.at += length;
    return begin;
  }

  /** Makes sure that the next `length` bytes are in the chunk. */
  #hold(length: number): void {
    const { at } = this;
    if (length > this.#end - at) {
      if (this.#end < this.#source.length && length <= this.#source.length - at) {
        throw new FormatError(`a pickle of more than ${MAX_PICKLE_BYTES} bytes`);
      }
      throw new FormatError(`truncated: ${length} bytes expected, ${this.#end - at} left`);
    }
    if (at + length <= this.#begin + this.#bytes.length) return;
    const end = Math.min(this.#end, at + Math.max(length, CHUNK_BYTES));
    const bytes = this.#source.read(at, end);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#begin = at;
  }
}
