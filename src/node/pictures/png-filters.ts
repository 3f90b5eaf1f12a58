/** PNG's row filters, undone. Source: W3C PNG, 3rd edition, §9. */

import { FormatError } from '../../errors.js';

const FILTERS = ['none', 'sub', 'up', 'average', 'paeth'] as const;

/**
 * Undoes the filter of one row in place. The row at `rows[at]` begins with the number of its filter; the row
 * above, which is done already, ends there.
 *
 * @param pixelBytes bytes of a pixel, at least 1
 * @param isFirst there is no row above; zeros are used instead
 */
export function unfilter(
  rows: Uint8Array,
  at: number,
  rowBytes: number,
  pixelBytes: number,
  isFirst: boolean,
): void {
  const begin = at + 1;
  const end = begin + rowBytes;
  const stride = rowBytes + 1;
  switch (FILTERS[rows[at]!]) {
    case 'none':
      return;
    case 'sub':
      for (let i = begin + pixelBytes; i < end; i++) rows[i]! += rows[i - pixelBytes]!;
      return;
    case 'up':
      if (isFirst) return;
      for (let i = begin; i < end; i++) rows[i]! += rows[i - stride]!;
      return;
    case 'average':
      for (let i = begin; i < end; i++) {
        const left = i < begin + pixelBytes ? 0 : rows[i - pixelBytes]!;
        rows[i]! += (left + (isFirst ? 0 : rows[i - stride]!)) >> 1;
      }
      return;
    case 'paeth':
      unfilterPaeth(rows, begin, end, pixelBytes, isFirst ? undefined : stride);
      return;
    default:
      throw new FormatError(`damaged: PNG filter ${rows[at]}`);
  }
}

/**
 * Adds left, above or upper left, whichever is nearest to left + above − upper left. Without a branch, because
 * in a photograph the choice cannot be predicted.
 */
function unfilterPaeth(
  rows: Uint8Array,
  begin: number,
  end: number,
  pixelBytes: number,
  stride: number | undefined,
): void {
  const inner = begin + pixelBytes;
  if (stride === undefined) {
    // Above and upper left are zeros: the nearest is left.
    for (let i = inner; i < end; i++) rows[i]! += rows[i - pixelBytes]!;
    return;
  }
  // Left and upper left are zeros: the nearest is above.
  for (let i = begin; i < Math.min(inner, end); i++) rows[i]! += rows[i - stride]!;
  for (let i = inner; i < end; i++) {
    const left = rows[i - pixelBytes]!;
    const above = rows[i - stride]!;
    const corner = rows[i - stride - pixelBytes]!;
    const toLeft = Math.abs(above - corner);
    const toAbove = Math.abs(left - corner);
    const toCorner = Math.abs(left + above - 2 * corner);
    // All ones if above is nearer than left, and if upper left is nearer than both.
    const isAbove = (toAbove - toLeft) >> 31;
    const isCorner = (toCorner - toLeft - ((toAbove - toLeft) & isAbove)) >> 31;
    const nearer = left ^ ((left ^ above) & isAbove);
    rows[i] = rows[i]! + (nearer ^ ((nearer ^ corner) & isCorner));
  }
}
