/**
 * SMOE Scale: Saliency Map Order Equivalent to the scale of a Gamma distribution fitted to a column.
 *
 *   z = x + eps,  μ = mean z,  φ = μ · (log2 μ − mean log2 z) ≥ 0
 *
 * Layout: columns [M, C], row-major, one value out for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", Eq. 1 and 2;
 * eps from the authors' code.
 *
 * `smoeReference` takes one logarithm an element. `smoeScale` multiplies first and takes one
 * logarithm for some forty elements: Σ log2 z = log2 Π z, and a double holds a product of that many
 * before it leaves [1e-150, 1e150]. It is at least as accurate as the sum of rounded logarithms.
 * The same accumulation is fused into the convolution that ends a scale (js/conv2d.ts).
 */

import { ShapeError } from '../../errors.js';

/** Added to every activation. An exact zero adds −log2 eps ≈ 23.3 bits to its column. */
export const SMOE_EPS = 1e-7;

/** A running product is folded into the sum of logarithms when it leaves this range. */
export const PRODUCT_MIN = 1e-150;
export const PRODUCT_MAX = 1e150;

/**
 * SMOE Scale by its formula, one logarithm an element.
 *
 * @param out [M]
 * @param x [M, C], activations ≥ 0
 */
export function smoeReference(
  out: Float32Array | Float64Array,
  x: Float32Array | Float64Array,
  C: number,
  eps: number = SMOE_EPS,
): void {
  const M = columnCount('smoeReference', out.length, x.length, C);
  for (let m = 0; m < M; m++) {
    let sum = 0;
    let logSum = 0;
    for (let c = 0; c < C; c++) {
      const z = x[m * C + c]! + eps;
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
 * @param x [M, C], activations ≥ 0 of any magnitude; a NaN, ∞ or negative one gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: |error| ≤ (C + 64)·2⁻⁵²·μ before `out` rounds it; a column constant to within that
 * gives exactly 0.
 */
export function smoeScale(
  out: Float32Array | Float64Array,
  x: Float32Array | Float64Array,
  C: number,
  eps: number = SMOE_EPS,
): void {
  const M = columnCount('smoeScale', out.length, x.length, C);
  for (let m = 0; m < M; m++) {
    const begin = m * C;
    const end = begin + C;
    let sum = 0;
    let product = 1;
    let logSum = 0;
    for (let i = begin; i < end; i++) {
      const z = x[i]! + eps;
      sum += z;
      product *= z;
      if (product < PRODUCT_MIN || product > PRODUCT_MAX) {
        logSum += Math.log2(product);
        product = 1;
      }
    }
    out[m] = smoeFromSums(sum, logSum + Math.log2(product), C);
  }
}

/**
 * φ from a column's Σz and Σlog2 z. A difference of logarithms below its own rounding error is a
 * constant column, whose φ is 0 by Jensen's equality.
 */
export function smoeFromSums(sum: number, logSum: number, C: number): number {
  const mean = sum / C;
  const bits = Math.log2(mean) - logSum / C;
  return bits <= (C + 64) * 2 ** -52 ? 0 : mean * bits;
}

function columnCount(name: string, M: number, length: number, C: number): number {
  if (!(C >= 1) || length !== M * C) {
    throw new ShapeError(
      `${name}: x expected length ${M * C} for ${M} columns of ${C}, got ${length}`,
    );
  }
  return M;
}
