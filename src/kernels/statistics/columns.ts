/**
 * Columns: an activation tensor [N, H, W, C] read as [M, C], M = N·H·W, row-major. A column is the C
 * values of one pixel, which are next to each other in memory.
 */

import { ShapeError } from '../../errors.js';

/** The values of columns, or one value for each column. Sums are always in double precision. */
export type ColumnValues = Float32Array | Float64Array;

/**
 * Returns the number of columns, the length of `out`.
 *
 * @throws {ShapeError} in the name of `operation`, when x is not M columns of C
 */
export function columnCount(
  operation: string,
  out: ColumnValues,
  x: ColumnValues,
  C: number,
): number {
  const M = out.length;
  if (!(C >= 1) || x.length !== M * C) {
    throw new ShapeError(
      `${operation}: x expected length ${M * C} for ${M} columns of ${C}, got ${x.length}`,
    );
  }
  return M;
}
