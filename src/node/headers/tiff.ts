/**
 * TIFF: the first directory. EXIF is a TIFF file inside another, so its orientation is read here too.
 * Source: Adobe, TIFF 6.0, §2 and §8.
 */

import { FormatError } from '../../errors.js';
import { type PictureHeader, textAt, toOrientation, viewOf } from './header.js';

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  tileOffsets: 324,
  tileBytes: 325,
  sampleFormat: 339,
};

/** Bytes of each field type, by its number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/** Directories inside the directory: the decoder follows them blindly, in circles if need be. */
const LINKS = [330, 34665, 34853, 37500, 50740, 61440];
/** A private tag that means nothing to the decoder. */
const NO_TAG = 65535;

/** Uncompressed, CCITT ×3, LZW, JPEG, deflate ×2, PackBits. */
const COMPRESSIONS = [1, 2, 3, 4, 5, 7, 8, 32946, 32773];
const JPEG = 7;

/** Bits a sample that the decoder gets right, by photometric interpretation. */
const DEPTHS: Record<number, { name: string; bits: number[]; samples: number[] }> = {
  0: { name: 'inverse grey', bits: [1, 4, 8, 16], samples: [1] },
  1: { name: 'grey', bits: [1, 2, 8, 16], samples: [1] },
  2: { name: 'RGB', bits: [8, 16], samples: [3, 4] },
  3: { name: 'palette', bits: [1, 2, 4, 8], samples: [1] },
  6: { name: 'YCbCr', bits: [8], samples: [3] },
};

interface Directory {
  /** Unsigned whole-number values by tag. */
  readonly values: ReadonlyMap<number, number[]>;
  /** Where the tag numbers of `LINKS` stand. */
  readonly linksAt: number[];
  /** Where the offset of the next directory stands. */
  readonly nextAt: number;
  readonly littleEndian: boolean;
}

export function readTiffHeader(bytes: Uint8Array): PictureHeader {
  const directory = readDirectory(bytes);
  const first = (tag: number, otherwise: number): number =>
    directory.values.get(tag)?.[0] ?? otherwise;
  const width = first(TAG.width, 0);
  const height = first(TAG.height, 0);
  checkLayout(directory, first);
  checkUncompressed(directory, first, bytes.length);
  checkPieces(directory, TAG.stripOffsets, TAG.stripBytes, bytes.length);
  checkPieces(directory, TAG.tileOffsets, TAG.tileBytes, bytes.length);
  return {
    width,
    height,
    orientation: toOrientation(first(TAG.orientation, 1)),
    bytes: firstPageOnly(bytes, directory),
  };
}

/** The orientation that EXIF data (a TIFF file) states, if it can be read at all. */
export function tiffOrientation(exif: Uint8Array): number | undefined {
  try {
    return readDirectory(exif).values.get(TAG.orientation)?.[0];
  } catch {
    // Broken EXIF is common and no reason to refuse the picture.
    return undefined;
  }
}

function readDirectory(bytes: Uint8Array): Directory {
  const view = viewOf(bytes);
  const order = textAt(bytes, 0, 2);
  if (order !== 'II' && order !== 'MM') throw new FormatError('no TIFF byte order at byte 0');
  const littleEndian = order === 'II';
  const at = view.getUint32(4, littleEndian);
  const entries = view.getUint16(at, littleEndian);
  const values = new Map<number, number[]>();
  const linksAt: number[] = [];
  for (let i = 0; i < entries; i++) {
    const entry = at + 2 + 12 * i;
    const tag = view.getUint16(entry, littleEndian);
    if (LINKS.includes(tag)) linksAt.push(entry);
    else values.set(tag, readValues(view, entry, littleEndian));
  }
  return { values, linksAt, nextAt: at + 2 + 12 * entries, littleEndian };
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
  const values: number[] = [];
  // Of SHORT and LONG all values, of BYTE the first (color profiles are long), of the others none.
  if (type === 1 && count > 0) values.push(view.getUint8(at));
  for (let i = 0; i < count && (type === 3 || type === 4); i++) {
    values.push(
      type === 3
        ? view.getUint16(at + 2 * i, littleEndian)
        : view.getUint32(at + 4 * i, littleEndian),
    );
  }
  return values;
}

