/**
 * TIFF: the first page. Source: Adobe, TIFF 6.0, §8 and §15; JPEG: Adobe Photoshop TIFF technical notes,
 * 2002.
 *
 * The decoder follows links in circles, reads what is missing as zeros and does not return from a
 * damaged LZW strip. So it never sees the file, but one made here: a directory of the tags that
 * matter, and the pixels of the first page unpacked into one strip. Only JPEG is left to it.
 */

import { FormatError } from '../../errors.js';
import { checkSize, type PictureHeader } from './header.js';
import { readJpegHeader } from './jpeg.js';
import {
  BYTE,
  type Directory,
  HEADER_BYTES,
  LONG,
  readDirectory,
  SHORT,
  TAG,
  withDirectory,
} from './tiff-directory.js';
import { type PieceGrid, unpackPieces } from './tiff-pieces.js';

const UNCOMPRESSED = 1;
const JPEG = 7;
/** Uncompressed, LZW, JPEG, deflate ×2, PackBits. */
const COMPRESSIONS = [UNCOMPRESSED, 5, JPEG, 8, 32946, 32773];
/** The compressions of fax machines, by number. */
const FAX = [2, 3, 4];

/** Bits a sample that the decoder gets right, by photometric interpretation. */
const DEPTHS: Record<number, { name: string; bits: number[]; samples: number[] }> = {
  0: { name: 'inverse grey', bits: [1, 4, 8, 16], samples: [1] },
  1: { name: 'grey', bits: [1, 2, 8, 16], samples: [1] },
  2: { name: 'RGB', bits: [8, 16], samples: [3, 4] },
  3: { name: 'palette', bits: [1, 2, 4, 8], samples: [1] },
  6: { name: 'YCbCr', bits: [8], samples: [3] },
};

/** The first value of a tag. */
type First = (tag: number, otherwise: number) => number;

export function readTiffHeader(bytes: Uint8Array): PictureHeader {
  const directory = readDirectory(bytes);
  const { values } = directory;
  const first: First = (tag, otherwise) => values.get(tag)?.[0] ?? otherwise;
  const width = first(TAG.width, 0);
  const height = first(TAG.height, 0);
  checkSize(width, height);
  checkLayout(directory, first);
  const grid = gridOf(directory, first, bytes.length);
  return {
    width,
    height,
    bytes:
      first(TAG.compression, 1) === JPEG
        ? jpegPage(bytes, directory, first, grid)
        : plainPage(bytes, directory, first, grid),
  };
}

/** Refuses what the decoder would turn into a wrong picture without a word. */
function checkLayout({ values }: Directory, first: First): void {
  const what = unsupportedLayout(values.get(TAG.bits) ?? [1], first);
  if (what !== undefined) {
    throw new FormatError(`${what} is not supported: save it as 8-bit RGB TIFF, PNG or JPEG`);
  }
  if (!values.has(TAG.stripOffsets) && !values.has(TAG.tileOffsets)) {
    throw new FormatError('a TIFF directory that points to no pixels');
  }
  const colors = 2 ** first(TAG.bits, 1);
  if (first(TAG.photometric, 0) === 3 && (values.get(TAG.colorMap)?.length ?? 0) < 3 * colors) {
    throw new FormatError(`a TIFF palette of less than ${colors} colors`);
  }
}

function unsupportedLayout(bits: readonly number[], first: First): string | undefined {
  const compression = first(TAG.compression, UNCOMPRESSED);
  const photometric = first(TAG.photometric, -1);
  const samples = first(TAG.samples, 1);
  const predictor = first(TAG.predictor, 1);
  const depths = DEPTHS[photometric];
  const [depth] = bits;
  if (FAX.includes(compression)) return 'a fax (CCITT) TIFF';
  if (!COMPRESSIONS.includes(compression)) return `TIFF compression ${compression}`;
  if (photometric === 5) return 'CMYK TIFF';
  if (depths === undefined || (photometric === 6 && compression !== JPEG)) {
    return photometric < 0
      ? 'TIFF without a photometric interpretation'
      : `TIFF photometric interpretation ${photometric}`;
  }
  if (
    depth === undefined ||
    bits.some((other) => other !== depth) ||
    !depths.bits.includes(depth) ||
    !depths.samples.includes(samples)
  ) {
    return `${depths.name} TIFF of ${samples} × ${depth ?? '?'} bits`;
  }
  if (compression === JPEG && depth !== 8) return `JPEG TIFF of ${depth} bits`;
  if (samples > 1 && first(TAG.planar, 1) !== 1) return 'TIFF in separate color planes';
  if (first(TAG.fillOrder, 1) !== 1) return 'TIFF of reversed bits';
  if (first(TAG.sampleFormat, 1) !== 1) return 'TIFF of signed or floating-point samples';
  return predictor > 2 || (predictor === 2 && depth < 8)
    ? `TIFF predictor ${predictor}`
    : undefined;
}

