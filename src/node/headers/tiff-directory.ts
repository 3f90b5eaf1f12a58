/**
 * A TIFF directory, read and written: `byte order | 42 | offset of the directory`, and there the tags
 * with their values. Source: Adobe, TIFF 6.0, §2.
 */

import { FormatError } from '../../errors.js';
import { textAt, viewOf } from './header.js';

/** The tags that matter here. All others are passed over. */
export const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  sampleFormat: 339,
  jpegTables: 347,
};
const KNOWN_TAGS = new Set(Object.values(TAG));

/** Field types: unsigned whole numbers of 1, 2 and 4 bytes, and bytes without a meaning. */
export const BYTE = 1;
export const SHORT = 3;
export const LONG = 4;
const UNDEFINED = 7;
/** Bytes of each field type, by its number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

export interface Directory {
  /** Whole-number values of the known tags. */
  readonly values: ReadonlyMap<number, number[]>;
  readonly littleEndian: boolean;
}

/** An entry of the directory that the decoder is given. */
export type Entry = readonly [
  tag: number,
  type: typeof SHORT | typeof LONG | typeof BYTE,
  readonly number[],
];

export function readDirectory(bytes: Uint8Array): Directory {
  const view = viewOf(bytes);
  const order = textAt(bytes, 0, 2);
  if (order !== 'II' && order !== 'MM') throw new FormatError('no TIFF byte order at byte 0');
  const littleEndian = order === 'II';
  const at = view.getUint32(4, littleEndian);
  const entries = view.getUint16(at, littleEndian);
  const values = new Map<number, number[]>();
  for (let i = 0; i < entries; i++) {
    const entry = at + 2 + 12 * i;
    const tag = view.getUint16(entry, littleEndian);
    // Each tag once and no others: thousands of entries could all claim the whole file.
    if (KNOWN_TAGS.has(tag) && !values.has(tag)) {
      values.set(tag, readValues(view, entry, littleEndian));
    }
  }
  return { values, littleEndian };
}

function readValues(view: DataView, entry: number, littleEndian: boolean): number[] {
  const type = view.getUint16(entry + 2, littleEndian);
  const count = view.getUint32(entry + 4, littleEndian);
  const size = TYPE_BYTES[type] ?? 0;
  const at = size * count <= 4 ? entry + 8 : view.getUint32(entry + 8, littleEndian);
  if (at + size * count > view.byteLength) {
    const tag = view.getUint16(entry, littleEndian);
    throw new FormatError(
      `truncated: TIFF tag ${tag} at bytes ${at}…${at + size * count} of ${view.byteLength}`,
    );
  }
  switch (type) {
    case BYTE:
    case UNDEFINED:
      return Array.from({ length: count }, (_, i) => view.getUint8(at + i));
    case SHORT:
      return Array.from({ length: count }, (_, i) => view.getUint16(at + 2 * i, littleEndian));
    case LONG:
      return Array.from({ length: count }, (_, i) => view.getUint32(at + 4 * i, littleEndian));
    default:
      return [];
  }
}

/** Byte order, 42, and the offset of the directory. */
export const HEADER_BYTES = 8;

/** `bytes` with a directory at their end, and a header that leads to it. */
export function withDirectory(
  bytes: Uint8Array,
  entries: readonly Entry[],
  littleEndian: boolean,
): Uint8Array {
  const bytesOf = ([, type, values]: Entry): number => TYPE_BYTES[type]! * values.length;
  const directoryAt = bytes.length + (bytes.length % 2);
  let valuesAt = directoryAt + 2 + 12 * entries.length + 4;
  const end = entries.reduce(
    (at, entry) => at + (bytesOf(entry) > 4 ? bytesOf(entry) : 0),
    valuesAt,
  );
  const file = new Uint8Array(end);
  file.set(bytes);
  const view = viewOf(file);
  view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, directoryAt, littleEndian);
  view.setUint16(directoryAt, entries.length, littleEndian);
  for (const [i, entry] of entries.entries()) {
    const [tag, type, values] = entry;
    const at = directoryAt + 2 + 12 * i;
    view.setUint16(at, tag, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    view.setUint32(at + 4, values.length, littleEndian);
    let valueAt = at + 8;
    if (bytesOf(entry) > 4) {
      view.setUint32(at + 8, valuesAt, littleEndian);
      valueAt = valuesAt;
      valuesAt += bytesOf(entry);
    }
    for (const [j, value] of values.entries()) {
      if (type === BYTE) view.setUint8(valueAt + j, value);
      else if (type === SHORT) view.setUint16(valueAt + 2 * j, value, littleEndian);
      else view.setUint32(valueAt + 4 * j, value, littleEndian);
    }
  }
  return file;
}
