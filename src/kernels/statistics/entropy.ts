/**
 * Entropies of a column read as a discrete distribution: z = x + eps, p = z/Σz,
 *
 *   Shannon  −Σ p log2 p        Rényi, order 2  −log2 Σ p²
 *
 * both in bits, from 0 (all in one channel) to log2 C (all channels equal).
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", who compare SMOE
 * Scale with Shannon's and tried Rényi's in a preliminary study.
 *
 * Both are computed relative to the largest value, q = z/max z. With r = Σ' q and r₂ = Σ' q² over all
 * other channels, Σq = 1 + r and Σq² = 1 + r₂, and
 *
 *   Shannon·ln 2 = ln(1 + r) − Σ' q ln q / (1 + r)        Rényi·ln 2 = 2 ln(1 + r) − ln(1 + r₂)
 *
 * All terms of the first are ≥ 0, and r₂ ≤ r. So the result stays accurate for a column with almost all in
 * one channel, whose entropy is almost 0. Values may have any magnitude.
 */

import { type ColumnValues, columnCount } from './columns.js';
import { SMOE_EPS } from './smoe.js';

/**
 * Shannon entropy of every column, in bits.
 *
 * @param out [M], overwritten; log2 C for a constant column, zeros included, and 0 for C = 1
 * @param x [M, C], activations ≥ 0; a column with NaN or ∞ gives NaN, one with negative values has no
 *   meaning
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: relative error ≤ (C + 8)·2⁻⁵² before `out` rounds it.
 */
export function shannonEntropy(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  const M = columnCount('shannonEntropy', out, x, C);
  for (let m = 0; m < M; m++) {
    const begin = m * C;
    const end = begin + C;
    const largest = indexOfLargest(x, begin, end);
    const scale = x[largest]! + eps;
    let rest = scale - scale; // 0, or NaN where it is not finite
    let logs = 0;
    for (let i = begin; i < end; i++) {
      if (i === largest) continue;
      const q = (x[i]! + eps) / scale;
      rest += q;
      if (q > 0) logs -= q * Math.log(q);
    }
    out[m] = (Math.log1p(rest) + logs / (1 + rest)) / Math.LN2;
  }
}

/**
 * Rényi entropy of order 2 of every column, in bits; never above Shannon's.
 *
 * @param out [M], overwritten; log2 C for a constant column, zeros included, and 0 for C = 1
 * @param x [M, C], activations ≥ 0; a column with NaN or ∞ gives NaN, one with negative values has no
 *   meaning
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: relative error ≤ 3·(C + 8)·2⁻⁵² before `out` rounds it.
 */
export function renyiEntropy(
  out: ColumnValues,
  x: ColumnValues,
  C: number,
  eps: number = SMOE_EPS,
): void {
  const M = columnCount('renyiEntropy', out, x, C);
  for (let m = 0; m < M; m++) {
    const begin = m * C;
    const end = begin + C;
    const largest = indexOfLargest(x, begin, end);
    const scale = x[largest]! + eps;
    let rest = scale - scale; // 0, or NaN where it is not finite
    let squares = 0;
    for (let i = begin; i < end; i++) {
      if (i === largest) continue;
      const q = (x[i]! + eps) / scale;
      rest += q;
      squares += q * q;
    }
    out[m] = (2 * Math.log1p(rest) - Math.log1p(squares)) / Math.LN2;
  }
}

function indexOfLargest(x: ColumnValues, begin: number, end: number): number {
  let largest = begin;
  for (let i = begin + 1; i < end; i++) if (x[i]! > x[largest]!) largest = i;
  return largest;
}
