/**
 * Where a TIFF page is in its file, and what its samples mean: read from the directory and checked,
 * before anything is unpacked. Source: Adobe, TIFF 6.0; Photoshop TIFF technical notes, 2002.
 */

import { FormatError } from '../../../errors.js';
import { checkSize, type PictureSize, UnreadableKindError } from '../header.js';
import { type Directory, TAG } from './directory.js';

export const COMPRESSION = {
  none: 1,
  lzw: 5,
  jpeg: 7,
  deflate: 8,
  oldDeflate: 32946,
  packBits: 32773,
  zstd: 50000,
  webp: 50001,
} as const;

/** Unsupported compressions, by their names. */
const UNREAD_COMPRESSIONS: Readonly<Record<number, string>> = {
  2: 'a fax (CCITT) TIFF',
  3: 'a fax (CCITT) TIFF',
  4: 'a fax (CCITT) TIFF',
  6: 'an old-style JPEG TIFF',
  34887: 'a LERC TIFF',
  34925: 'an LZMA TIFF',
};

/** What samples mean. */
export type Colors = 'grey' | 'rgb' | 'palette' | 'cmyk' | 'ycbcr' | 'lab';

/** By photometric interpretation; 0 is grey with zero as white. */
const COLORS: Readonly<Record<number, { colors: Colors; samples: number }>> = {
  0: { colors: 'grey', samples: 1 },
  1: { colors: 'grey', samples: 1 },
  2: { colors: 'rgb', samples: 3 },
  3: { colors: 'palette', samples: 1 },
  5: { colors: 'cmyk', samples: 4 },
  6: { colors: 'ycbcr', samples: 3 },
  8: { colors: 'lab', samples: 3 },
};

export const UNSIGNED = 1;
export const SIGNED = 2;
export const FLOAT = 3;

/** Bits of a sample, by its format. */
const BITS: Readonly<Record<number, readonly number[]>> = {
  [UNSIGNED]: [...Array.from({ length: 16 }, (_, i) => i + 1), 24, 32],
  [SIGNED]: [8, 16, 32],
  [FLOAT]: [16, 32, 64],
};

/** The most strips or tiles: each one costs time, whatever its size. */
const MAX_PIECES = 1_000_000;
/** The most bytes of a strip or tile: 100 megapixels of four 16-bit samples. */
const MAX_PIECE_BYTES = 8e8;

export interface Layout extends PictureSize {
  readonly littleEndian: boolean;
  readonly compression: number;
  /** 1: values, 2: differences, 3: differences of the bytes of floating-point numbers. */
  readonly predictor: number;
  readonly format: number;
  /** Bits of a sample. */
  readonly bits: number;
  /** Stored samples of a pixel. */
  readonly samples: number;
  /** Each sample has its own pieces. */
  readonly planar: boolean;
  readonly colors: Colors;
  /** Zero is white. */
  readonly inverted: boolean;
  /** Which samples are read: those of the color, and then alpha if there is one. */
  readonly read: readonly number[];
  readonly alpha: 'none' | 'straight' | 'premultiplied';
  readonly tiled: boolean;
  /** Size of a strip or tile. */
  readonly pieceWidth: number;
  readonly pieceHeight: number;
  /** Strips or tiles, from the top left, plane by plane. */
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
}

/** @param most the most pixels of the page, and of a piece of it if it is not read in pieces; default as decoded */
export function readLayout(directory: Directory, fileBytes: number, most?: number): Layout {
  const { first, littleEndian } = directory;
  const width = first(TAG.width, 0);
  const height = first(TAG.height, 0);
  checkSize(width, height, undefined, most);
  const compression = first(TAG.compression, COMPRESSION.none);
  if (!Object.values<number>(COMPRESSION).includes(compression)) {
    throw new UnreadableKindError(
      UNREAD_COMPRESSIONS[compression] ?? `a TIFF of compression ${compression}`,
    );
  }
  if (first(TAG.fillOrder, 1) !== 1) throw new UnreadableKindError('a TIFF of reversed bits');
  const numbers = readNumbers(directory);
  const meaning = readMeaning(directory, numbers.samples, compression);
  const planar = numbers.samples > 1 && first(TAG.planar, 1) === 2;
  const layout = {
    width,
    height,
    littleEndian,
    compression,
    predictor: first(TAG.predictor, 1),
    ...numbers,
    planar,
    ...meaning,
  };
  checkCombination(layout, directory);
  return { ...layout, ...readPieces(directory, layout, fileBytes, most) };
}

