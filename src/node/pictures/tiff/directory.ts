/**
 * The first directory of a TIFF file: the tags of its first page. Source: Adobe, TIFF 6.0, §2; BigTIFF:
 * Adobe's design of 2004, as libtiff has it.
 */

import { FormatError } from '../../../errors.js';
import type { ByteSource } from '../../../model/index.js';
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
  modelPixelScale: 33550,
  modelTiepoint: 33922,
  modelTransformation: 34264,
  geoKeyDirectory: 34735,
  geoDoubleParams: 34736,
  geoAsciiParams: 34737,
} as const;

/** Bytes of each field type, by its number; the last three are BigTIFF's. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const SHORTS = [3];
const LONGS = [4, 13];
const LONG_LONGS = [16, 18];
/** Bytes, characters, and bytes without a meaning. */
const BYTES = [1, 2, 7];
const DOUBLE = 12;

export interface Directory {
  readonly littleEndian: boolean;
  has(tag: number): boolean;
  /** The first `most` values of a tag, whole numbers or doubles; empty if there is no such tag. */
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

/**
 * @param file its bytes, or a file that is read in pieces
 * @throws {FormatError} for values outside the file, RangeError for a directory outside it
 */
export function readDirectory(file: Uint8Array | ByteSource): Directory {
  const source = file instanceof Uint8Array ? bytesAsSource(file) : file;
  const head = viewOfPart(source, 0, 16);
  const littleEndian = head.getUint8(0) === 0x49;
  const entries = readEntries(source, head, littleEndian);
  const values = (tag: number, most: number): number[] => {
    const entry = entries.get(tag);
    if (entry === undefined) return [];
    const length = Math.min(entry.count, most);
    const bytes = length * TYPE_BYTES[entry.type]!;
    const view = viewOfPart(source, entry.at, entry.at + bytes);
    return Array.from({ length }, (_, i) => readValue(view, entry.type, i, littleEndian));
  };
  return {
    littleEndian,
    values,
    has: (tag) => entries.has(tag),
    first: (tag, otherwise) => values(tag, 1)[0] ?? otherwise,
  };
}

export function bytesAsSource(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

/** A view that is shorter at the end of the file, and throws RangeError there. */
function viewOfPart({ length, read }: ByteSource, begin: number, end: number): DataView {
  return viewOf(read(Math.min(begin, length), Math.min(end, length)));
}

const KNOWN_TAGS = new Set<number>(Object.values(TAG));

function readEntries(
  source: ByteSource,
  head: DataView,
  littleEndian: boolean,
): Map<number, Entry> {
  const big = head.getUint8(littleEndian ? 2 : 3) === 0x2b;
  const entryBytes = big ? 20 : 12;
  /** Counts and offsets, which are wider in BigTIFF. */
  const wide = (view: DataView, at: number): number =>
    big ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);
  const directory = wide(head, big ? 8 : 4);
  const begin = directory + (big ? 8 : 2);
  const start = viewOfPart(source, directory, begin);
  const number = big ? wide(start, 0) : start.getUint16(0, littleEndian);
  if (begin + entryBytes * number > source.length) {
    throw new FormatError(`truncated: a TIFF directory of ${number} tags at byte ${directory}`);
  }
  const view = viewOfPart(source, begin, begin + entryBytes * number);
  const entries = new Map<number, Entry>();
  for (let entry = 0; entry < entryBytes * number; entry += entryBytes) {
    const tag = view.getUint16(entry, littleEndian);
    // Each tag once, and no unknown ones: thousands of entries could all claim the whole file.
    if (!KNOWN_TAGS.has(tag) || entries.has(tag)) continue;
    const type = view.getUint16(entry + 2, littleEndian);
    const count = wide(view, entry + 4);
    const size = count * (TYPE_BYTES[type] ?? 0);
    const value = entry + (big ? 12 : 8);
    const at = size <= (big ? 8 : 4) ? begin + value : wide(view, value);
    if (at + size > source.length) {
      throw new FormatError(
        `truncated: TIFF tag ${tag} at bytes ${at}…${at + size} of ${source.length}`,
      );
    }
    if (size > 0) entries.set(tag, { type, count, at });
  }
  return entries;
}

function readValue(view: DataView, type: number, i: number, littleEndian: boolean): number {
  if (BYTES.includes(type)) return view.getUint8(i);
  if (SHORTS.includes(type)) return view.getUint16(2 * i, littleEndian);
  if (LONGS.includes(type)) return view.getUint32(4 * i, littleEndian);
  if (LONG_LONGS.includes(type)) return Number(view.getBigUint64(8 * i, littleEndian));
  if (type === DOUBLE) return view.getFloat64(8 * i, littleEndian);
  return Number.NaN;
}
