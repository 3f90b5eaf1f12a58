/**
 * Statistics of a column itself, and of the normal distribution fitted to it:
 *
 *   mean  m = Σx/C        max        sd  σ = √(Σ(x − m)²/(C − 1))        entropy  ½ ln(2πe σ²), in nats
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", who compare SMOE
 * Scale with them; the maximum is in the authors' code only.
 *
 * Two passes over a column: so squares of deviations do not cancel, even if the mean is far from 0.
 * A NaN gives NaN; ∞ also gives NaN for statistics that use deviations.
 */

import { type ColumnValues, columnCount } from './columns.js';

/**
 * The smallest standard deviation that an entropy is computed from. The entropy of a constant column would
 * be −∞, and then the map's pixels would have no mean and no variance. 1e-7 is the rounding error of a
 * float32 near 1, and the eps of z.
 */
export const SMALLEST_SD = 1e-7;

/** ½ ln 2πe: the entropy, in nats, of a normal distribution with σ = 1. */
export const UNIT_NORMAL_ENTROPY: number = 0.5 * Math.log(2 * Math.PI * Math.E);

/**
 * The mean of every column.
 *
 * @param out [M], overwritten
 * @param x [M, C]
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: |error| ≤ C·2⁻⁵³·mean|x| before `out` rounds it.
 */
export function columnMean(out: ColumnValues, x: ColumnValues, C: number): void {
  const M = columnCount('columnMean', out, x, C);
  for (let m = 0; m < M; m++) {
    const end = (m + 1) * C;
    let sum = 0;
    for (let i = m * C; i < end; i++) sum += x[i]!;
    out[m] = sum / C;
  }
}

/**
 * The largest value of every column.
 *
 * @param out [M], overwritten
 * @param x [M, C]
 * @throws {ShapeError} when x is not M columns of C
 */
export function columnMax(out: ColumnValues, x: ColumnValues, C: number): void {
  const M = columnCount('columnMax', out, x, C);
  for (let m = 0; m < M; m++) {
    const end = (m + 1) * C;
    let max = -Infinity;
    for (let i = m * C; i < end; i++) max = Math.max(max, x[i]!);
    out[m] = max;
  }
}

/**
 * The standard deviation of every column, with C − 1.
 *
 * @param out [M], overwritten; exactly 0 for a constant column and for C = 1
 * @param x [M, C]
 * @throws {ShapeError} when x is not M columns of C
 */
export function columnSd(out: ColumnValues, x: ColumnValues, C: number): void {
  statisticOfNormal('columnSd', out, x, C, (_, sd) => sd);
}

/**
 * The entropy of the normal distribution fitted to every column, ½ ln(2πe σ²). It sorts columns in the
 * same order as σ, down to 1e-7.
 *
 * @param out [M], overwritten, in nats; ½ ln(2πe·1e-14) = −14.699 where σ < 1e-7, which includes a
 *   constant column and C = 1
 * @param x [M, C]
 * @throws {ShapeError} when x is not M columns of C
 */
export function normalEntropy(out: ColumnValues, x: ColumnValues, C: number): void {
  statisticOfNormal('normalEntropy', out, x, C, entropyOfSd);
}

function entropyOfSd(_: number, sd: number): number {
  return UNIT_NORMAL_ENTROPY + Math.log(Math.max(sd, SMALLEST_SD));
}

/** out = statistic(mean, sd) of every column. */
export function statisticOfNormal(
  operation: string,
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  statistic: (mean: number, sd: number) => number,
): void {
  const M = columnCount(operation, out, x, C);
  for (let m = 0; m < M; m++) {
    const begin = m * C;
    const end = begin + C;
    // Deviations from a value of the column are exactly 0 where it is constant.
    const pivot = x[begin]!;
    let sum = 0;
    for (let i = begin; i < end; i++) sum += x[i]! - pivot;
    const shift = sum / C;
    let squares = 0;
    for (let i = begin; i < end; i++) {
      const deviation = x[i]! - pivot - shift;
      squares += deviation * deviation;
    }
    out[m] = statistic(pivot + shift, Math.sqrt(squares / Math.max(C - 1, 1)));
  }
}