/** Refuses what the decoder would turn into a wrong picture without a word. */
function checkLayout(
  { values }: Directory,
  first: (tag: number, otherwise: number) => number,
): void {
  const what = unsupportedLayout(values.get(TAG.bits) ?? [1], first);
  if (what !== undefined) {
    throw new FormatError(`${what} is not supported: save it as 8-bit RGB TIFF, PNG or JPEG`);
  }
  if (!values.has(TAG.stripOffsets) && !values.has(TAG.tileOffsets)) {
    throw new FormatError('a TIFF directory that points to no pixels');
  }
}

function unsupportedLayout(
  bits: readonly number[],
  first: (tag: number, otherwise: number) => number,
): string | undefined {
  const compression = first(TAG.compression, 1);
  const photometric = first(TAG.photometric, -1);
  const samples = first(TAG.samples, 1);
  const predictor = first(TAG.predictor, 1);
  const depths = DEPTHS[photometric];
  if (!COMPRESSIONS.includes(compression)) return `TIFF compression ${compression}`;
  if (photometric === 5) return 'CMYK TIFF';
  if (depths === undefined || (photometric === 6 && compression !== JPEG)) {
    return `TIFF photometric interpretation ${photometric}`;
  }
  if (
    bits.some((depth) => depth !== bits[0]) ||
    !depths.bits.includes(bits[0]!) ||
    !depths.samples.includes(samples)
  ) {
    return `${depths.name} TIFF of ${samples} × ${bits[0]} bits`;
  }
  if (samples > 1 && first(TAG.planar, 1) !== 1) return 'TIFF in separate color planes';
  if (first(TAG.sampleFormat, 1) !== 1) return 'TIFF of signed or floating-point samples';
  return predictor > 2 ? `TIFF predictor ${predictor}` : undefined;
}

/** Every strip or tile must lie inside the file: the decoder reads what is missing as zeros. */
function checkPieces(
  { values }: Directory,
  offsetsTag: number,
  bytesTag: number,
  fileBytes: number,
): void {
  const counts = values.get(bytesTag) ?? [];
  for (const [i, offset] of (values.get(offsetsTag) ?? []).entries()) {
    const end = offset + (counts[i] ?? 0);
    if (end > fileBytes) {
      throw new FormatError(`truncated: TIFF pixels at bytes ${offset}…${end} of ${fileBytes}`);
    }
  }
}

/** Uncompressed strips must hold all the rows, wherever their byte counts lead. */
function checkUncompressed(
  { values }: Directory,
  first: (tag: number, otherwise: number) => number,
  fileBytes: number,
): void {
  const strips = values.get(TAG.stripOffsets);
  if (first(TAG.compression, 1) !== 1 || strips === undefined) return;
  const rowBytes = Math.ceil(
    (first(TAG.width, 0) * first(TAG.bits, 1) * first(TAG.samples, 1)) / 8,
  );
  const expected = rowBytes * first(TAG.height, 0);
  const counts = values.get(TAG.stripBytes) ?? [];
  const there =
    strips.length === 1 ? fileBytes - strips[0]! : counts.reduce((sum, count) => sum + count, 0);
  if (there < expected) {
    throw new FormatError(`truncated: TIFF pixels take ${expected} bytes, ${there} are there`);
  }
}

/**
 * A copy that ends after the first page and leads to no other directory: the decoder unpacks every
 * page it can find, and only the first is shown.
 */
function firstPageOnly(
  bytes: Uint8Array,
  { linksAt, nextAt, littleEndian }: Directory,
): Uint8Array {
  const copy = bytes.slice();
  const view = viewOf(copy);
  for (const at of linksAt) view.setUint16(at, NO_TAG, littleEndian);
  for (const at of linksAt) view.setUint16(at + 2, 4, littleEndian);
  for (const at of linksAt) view.setUint32(at + 4, 1, littleEndian);
  if (nextAt + 4 <= copy.length) view.setUint32(nextAt, 0, littleEndian);
  return copy;
}
