/**
 * The scale of the Gamma distribution fitted to a column by maximum likelihood: with z = x + eps,
 *
 *   μ = mean z,   s = ln μ − mean ln z,   k the root of ln k − ψ(k) = s,   θ = μ/k
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", Eq. 10–13; k by
 * `gammaShape`.
 *
 * SMOE Scale, φ = μ·s/ln 2, replaces this value: it needs the same two sums, but no root to find.
 * ln 2·φ < θ < 2 ln 2·φ; docs/order-equivalence.md explains what this means for the order of columns.
 */

import { gammaShape } from '../../math/index.js';
import type { ColumnValues } from './columns.js';
import { jensenGap, SMOE_EPS, statisticOfSums } from './smoe.js';

/**
 * The Gamma scale θ of every column.
 *
 * @param out [M], overwritten; exactly 0 for constant columns, zeros included, and for C = 1
 * @param x [M, C], activations; values below 0 count as 0. A column with NaN or ∞ gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: |error| ≤ 2·(C + 64)·2⁻⁵²·μ + 1e-14·θ before `out` rounds it; for μ beyond 2^±32 see
 * `smoeScale`.
 */
export function gammaScale(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  statisticOfSums('gammaScale', out, x, C, eps, gammaFromSums);
}

/** θ from a column's Σz and Σlog2 z. The shape of a constant column is ∞, and θ = 0. */
function gammaFromSums(sum: number, logSum: number, C: number): number {
  return sum / C / gammaShape(Math.LN2 * jensenGap(sum, logSum, C));
}
