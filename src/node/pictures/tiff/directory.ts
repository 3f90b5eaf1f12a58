/**
 * The first directory of a TIFF file: the tags of its first page. Source: Adobe, TIFF 6.0, §2; BigTIFF:
 * Adobe's design of 2004, as libtiff has it.
 */

import { FormatError } from '../../../errors.js';
import { textAt, viewOf } from '../header.js';

/** The tags that matter here. */
export const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
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
  inkSet: 332,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
  subsampling: 530,
  noData: 42113,
} as const;

/** Bytes of each field type, by its number; the last three are BigTIFF's. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const SHORTS = [3];
const LONGS = [4, 13];
const LONG_LONGS = [16, 18];
/** Bytes, characters, and bytes without a meaning. */
const BYTES = [1, 2, 7];

export interface Directory {
  readonly littleEndian: boolean;
  has(tag: number): boolean;
  /** The first `most` whole-number values of a tag; empty if there is no such tag. */
  values(tag: number, most: number): number[];
  first(tag: number, otherwise: number): number;
}

interface Entry {
  readonly type: number;
  readonly count: number;
  readonly at: number;
}

export function isTiff(bytes: Uint8Array): boolean {
  return ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(textAt(bytes, 0, 4));
}

/** @throws {FormatError} for values outside the file, RangeError for a directory outside it */
export function readDirectory(bytes: Uint8Array): Directory {
  const littleEndian = bytes[0] === 0x49;
  const view = viewOf(bytes);
  const entries = readEntries(view, littleEndian, bytes[littleEndian ? 2 : 3] === 0x2b);
  const values = (tag: number, most: number): number[] => {
    const entry = entries.get(tag);
    if (entry === undefined) return [];
    const length = Math.min(entry.count, most);
    return Array.from({ length }, (_, i) => readValue(view, entry, i, littleEndian));
  };
  return {
    littleEndian,
    values,
    has: (tag) => entries.has(tag),
    first: (tag, otherwise) => values(tag, 1)[0] ?? otherwise,
  };
}

const KNOWN_TAGS = new Set<number>(Object.values(TAG));

function readEntries(view: DataView, littleEndian: boolean, big: boolean): Map<number, Entry> {
  const entryBytes = big ? 20 : 12;
  /** Counts and offsets, which are wider in BigTIFF. */
  const wide = (at: number): number =>
    big ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);
  const directory = wide(big ? 8 : 4);
  const number = big ? wide(directory) : view.getUint16(directory, littleEndian);
  const begin = directory + (big ? 8 : 2);
  if (begin + entryBytes * number > view.byteLength) {
    throw new FormatError(`truncated: a TIFF directory of ${number} tags at byte ${directory}`);
  }
  const entries = new Map<number, Entry>();
  for (let n = 0; n < number; n++) {
    const entry = begin + n * entryBytes;
    const tag = view.getUint16(entry, littleEndian);
    // Each tag once, and no unknown ones: thousands of entries could all claim the whole file.
    if (!KNOWN_TAGS.has(tag) || entries.has(tag)) continue;
    const type = view.getUint16(entry + 2, littleEndian);
    const count = wide(entry + 4);
    const size = count * (TYPE_BYTES[type] ?? 0);
    const value = entry + (big ? 12 : 8);
    const at = size <= (big ? 8 : 4) ? value : wide(value);
    if (at + size > view.byteLength) {
      throw new FormatError(
        `truncated: TIFF tag ${tag} at bytes ${at}…${at + size} of ${view.byteLength}`,
      );
    }
    if (size > 0) entries.set(tag, { type, count, at });
  }
  return entries;
}

function readValue(view: DataView, entry: Entry, i: number, littleEndian: boolean): number {
  const { type, at } = entry;
  if (BYTES.includes(type)) return view.getUint8(at + i);
  if (SHORTS.includes(type)) return view.getUint16(at + 2 * i, littleEndian);
  if (LONGS.includes(type)) return view.getUint32(at + 4 * i, littleEndian);
  if (LONG_LONGS.includes(type)) return Number(view.getBigUint64(at + 8 * i, littleEndian));
  return Number.NaN;
}
