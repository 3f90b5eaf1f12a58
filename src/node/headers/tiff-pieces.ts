/**
 * The strips and tiles of a TIFF page → its rows, uncompressed. Each piece must hold all of its rows;
 * nothing is read past its end, and no more is unpacked than its rows take.
 *
 * Source: Adobe, TIFF 6.0, §9 (PackBits), §13 (LZW), §14 (predictor), §15 (tiles); deflate: Adobe
 * Photoshop TIFF technical notes, 2002.
 */

import { FormatError } from '../../errors.js';
import { viewOf } from './header.js';
import { inflateAtMost } from './inflate.js';

/** Pieces (strips or tiles) of one size, in rows from the top left. */
export interface PieceGrid {
  /** Of the picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of a piece; those at the right and at the bottom reach beyond the picture. */
  readonly pieceWidth: number;
  readonly pieceHeight: number;
  /** Number of pieces. */
  readonly across: number;
  readonly down: number;
  readonly bitsPerPixel: number;
  readonly samples: number;
  /** The tag's number. */
  readonly compression: number;
  /** Samples are differences to the pixel on their left. */
  readonly predicted: boolean;
  readonly littleEndian: boolean;
  /** Where each piece lies in the file. */
  readonly pieces: readonly { readonly begin: number; readonly end: number }[];
}

/** Unpacks `packed` into `out` until one of them ends; returns the bytes written. */
type Unpack = (out: Uint8Array, packed: Uint8Array) => number;

const UNPACK: Readonly<Record<number, Unpack>> = {
  1: unpackNothing,
  5: unpackLzw,
  8: unpackDeflate,
  32946: unpackDeflate,
  32773: unpackBits,
};

/** The rows of the picture, each of whole bytes. */
export function unpackPieces(file: Uint8Array, grid: PieceGrid): Uint8Array {
  const { width, height, pieceWidth, pieceHeight, across, bitsPerPixel } = grid;
  const rowBytes = Math.ceil((width * bitsPerPixel) / 8);
  const pieceRowBytes = Math.ceil((pieceWidth * bitsPerPixel) / 8);
  const out = new Uint8Array(rowBytes * height);
  const piece = new Uint8Array(pieceRowBytes * pieceHeight);
  for (const [i, { begin, end }] of grid.pieces.entries()) {
    const top = Math.floor(i / across) * pieceHeight;
    const left = (i % across) * pieceRowBytes;
    const rows = Math.min(pieceHeight, height - top);
    const there = UNPACK[grid.compression]!(piece, file.subarray(begin, end));
    if (there < rows * pieceRowBytes) {
      throw new FormatError(
        `truncated: TIFF pixels at byte ${begin} take ${rows * pieceRowBytes} bytes, ${there} are there`,
      );
    }
    for (let y = 0; y < rows; y++) {
      const row = piece.subarray(y * pieceRowBytes, (y + 1) * pieceRowBytes);
      if (grid.predicted) addUp(row, grid);
      out.set(row.subarray(0, rowBytes - left), (top + y) * rowBytes + left);
    }
  }
  return out;
}

function unpackNothing(out: Uint8Array, packed: Uint8Array): number {
  const length = Math.min(out.length, packed.length);
  out.set(packed.subarray(0, length));
  return length;
}

function unpackDeflate(out: Uint8Array, packed: Uint8Array): number {
  const pixels = inflateAtMost(packed, out.length);
  out.set(pixels);
  return pixels.length;
}

/** Runs: n ≥ 0 leads n + 1 bytes as they are, n < 0 a byte to be repeated 1 − n times, −128 nothing. */
function unpackBits(out: Uint8Array, packed: Uint8Array): number {
  let o = 0;
  for (let i = 0; i + 1 < packed.length && o < out.length; ) {
    const n = (packed[i++]! << 24) >> 24;
    if (n >= 0) {
      const run = packed.subarray(i, i + Math.min(n + 1, out.length - o));
      out.set(run, o);
      o += run.length;
      i += n + 1;
    } else if (n > -128) {
      const length = Math.min(1 - n, out.length - o);
      out.fill(packed[i++]!, o, o + length);
      o += length;
    }
  }
  return o;
}

const CLEAR = 256;
const END = 257;
const FIRST_WIDTH = 9;
const LAST_WIDTH = 12;

/**
 * LZW, codes of 9 to 12 bits, the most significant bit first. A table entry is the string before it
 * and one character more, and that is how they stand in the output already: the table holds where.
 */
function unpackLzw(out: Uint8Array, packed: Uint8Array): number {
  const starts = new Uint32Array(1 << LAST_WIDTH);
  const lengths = new Uint32Array(1 << LAST_WIDTH);
  let next = END + 1;
  let width = FIRST_WIDTH;
  let start = 0;
  let length = 0; // of the string before; 0 after a clear
  let bits = 0;
  let held = 0;
  let o = 0;
  for (let i = 0; o < out.length; ) {
    while (held < width) {
      if (i === packed.length) return o;
      bits = ((bits & 0xfff) << 8) | packed[i++]!;
      held += 8;
    }
    held -= width;
    const code = (bits >>> held) & ((1 << width) - 1);
    if (code === END) return o;
    if (code === CLEAR) {
      next = END + 1;
      width = FIRST_WIDTH;
      length = 0;
      continue;
    }
    const begin = o;
    if (length > 0 && next < 1 << LAST_WIDTH) {
      starts[next] = start;
      lengths[next] = length + 1;
      next++;
      // One code early, as the format has it.
      if (next + 1 === 1 << width && width < LAST_WIDTH) width++;
    }
    if (code < CLEAR) {
      out[o++] = code;
      length = 1;
    } else if (code < next) {
      length = lengths[code]!;
      // Byte by byte: the newest string overlaps what it is copied from.
      for (let from = starts[code]!; o < out.length && o < begin + length; )
        out[o++] = out[from++]!;
    } else {
      throw new FormatError(`damaged: TIFF LZW code ${code} before it is defined`);
    }
    start = begin;
  }
  return o;
}

/** Undoes the horizontal predictor in one row: every sample plus the one on its left. */
function addUp(row: Uint8Array, { samples, bitsPerPixel, littleEndian }: PieceGrid): void {
  if (bitsPerPixel === 8 * samples) {
    for (let i = samples; i < row.length; i++) row[i]! += row[i - samples]!;
    return;
  }
  const view = viewOf(row);
  for (let i = 2 * samples; i + 1 < row.length; i += 2) {
    const left = view.getUint16(i - 2 * samples, littleEndian);
    view.setUint16(i, view.getUint16(i, littleEndian) + left, littleEndian);
  }
}