function readNumbers({ first, values }: Directory): Pick<Layout, 'format' | 'bits' | 'samples'> {
  const samples = first(TAG.samples, 1);
  if (!(samples >= 1 && samples <= 65_535)) throw new FormatError(`a TIFF of ${samples} samples`);
  const [bits = 1, ...otherBits] = values(TAG.bits, samples);
  const [format = UNSIGNED, ...otherFormats] = values(TAG.sampleFormat, samples);
  if (otherBits.some((other) => other !== bits) || otherFormats.some((other) => other !== format)) {
    throw new UnreadableKindError('a TIFF with samples of different types');
  }
  // 4 means an unknown format.
  const known = format === 4 ? UNSIGNED : format;
  if (!BITS[known]?.includes(bits)) {
    const kind = { [SIGNED]: 'signed', [FLOAT]: 'floating-point' }[known] ?? '';
    throw new UnreadableKindError(`a TIFF of ${bits}-bit ${kind} samples`.replace('  ', ' '));
  }
  return { samples, bits, format: known };
}

/**
 * Extra samples of an unknown kind are not alpha. If a grey picture has two or more of them, as
 * satellite pictures have, the first three bands are used as red, green and blue.
 */
function readMeaning(
  { first, values }: Directory,
  samples: number,
  compression: number,
): Pick<Layout, 'colors' | 'inverted' | 'read' | 'alpha'> {
  const photometric = first(TAG.photometric, -1);
  const found = COLORS[photometric];
  if (found === undefined || samples < found.samples) {
    throw new UnreadableKindError(
      photometric < 0
        ? 'a TIFF without a photometric interpretation'
        : `a TIFF of photometric interpretation ${photometric} and ${samples} samples`,
    );
  }
  const extra = values(TAG.extraSamples, samples - found.samples);
  const kind = extra.find((one) => one === 1 || one === 2);
  const alphaAt = kind === undefined ? [] : [found.samples + extra.indexOf(kind)];
  const bands = Array.from({ length: samples }, (_, i) => i).filter((i) => !alphaAt.includes(i));
  const isMultiband = found.colors === 'grey' && bands.length >= 3;
  // The decoder of these gives RGB.
  const isConverted = compression === COMPRESSION.jpeg && found.colors === 'ycbcr';
  return {
    colors: isMultiband || isConverted ? 'rgb' : found.colors,
    inverted: photometric === 0,
    read: [...bands.slice(0, isMultiband ? 3 : found.samples), ...alphaAt],
    alpha: kind === undefined ? 'none' : kind === 1 ? 'premultiplied' : 'straight',
  };
}

/** Refuses files that would be decoded wrong. */
function checkCombination(layout: Omit<Layout, keyof Pieces>, directory: Directory): void {
  const { compression, colors, bits, format, samples, planar, predictor } = layout;
  const isWhole = bits === 8 || bits === 16 || bits === 32 || bits === 64;
  const refuse = (what: string): never => {
    throw new UnreadableKindError(what);
  };
  if (predictor > 3 || predictor < 1 || (predictor > 1 && (!isWhole || bits === 64))) {
    refuse(`a TIFF of ${bits} bits and predictor ${predictor}`);
  }
  if (predictor === 3 && format !== FLOAT) refuse('a TIFF of whole numbers and predictor 3');
  if (colors === 'palette') {
    const room = directory.values(TAG.colorMap, 3 * 2 ** bits).length;
    if (bits > 8) refuse(`a palette TIFF of ${bits} bits`);
    if (room < 3 * 2 ** bits)
      throw new FormatError(`a TIFF palette of less than ${2 ** bits} colors`);
  }
  const isColorSpace = colors === 'cmyk' || colors === 'lab' || colors === 'ycbcr';
  if (isColorSpace && (format !== UNSIGNED || (bits !== 8 && bits !== 16))) {
    refuse(`a ${colors.toUpperCase()} TIFF of ${bits}-bit samples`);
  }
  if (colors === 'cmyk' && directory.first(TAG.inkSet, 1) !== 1) refuse('a TIFF of other inks');
  if (colors === 'ycbcr' && (bits !== 8 || isSubsampled(directory)))
    refuse('a subsampled YCbCr TIFF');
  const isPicture = compression === COMPRESSION.jpeg || compression === COMPRESSION.webp;
  if (!isPicture) return;
  const inPiece = planar ? 1 : samples;
  const counts = compression === COMPRESSION.jpeg ? [1, 3, 4] : [3, 4];
  if (bits !== 8 || format !== UNSIGNED || !counts.includes(inPiece)) {
    refuse(`a TIFF of ${samples} × ${bits} bits as JPEG or WebP`);
  }
  if (planar && directory.first(TAG.photometric, 0) === 6) refuse('a YCbCr TIFF in planes');
}

