/**
 * Statistics of the log-normal distribution fitted to a column: with z = x + eps, and m and v the mean
 * and the standard deviation (C − 1) of ln z,
 *
 *   mean  exp(m + v²/2)        entropy  m + ½ ln(2πe v²), in nats
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", who compare SMOE
 * Scale with both.
 *
 * ln z is computed once: mean and squares are updated value by value, after B. P. Welford, "Note on a
 * method for calculating corrected sums of squares and products", Technometrics 4 (1962) 419–420. This
 * method does not cancel, and it needs no second logarithm.
 */

import { type ColumnValues, columnCount } from './columns.js';
import { SMALLEST_SD, UNIT_NORMAL_ENTROPY } from './normal.js';
import { SMOE_EPS } from './smoe.js';

/** The logarithm of float32's largest number, rounded down. */
const LARGEST_EXPONENT = 88.72283;

/**
 * The mean of the log-normal distribution fitted to every column, exp(m + v²/2).
 *
 * @param out [M], overwritten; z for a column of one value, and never above float32's range: for a column
 *   of two values, 0 and 100, the formula gives 1e43, and the result is 3.4e38
 * @param x [M, C], activations ≥ 0; a column with NaN, ∞ or a negative value gives NaN
 * @throws {ShapeError} when x is not M columns of C
 */
export function logNormalMean(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  statisticOfLogNormal('logNormalMean', out, x, C, eps, (mean, sd) =>
    Math.exp(Math.min(mean + 0.5 * sd * sd, LARGEST_EXPONENT)),
  );
}

/**
 * The entropy of the log-normal distribution fitted to every column, m + ½ ln(2πe v²).
 *
 * @param out [M], overwritten, in nats; v is at least 1e-7, so that a constant column gives
 *   ln z − 14.699 in place of −∞, and zeros give −30.817
 * @param x [M, C], activations ≥ 0; a column with NaN, ∞ or a negative value gives NaN
 * @throws {ShapeError} when x is not M columns of C
 */
export function logNormalEntropy(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  statisticOfLogNormal(
    'logNormalEntropy',
    out,
    x,
    C,
    eps,
    (mean, sd) => mean + UNIT_NORMAL_ENTROPY + Math.log(Math.max(sd, SMALLEST_SD)),
  );
}

/** out = statistic(mean of ln z, sd of ln z) of every column. */
function statisticOfLogNormal(
  operation: string,
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number,
  statistic: (mean: number, sd: number) => number,
): void {
  const M = columnCount(operation, out, x, C);
  for (let m = 0; m < M; m++) {
    const columnBase = m * C;
    let mean = 0;
    let squares = 0;
    for (let c = 0; c < C; c++) {
      const logZ = Math.log(x[columnBase + c]! + eps);
      const deviation = logZ - mean;
      mean += deviation / (c + 1);
      squares += deviation * (logZ - mean);
    }
    out[m] = statistic(mean, Math.sqrt(squares / Math.max(C - 1, 1)));
  }
}