/** Where strips or tiles lie in the file and in the picture. */
function gridOf({ values, littleEndian }: Directory, first: First, fileBytes: number): PieceGrid {
  const tiled = values.has(TAG.tileOffsets);
  const width = first(TAG.width, 0);
  const height = first(TAG.height, 0);
  const pieceWidth = tiled ? first(TAG.tileWidth, 0) : width;
  // Rows of a strip: 2³² − 1, "all of them", unless stated.
  const pieceHeight = tiled
    ? first(TAG.tileHeight, 0)
    : Math.min(height, first(TAG.rowsPerStrip, height));
  checkSize(pieceWidth, pieceHeight, tiled ? 'a tile of the TIFF' : 'a strip of the TIFF');
  const across = Math.ceil(width / pieceWidth);
  const down = Math.ceil(height / pieceHeight);
  checkSize(across * pieceWidth, down * pieceHeight, 'the TIFF with all of its tiles');
  const offsets = values.get(tiled ? TAG.tileOffsets : TAG.stripOffsets) ?? [];
  const counts = values.get(tiled ? TAG.tileBytes : TAG.stripBytes) ?? [];
  if (offsets.length < across * down) {
    throw new FormatError(
      `truncated: TIFF of ${across * down} strips or tiles, ${offsets.length} are there`,
    );
  }
  const bitsPerPixel = first(TAG.bits, 1) * first(TAG.samples, 1);
  const grid = {
    width,
    height,
    pieceWidth,
    pieceHeight,
    across,
    down,
    bitsPerPixel,
    samples: first(TAG.samples, 1),
    compression: first(TAG.compression, UNCOMPRESSED),
    predicted: first(TAG.predictor, 1) === 2,
    littleEndian,
  };
  const pieces = offsets.slice(0, across * down).map((begin, i) => {
    const end = begin + (counts[i] ?? fileBytes - begin);
    // An uncompressed strip is as long as its rows, wherever its byte count leads.
    if (grid.compression === UNCOMPRESSED) return { begin, end: fileBytes };
    if (end > fileBytes || end < begin) {
      throw new FormatError(`truncated: TIFF pixels at bytes ${begin}…${end} of ${fileBytes}`);
    }
    return { begin, end };
  });
  const total = pieces.reduce((sum, { begin, end }) => sum + end - begin, 0);
  if (grid.compression !== UNCOMPRESSED && total > fileBytes) {
    throw new FormatError(`TIFF strips or tiles that overlap: ${total} bytes of ${fileBytes}`);
  }
  return { ...grid, pieces };
}

/** A TIFF of the page alone, its pixels unpacked into one strip. */
function plainPage(
  bytes: Uint8Array,
  { values, littleEndian }: Directory,
  first: First,
  grid: PieceGrid,
): Uint8Array {
  const pixels = unpackPieces(bytes, grid);
  const file = new Uint8Array(HEADER_BYTES + pixels.length);
  file.set(pixels, HEADER_BYTES);
  const colorMap = values.get(TAG.colorMap);
  return withDirectory(
    file,
    [
      [TAG.width, LONG, [grid.width]],
      [TAG.height, LONG, [grid.height]],
      [TAG.bits, SHORT, new Array<number>(grid.samples).fill(first(TAG.bits, 1))],
      [TAG.compression, SHORT, [UNCOMPRESSED]],
      [TAG.photometric, SHORT, [first(TAG.photometric, 0)]],
      [TAG.stripOffsets, LONG, [HEADER_BYTES]],
      [TAG.samples, SHORT, [grid.samples]],
      [TAG.rowsPerStrip, LONG, [grid.height]],
      [TAG.stripBytes, LONG, [pixels.length]],
      ...(colorMap ? [[TAG.colorMap, SHORT, colorMap] as const] : []),
    ],
    littleEndian,
  );
}

/** A copy whose only directory names the JPEG strips or tiles, each of them checked. */
function jpegPage(
  bytes: Uint8Array,
  { values, littleEndian }: Directory,
  first: First,
  grid: PieceGrid,
): Uint8Array {
  for (const { begin, end } of grid.pieces) {
    const { width, height } = readJpegHeader(bytes.subarray(begin, end));
    if (width > grid.pieceWidth || height > grid.pieceHeight) {
      throw new FormatError(
        `a JPEG of ${width}×${height} in a TIFF strip or tile of ${grid.pieceWidth}×${grid.pieceHeight}`,
      );
    }
  }
  const tiled = values.has(TAG.tileOffsets);
  const tables = values.get(TAG.jpegTables);
  const begins = grid.pieces.map(({ begin }) => begin);
  const lengths = grid.pieces.map(({ begin, end }) => end - begin);
  return withDirectory(
    bytes,
    [
      [TAG.width, LONG, [grid.width]],
      [TAG.height, LONG, [grid.height]],
      [TAG.bits, SHORT, new Array<number>(grid.samples).fill(8)],
      [TAG.compression, SHORT, [JPEG]],
      [TAG.photometric, SHORT, [first(TAG.photometric, 2)]],
      [TAG.samples, SHORT, [grid.samples]],
      [TAG.rowsPerStrip, LONG, [grid.pieceHeight]],
      [tiled ? TAG.tileOffsets : TAG.stripOffsets, LONG, begins],
      [tiled ? TAG.tileBytes : TAG.stripBytes, LONG, lengths],
      ...(tiled ? [[TAG.tileWidth, LONG, [grid.pieceWidth]] as const] : []),
      ...(tiled ? [[TAG.tileHeight, LONG, [grid.pieceHeight]] as const] : []),
      ...(tables ? [[TAG.jpegTables, BYTE, tables] as const] : []),
    ],
    littleEndian,
  );
}