function isSubsampled({ values }: Directory): boolean {
  const [across = 2, down = 2] = values(TAG.subsampling, 2);
  return across !== 1 || down !== 1;
}

type Pieces = Pick<Layout, 'tiled' | 'pieceWidth' | 'pieceHeight' | 'offsets' | 'byteCounts'>;

/** Positions of strips or tiles. The tags of strips may also be used for tiles. */
function readPieces(
  directory: Directory,
  layout: Omit<Layout, keyof Pieces>,
  fileBytes: number,
  most?: number,
): Pieces {
  const { first, values, has } = directory;
  const { width, height, samples, planar, bits, compression } = layout;
  const tiled = has(TAG.tileWidth);
  const pieceWidth = tiled ? first(TAG.tileWidth, 0) : width;
  // Rows of a strip: 2³² − 1, "all of them", unless stated.
  const pieceHeight = tiled
    ? first(TAG.tileHeight, 0)
    : Math.min(height, first(TAG.rowsPerStrip, height) || height);
  checkSize(pieceWidth, pieceHeight, tiled ? 'a tile of the TIFF' : 'a strip of the TIFF', most);
  const across = Math.ceil(width / pieceWidth);
  const down = Math.ceil(height / pieceHeight);
  checkSize(across * pieceWidth, down * pieceHeight, 'the TIFF with all of its tiles', most);
  const rowBytes = Math.ceil((pieceWidth * (planar ? 1 : samples) * bits) / 8);
  const count = across * down * (planar ? samples : 1);
  if (count > MAX_PIECES || rowBytes * pieceHeight > MAX_PIECE_BYTES) {
    throw new UnreadableKindError(
      `a TIFF of ${count} strips or tiles of ${rowBytes * pieceHeight} bytes`,
    );
  }
  const hasTileTags = has(TAG.tileOffsets);
  const offsets = values(hasTileTags ? TAG.tileOffsets : TAG.stripOffsets, count);
  const stated = values(hasTileTags ? TAG.tileBytes : TAG.stripBytes, count);
  if (offsets.length < count) {
    throw new FormatError(
      `truncated: TIFF of ${count} strips or tiles, ${offsets.length} are there`,
    );
  }
  // An uncompressed piece is as long as its rows; its byte count is ignored.
  const rowsOf = (i: number): number =>
    tiled ? pieceHeight : Math.min(pieceHeight, height - (i % down) * pieceHeight);
  const byteCounts = offsets.map((offset, i) => {
    if (offset === 0 && stated[i] === 0) return 0;
    if (compression === COMPRESSION.none) return rowBytes * rowsOf(i);
    return stated[i] ?? fileBytes - offset;
  });
  checkBytes(offsets, byteCounts, fileBytes, compression);
  return { tiled, pieceWidth, pieceHeight, offsets, byteCounts };
}

function checkBytes(
  offsets: readonly number[],
  byteCounts: readonly number[],
  fileBytes: number,
  compression: number,
): void {
  let total = 0;
  for (const [i, begin] of offsets.entries()) {
    const end = begin + byteCounts[i]!;
    // Pieces without data, with no bytes and no position, are empty.
    if (!(end <= fileBytes) || (end === begin && begin !== 0)) {
      throw new FormatError(`truncated: TIFF pixels at bytes ${begin}…${end} of ${fileBytes}`);
    }
    total += end - begin;
  }
  if (compression !== COMPRESSION.none && total > fileBytes) {
    throw new FormatError(`TIFF strips or tiles that overlap: ${total} bytes of ${fileBytes}`);
  }
}
