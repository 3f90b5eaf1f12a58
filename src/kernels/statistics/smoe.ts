/**
 * SMOE Scale: Saliency Map Order Equivalent to the scale of a Gamma distribution fitted to a column.
 *
 *   z = max(x, 0) + eps,  μ = mean z,  φ = μ · (log2 μ − mean log2 z) ≥ 0
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", Eq. 1 and 2;
 * eps from the authors' code.
 *
 * `smoeReference` takes one logarithm per element. `smoeScale` multiplies first and takes one logarithm
 * for about forty elements, because Σ log2 z = log2 Π z. A product of about that many elements stays
 * within [1e-150, 1e150]. It is at least as accurate as the sum of rounded logarithms.
 * The same accumulation is fused into the convolution that ends a scale (js/epilogue.ts).
 */

import { type ColumnValues, columnCount } from './columns.js';

/** max(x, 0): the statistics count an activation below 0 as 0. NaN stays NaN. */
export function positivePart(x: number): number {
  return x < 0 ? 0 : x;
}

/** Added to every activation. An exact zero adds −log2 eps ≈ 23.3 bits to the sum of its column. */
export const SMOE_EPS = 1e-7;

/** When a running product leaves this range, its logarithm is added to the sum of logarithms. */
export const PRODUCT_MIN = 1e-150;
export const PRODUCT_MAX = 1e150;

/**
 * SMOE Scale by its formula, one logarithm per element.
 *
 * @param out [M]
 * @param x [M, C], activations; values below 0 count as 0
 */
export function smoeReference(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  const M = columnCount('smoeReference', out, x, C);
  for (let m = 0; m < M; m++) {
    let sum = 0;
    let logSum = 0;
    for (let c = 0; c < C; c++) {
      const z = positivePart(x[m * C + c]!) + eps;
      sum += z;
      logSum += Math.log2(z);
    }
    const mean = sum / C;
    out[m] = Math.max(0, mean * (Math.log2(mean) - logSum / C));
  }
}

/**
 * SMOE Scale of every column.
 *
 * @param out [M], overwritten
 * @param x [M, C], activations of any magnitude; values below 0 count as 0. A column with NaN or ∞
 *   gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: |error| ≤ (C + 64)·2⁻⁵²·μ before `out` rounds it; (log2 μ/32)² times as much for μ
 * beyond 2^±32. A column that is constant within this error gives exactly 0.
 */
export function smoeScale(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  statisticOfSums('smoeScale', out, x, C, eps, smoeFromSums);
}

/** out = statistic(Σz, Σlog2 z, C) of every column: SMOE Scale and the Gamma scale need these two sums. */
export function statisticOfSums(
  operation: string,
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number,
  statistic: (sum: number, logSum: number, C: number) => number,
): void {
  const M = columnCount(operation, out, x, C);
  for (let m = 0; m < M; m++) {
    const begin = m * C;
    const end = begin + C;
    let sum = 0;
    let product = 1;
    let logSum = 0;
    for (let i = begin; i < end; i++) {
      const z = positivePart(x[i]!) + eps;
      sum += z;
      product *= z;
      if (product < PRODUCT_MIN || product > PRODUCT_MAX) {
        logSum += Math.log2(product);
        product = 1;
      }
    }
    out[m] = statistic(sum, logSum + Math.log2(product), C);
  }
}

/** φ from a column's Σz and Σlog2 z. */
export function smoeFromSums(sum: number, logSum: number, C: number): number {
  return (sum / C) * jensenGap(sum, logSum, C);
}

/**
 * log2 μ − mean log2 z ≥ 0, the gap of Jensen's inequality. If the difference is below its rounding error,
 * the column counts as constant, and its gap is 0. If z has L bits, each product holds 500/L channels, so
 * there are C·L/500 logarithms, each rounded as part of a sum of up to C·L: the error grows with L².
 */
export function jensenGap(sum: number, logSum: number, C: number): number {
  const logMean = Math.log2(sum / C);
  const bits = logMean - logSum / C;
  const size = Math.max(1, Math.abs(logMean) / 32);
  return bits <= (C + 64) * 2 ** -52 * size * size ? 0 : bits;
}
