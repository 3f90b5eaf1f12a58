/** BMP's run lengths, RLE8 and RLE4. Source: Microsoft, "Bitmap Compression". */

import { FormatError } from '../../errors.js';

/** The codes after a zero count; from 3 on, a number of uncompressed pixels. */
const END_OF_LINE = 0;
const END = 1;
const MOVE = 2;

/**
 * Rows of palette indices, `rowBytes` each, from the bottom, as in an uncompressed file. Pixels that
 * are skipped, and those after an end, have index 0.
 *
 * @param depth bits of an index, 8 or 4
 */
export function unpackRuns(
  packed: Uint8Array,
  width: number,
  height: number,
  depth: number,
  rowBytes: number,
): Uint8Array {
  const rows = new Uint8Array(rowBytes * height);
  let x = 0;
  let y = 0;
  const put = (index: number): void => {
    // Runs that are too long for the row are cut.
    if (x < width && y < height) {
      if (depth === 8) rows[y * rowBytes + x] = index;
      else rows[y * rowBytes + (x >> 1)]! |= x & 1 ? index : index << 4;
    }
    x++;
  };
  /** Pixel `n`, counted from byte `at`. */
  const indexAt = (at: number, n: number): number => {
    if (depth === 8) return packed[at + n]!;
    return n & 1 ? packed[at + (n >> 1)]! & 15 : packed[at + (n >> 1)]! >> 4;
  };
  for (let i = 0; y < height && !(y === height - 1 && x >= width); ) {
    if (i + 2 > packed.length) throw truncated(y, height);
    const count = packed[i]!;
    const what = packed[i + 1]!;
    i += 2;
    if (count > 0) {
      for (let n = 0; n < count; n++) put(indexAt(i - 1, depth === 8 ? 0 : n & 1));
    } else if (what === END) {
      break;
    } else if (what === END_OF_LINE) {
      x = 0;
      y++;
    } else if (what === MOVE) {
      if (i + 2 > packed.length) throw truncated(y, height);
      x += packed[i]!;
      y += packed[i + 1]!;
      i += 2;
    } else {
      const bytes = Math.ceil((what * depth) / 8);
      if (i + bytes > packed.length) throw truncated(y, height);
      for (let n = 0; n < what; n++) put(indexAt(i, n));
      // They end at an even byte.
      i += bytes + (bytes & 1);
    }
  }
  return rows;
}

function truncated(y: number, height: number): FormatError {
  return new FormatError(`truncated: a BMP of ${height} rows stops in row ${y + 1}`);
}
