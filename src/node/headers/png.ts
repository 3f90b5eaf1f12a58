/** PNG: the IHDR chunk, and whether all pixels are there. Source: W3C PNG, 3rd edition, §5 and §11. */

import { FormatError } from '../../errors.js';
import { checkSize, type PictureHeader, textAt, viewOf } from './header.js';
import { inflateAtMost } from './inflate.js';

/** Samples of a pixel, by color type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Adam7's passes: first column and row, steps across and down. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function readPngHeader(bytes: Uint8Array): PictureHeader {
  const view = viewOf(bytes);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  if (textAt(bytes, 12, 4) !== 'IHDR') throw new FormatError('its first PNG chunk is not IHDR');
  checkSize(width, height);
  const { data, end } = readChunks(bytes, view);
  const samples = SAMPLES[view.getUint8(25)];
  // A color type that there is none of is the decoder's to refuse.
  if (samples !== undefined) {
    const bitsPerPixel = samples * view.getUint8(24);
    checkPixels(data, filteredBytes(width, height, bitsPerPixel, view.getUint8(28) !== 0));
  }
  // What follows the end of the picture is no part of it, but the decoder would refuse it.
  return {
    width,
    height,
    bytes: bytes.subarray(0, end),
  };
}

interface Chunks {
  /** Of all IDAT. */
  readonly data: readonly Uint8Array[];
  /** Where IEND ends, or the file. */
  readonly end: number;
}

/** Chunks: length, type, data, CRC. The decoder checks them; here a broken one ends the search. */
function readChunks(bytes: Uint8Array, view: DataView): Chunks {
  const data: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const type = textAt(bytes, at + 4, 4);
    const begin = at + 8;
    const end = begin + view.getUint32(at);
    if (type === 'IDAT') data.push(bytes.subarray(begin, end));
    at = end + 4;
    if (type === 'IEND') return { data, end: at };
  }
  return { data, end: bytes.length };
}

/** The decoder fills rows that are missing with whatever its memory holds. */
function checkPixels(data: readonly Uint8Array[], expected: number): void {
  const there = inflateAtMost(Buffer.concat(data), expected).length;
  if (there < expected) {
    throw new FormatError(`truncated: PNG pixels take ${expected} bytes, ${there} are there`);
  }
}

/** Bytes of all rows, each led by its filter's number. */
function filteredBytes(
  width: number,
  height: number,
  bitsPerPixel: number,
  interlaced: boolean,
): number {
  const bytesOf = (columns: number, rows: number): number =>
    columns === 0 ? 0 : rows * (1 + Math.ceil((columns * bitsPerPixel) / 8));
  if (!interlaced) return bytesOf(width, height);
  return ADAM7.reduce((sum, [x, y, stepX, stepY]) => {
    const columns = Math.max(0, Math.ceil((width - x) / stepX));
    const rows = Math.max(0, Math.ceil((height - y) / stepY));
    return sum + bytesOf(columns, rows);
  }, 0);
}
