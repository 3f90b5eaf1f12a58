/**
 * BMP → RGBA. Source: Microsoft, BITMAPFILEHEADER to BITMAPV5HEADER and "Bitmap Compression"; IBM, OS/2
 * Presentation Manager, BITMAPINFOHEADER2.
 *
 * Our own decoder, because bmp-ts, which jimp has, reads RLE, 4-bit rows of odd width, masks and alpha wrong.
 */

import { FormatError } from '../../errors.js';
import { unpackRuns } from './bmp-runs.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import { checkSize, type PictureSize, textAt, UnreadableKindError, viewOf } from './header.js';

const FILE_HEADER = 14;
/** The first header of OS/2: sizes of 16 bits, colors of 3 bytes. */
const CORE_HEADER = 12;
const INFO_HEADER = 40;
/** OS/2's second header has 16 to 64 bytes; its compressions 3 and 4 differ from Microsoft's. */
const OS2_HEADER = 64;
/** The headers with masks of red, green, blue; and with a mask of alpha too. */
const V2_HEADER = 52;
const V3_HEADER = 56;
const HEADERS = [CORE_HEADER, 16, INFO_HEADER, V2_HEADER, V3_HEADER, OS2_HEADER, 108, 124];
const DEPTHS = [1, 2, 4, 8, 16, 24, 32];

const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;

export const BMP: PictureFormat<Header> = {
  name: 'BMP',
  matches: (bytes) => textAt(bytes, 0, 2) === 'BM',
  readHeader,
  decode: decodeBmp,
  orientationOf: () => 1,
  forSharp: () => undefined,
};

interface Header extends PictureSize {
  readonly headerBytes: number;
  readonly pixelsAt: number;
  readonly depth: number;
  readonly compression: number;
  readonly topDown: boolean;
  /** Colors in the palette; 0 if the depth decides. */
  readonly colors: number;
}

function readHeader(bytes: Uint8Array): Header {
  const view = viewOf(bytes);
  const headerBytes = view.getUint32(FILE_HEADER, true);
  if (!HEADERS.includes(headerBytes)) {
    throw new UnreadableKindError(`a BMP with a header of ${headerBytes} bytes`);
  }
  const isCore = headerBytes === CORE_HEADER;
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  if (width < 0) throw new FormatError(`damaged: a BMP of width ${width}`);
  checkSize(width, height);
  const header = {
    width,
    height,
    headerBytes,
    pixelsAt: view.getUint32(10, true),
    depth: view.getUint16(isCore ? 24 : 28, true),
    compression: headerBytes < INFO_HEADER ? RGB : view.getUint32(30, true),
    topDown: signedHeight < 0,
    colors: headerBytes < INFO_HEADER ? 0 : view.getUint32(46, true),
  };
  checkKind(header);
  checkLength(header, bytes.length);
  return header;
}

function checkKind({ depth, compression, headerBytes, topDown }: Header): void {
  if (!DEPTHS.includes(depth)) throw new UnreadableKindError(`a BMP of ${depth} bits`);
  const masked = compression === BIT_FIELDS || compression === ALPHA_BIT_FIELDS;
  const fits =
    compression === RGB ||
    (compression === RLE8 && depth === 8 && !topDown) ||
    (compression === RLE4 && depth === 4 && !topDown) ||
    (masked && (depth === 16 || depth === 32) && headerBytes !== OS2_HEADER);
  if (!fits) throw new UnreadableKindError(`a BMP of ${depth} bits and compression ${compression}`);
}

function checkLength(header: Header, length: number): void {
  const { width, height, depth, compression, pixelsAt } = header;
  if (pixelsAt < paletteAt(header) || pixelsAt > length) {
    throw new FormatError(
      `truncated or damaged: BMP pixels at byte ${pixelsAt}, outside ${paletteAt(header)}…${length}`,
    );
  }
  if (compression === RLE8 || compression === RLE4) return;
  // The last row needs no padding.
  const taken = rowBytesOf(header) * (height - 1) + Math.ceil((width * depth) / 8);
  if (pixelsAt + taken > length) {
    throw new FormatError(
      `truncated: ${width}×${height} BMP pixels take ${taken} bytes, ${length - pixelsAt} are there`,
    );
  }
}

/** Rows are padded to 4 bytes. */
function rowBytesOf({ width, depth }: Header): number {
  return 4 * Math.ceil((width * depth) / 32);
}

/** Masks follow the shortest header that can have them, and are inside the longer ones. */
function paletteAt({ headerBytes, compression }: Header): number {
  const masks = { [BIT_FIELDS]: 12, [ALPHA_BIT_FIELDS]: 16 }[compression] ?? 0;
  return FILE_HEADER + headerBytes + (headerBytes === INFO_HEADER ? masks : 0);
}

