/**
 * Protobuf's wire format, read without copying and written in pieces. A message is a row of fields; a
 * field is a tag, eight times its number and its type, and then
 *
 *   type 0   a varint: seven bits a byte, the lowest first
 *   type 1   eight bytes
 *   type 2   a length, and as many bytes: text, bytes, a message, packed numbers
 *   type 5   four bytes
 *
 * `fieldsOf` gives the position of each field, so that a field that does not change is copied byte by
 * byte, even an unknown one. Source: protobuf.dev/programming-guides/encoding.
 */

import { FormatError } from '../../errors.js';

export const VARINT = 0;
const EIGHT_BYTES = 1;
export const BYTES = 2;
export const FOUR_BYTES = 5;

/** A part of a file: the offset of its first byte, and the offset after its last byte. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** A field of a message. Its contents are from `begin` to `end`. */
export interface Field extends Range {
  readonly number: number;
  readonly type: number;
  /** Where its tag begins. */
  readonly start: number;
  /** The value of a varint, as int64; 0 for other types. Exact up to 2^53. */
  readonly value: number;
}

/**
 * The fields of the message in a part of a file.
 *
 * @throws {FormatError} with the byte offset, for a field that does not fit into its message, for
 *   protobuf's old groups, and for an invalid field number
 */
export function* fieldsOf(bytes: Uint8Array, { begin, end }: Range): Generator<Field> {
  for (let at = begin; at < end; ) {
    const start = at;
    const tag = varintAt(bytes, at, end);
    const number = Math.floor(tag.value / 8);
    const type = tag.value & 7;
    if (number < 1 || number >= 2 ** 29) {
      throw new FormatError(`onnx: byte ${start} begins field ${number}, which protobuf has not`);
    }
    let value = 0;
    let first = tag.end;
    if (type === VARINT) {
      ({ value, end: at } = varintAt(bytes, first, end));
    } else if (type === BYTES) {
      const length = varintAt(bytes, first, end);
      first = length.end;
      if (length.value < 0 || length.value > end - first) {
        throw new FormatError(
          `onnx: field ${number} at byte ${start} has ${length.value} bytes, of which ${end - first} are there`,
        );
      }
      at = first + length.value;
    } else {
      at = first + fixedLength(type, number, start);
      if (at > end) throw new FormatError(`onnx: field ${number} at byte ${start} is cut off`);
    }
    yield { number, type, start, begin: first, end: at, value };
  }
}

function fixedLength(type: number, number: number, start: number): number {
  if (type === EIGHT_BYTES) return 8;
  if (type === FOUR_BYTES) return 4;
  throw new FormatError(
    `onnx: field ${number} at byte ${start} has type ${type}, which is not read`,
  );
}

/** The numbers of a repeated field of varints: packed, or one by one. */
export function* varintsOf(bytes: Uint8Array, field: Field): Generator<number> {
  if (field.type === VARINT) yield field.value;
  if (field.type !== BYTES) return;
  for (let at = field.begin; at < field.end; ) {
    const { value, end } = varintAt(bytes, at, field.end);
    yield value;
    at = end;
  }
}

/** The float32 in four bytes. */
export function floatAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getFloat32(0, true);
}

function varintAt(bytes: Uint8Array, at: number, end: number): { value: number; end: number } {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 10 && at + i < end; i++) {
    const byte = bytes[at + i]!;
    const bits = byte & 127;
    // Bits 28 to 34 are in both halves.
    if (i < 5) low |= bits << (7 * i);
    if (i === 4) high |= bits >> 4;
    if (i > 4) high |= bits << (7 * i - 32);
    if (byte < 128) return { value: high * 2 ** 32 + (low >>> 0), end: at + i + 1 };
  }
  throw new FormatError(`onnx: the number at byte ${at} does not end`);
}

/** A message that is written field by field, in pieces; `finish` joins them. */
export class Message {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies bytes: fields of another message. */
  raw(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** A whole number; negative numbers as int64. */
  int(number: number, value: number): this {
    return this.#tag(number, VARINT).raw(varint(value));
  }

  float(number: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#tag(number, FOUR_BYTES).raw(bytes);
  }

  bytes(number: number, bytes: Uint8Array): this {
    return this.#tag(number, BYTES).raw(varint(bytes.length)).raw(bytes);
  }

  text(number: number, text: string): this {
    return this.bytes(number, encodeUtf8(text));
  }

  message(number: number, message: Message): this {
    this.#tag(number, BYTES).raw(varint(message.length));
    for (const piece of message.#pieces) this.raw(piece);
    return this;
  }

  /** The bytes of all fields. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }

  #tag(number: number, type: number): this {
    return this.raw(varint(number * 8 + type));
  }
}

/** @param value whole, |value| ≤ 2^53 */
function varint(value: number): Uint8Array {
  const out: number[] = [];
  let low = value >>> 0;
  let high = Math.floor(value / 2 ** 32) >>> 0;
  while (high > 0 || low > 127) {
    out.push((low & 127) | 128);
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  out.push(low);
  return Uint8Array.from(out);
}

/** The UTF-8 of a text; a lone surrogate is written as it is. */
function encodeUtf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), trail(code));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), trail(code >> 6), trail(code));
    else out.push(0xf0 | (code >> 18), trail(code >> 12), trail(code >> 6), trail(code));
  }
  return Uint8Array.from(out);
}

function trail(code: number): number {
  return 0x80 | (code & 0x3f);
}