async function decodeBmp(bytes: Uint8Array, header: Header): Promise<DecodedPicture> {
  const { width, height, depth, topDown } = header;
  const data = new Uint8Array(4 * width * height);
  const rowBytes = rowBytesOf(header);
  const write =
    depth <= 8 ? indexedRow(bytes, header) : depth === 24 ? row24 : maskedRow(bytes, header);
  const packed = bytes.subarray(header.pixelsAt);
  const isRuns = header.compression === RLE8 || header.compression === RLE4;
  const rows = isRuns ? unpackRuns(packed, width, height, depth, rowBytes) : packed;
  for (let y = 0; y < height; y++) {
    const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes);
    const at = 4 * width * (topDown ? y : height - 1 - y);
    write(data.subarray(at, at + 4 * width), row);
  }
  return { data, width, height, decoder: 'bmp' };
}

/** Fills `out`, a row of RGBA, from a stored row. */
type WriteRow = (out: Uint8Array, row: Uint8Array) => void;

function indexedRow(bytes: Uint8Array, header: Header): WriteRow {
  const { depth } = header;
  const palette = readPalette(bytes, header);
  const most = 2 ** depth - 1;
  return (out, row) => {
    for (let x = 0, o = 0; o < out.length; x++, o += 4) {
      const bit = x * depth;
      const index = (row[bit >> 3]! >> (8 - depth - (bit & 7))) & most;
      out[o] = palette[4 * index]!;
      out[o + 1] = palette[4 * index + 1]!;
      out[o + 2] = palette[4 * index + 2]!;
      out[o + 3] = 255;
    }
  };
}

/** RGBA of each index; an index without a color is black. */
function readPalette(bytes: Uint8Array, header: Header): Uint8Array {
  const size = 2 ** header.depth;
  const step = header.headerBytes === CORE_HEADER ? 3 : 4;
  const begin = paletteAt(header);
  // The palette may be shorter than its header says; then the last indices are not used.
  const room = Math.floor((bytes.length - begin) / step);
  const count = Math.min(header.colors || size, size, room);
  const palette = new Uint8Array(4 * size);
  for (let i = 0; i < count; i++) {
    const [blue, green, red] = bytes.subarray(begin + i * step, begin + i * step + 3);
    palette.set([red!, green!, blue!], 4 * i);
  }
  return palette;
}

function row24(out: Uint8Array, row: Uint8Array): void {
  for (let o = 0, i = 0; o < out.length; o += 4, i += 3) {
    out[o] = row[i + 2]!;
    out[o + 1] = row[i + 1]!;
    out[o + 2] = row[i]!;
    out[o + 3] = 255;
  }
}

/** The bits of a pixel for one channel. */
interface Mask {
  readonly bits: number;
  readonly shift: number;
  /** The largest value: white. */
  readonly most: number;
}

function maskedRow(bytes: Uint8Array, header: Header): WriteRow {
  const [red, green, blue, alpha] = masksOf(bytes, header).map(splitMask);
  const { depth } = header;
  return (out, row) => {
    for (let o = 0, i = 0; o < out.length; o += 4, i += depth >> 3) {
      const low = row[i]! | (row[i + 1]! << 8);
      const pixel = depth === 16 ? low : low | (row[i + 2]! << 16) | (row[i + 3]! << 24);
      out[o] = level(pixel, red!);
      out[o + 1] = level(pixel, green!);
      out[o + 2] = level(pixel, blue!);
      out[o + 3] = alpha!.most === 0 ? 255 : level(pixel, alpha!);
    }
  };
}

/** For red, green, blue, alpha. */
function masksOf(bytes: Uint8Array, header: Header): number[] {
  const { depth, compression, headerBytes } = header;
  if (compression === RGB) {
    return depth === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0xff0000, 0xff00, 0xff, 0];
  }
  const view = viewOf(bytes);
  const hasAlpha = compression === ALPHA_BIT_FIELDS || headerBytes >= V3_HEADER;
  const at = FILE_HEADER + INFO_HEADER;
  return [0, 4, 8, 12].map((o) => (o < 12 || hasAlpha ? view.getUint32(at + o, true) : 0));
}

function splitMask(bits: number): Mask {
  const shift = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits);
  const most = bits >>> shift;
  if ((most & (most + 1)) !== 0) {
    throw new FormatError(`damaged: a BMP mask with gaps, ${bits.toString(16)}`);
  }
  return { bits, shift, most };
}

function level(pixel: number, { bits, shift, most }: Mask): number {
  return most === 0 ? 0 : Math.round((((pixel & bits) >>> shift) * 255) / most);
}
