/**
 * Statistics of a normal distribution truncated to [0, ∞): what a ReLU leaves of it, without the zeros.
 * It is fitted to a column *before* the ReLU, with mean m and standard deviation σ (C − 1). With
 * α = −m/σ, Z = 1 − Φ(α), λ = φ(α)/Z:
 *
 *   mean  m + σλ        sd  σ√(1 + αλ − λ²)        entropy  ln(√(2πe) σZ) + αλ/2, in nats
 *
 * Layout: columns [M, C], row-major; one output value for each column.
 * Source: Mundhenk, Chen, Friedland, "Efficient Saliency Maps for Explainable AI", who compare SMOE
 * Scale with all three; the formulas are those of N. L. Johnson, S. Kotz, N. Balakrishnan, "Continuous
 * Univariate Distributions" 1 (1994), 13.10.
 *
 * If the mean is far below zero, only the tail is left: Z underflows, and the formulas are differences of
 * nearly equal numbers. All of them can be written with δ = λ − α, the mean of the tail's excess over α,
 * and with V = 1 − λδ, the variance of this excess:
 *
 *   mean  σδ        sd  σ√V        entropy  ln σ + ½ + αδ/2 − ln λ
 *
 * Laplace's continued fraction of the tail, φ(α)/Z = α + 1/(α + 2/(α + 3/(α + …))) (Abramowitz & Stegun,
 * 26.2.14), then gives both without a subtraction that cancels: with κ = 2/(α + 3/(α + …)),
 *
 *   δ = 1/(α + κ),        V = 1 − (α + δ)/(α + κ) = δ(κ − δ),        δ → 1/α, κ → 2/α.
 */

import { erfc } from '../../math/index.js';
import type { ColumnValues } from './columns.js';
import { SMALLEST_SD, statisticOfNormal, UNIT_NORMAL_ENTROPY } from './normal.js';

/** The continued fraction is used for α ≥ TAIL, where 1 + αλ − λ² has lost two digits. */
const TAIL = 2;

/** Terms of the continued fraction. The relative error is 8e-16 of δ and 7e-15 of V at α = TAIL, less beyond. */
const TAIL_TERMS = 100;

/** 1/√(2π) = φ(0). */
const PEAK: number = 1 / Math.sqrt(2 * Math.PI);

/**
 * The mean of the truncated normal distribution fitted to every column, m + σλ.
 *
 * @param out [M], overwritten; max(0, v) for a column whose values are all v, and for C = 1
 * @param x [M, C], before the ReLU; NaN or ∞ gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: relative error ≤ 1e-14 for given m and σ.
 */
export function truncatedNormalMean(out: ColumnValues, x: ColumnValues, C: number): void {
  statisticOfNormal('truncatedNormalMean', out, x, C, (mean, sd) => {
    if (sd === 0) return Math.max(0, mean);
    const alpha = -mean / sd;
    return alpha < TAIL ? mean + sd * hazard(alpha) : sd * excess(alpha);
  });
}

/**
 * The standard deviation of the truncated normal distribution fitted to every column,
 * σ√(1 + αλ − λ²): less than σ, and less than the mean above.
 *
 * @param out [M], overwritten; 0 for a constant column and for C = 1
 * @param x [M, C], before the ReLU; NaN or ∞ gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: relative error ≤ 1e-13 for given m and σ.
 */
export function truncatedNormalSd(out: ColumnValues, x: ColumnValues, C: number): void {
  statisticOfNormal('truncatedNormalSd', out, x, C, (mean, sd) =>
    sd === 0 ? 0 : sd * Math.sqrt(excessVariance(-mean / sd)),
  );
}

/**
 * The entropy of the truncated normal distribution fitted to every column, ln(√(2πe) σZ) + αλ/2.
 *
 * @param out [M], overwritten, in nats; σ is at least 1e-7, so that a column whose values are all v
 *   gives a number in place of −∞: −14.699 for v ≫ 1e-7, −15.392 for 0, and
 *   1 + ln(1e-14/|v|) for v ≪ −1e-7
 * @param x [M, C], before the ReLU; NaN or ∞ gives NaN
 * @throws {ShapeError} when x is not M columns of C
 *
 * Accuracy: |error| ≤ 1e-14 · (1 + |ln σ|) for given m and σ.
 */
export function truncatedNormalEntropy(out: ColumnValues, x: ColumnValues, C: number): void {
  statisticOfNormal('truncatedNormalEntropy', out, x, C, (mean, measuredSd) => {
    const sd = Math.max(measuredSd, SMALLEST_SD);
    const alpha = -mean / sd;
    if (alpha < TAIL) {
      const logZ = Math.log(upperTail(alpha));
      return UNIT_NORMAL_ENTROPY + Math.log(sd) + logZ + 0.5 * alpha * hazard(alpha);
    }
    const delta = excess(alpha);
    return Math.log(sd) + 0.5 + 0.5 * alpha * delta - Math.log(alpha + delta);
  });
}

/** Z = 1 − Φ(α). */
function upperTail(alpha: number): number {
  return 0.5 * erfc(alpha * Math.SQRT1_2);
}

/** λ = φ(α)/Z for α < TAIL. */
function hazard(alpha: number): number {
  return (PEAK * Math.exp(-0.5 * alpha * alpha)) / upperTail(alpha);
}

/** δ = λ − α for α ≥ TAIL. */
function excess(alpha: number): number {
  return 1 / (alpha + continuedFraction(alpha));
}

/** V = 1 − λδ, the variance of a standard normal variable that is known to exceed α. */
function excessVariance(alpha: number): number {
  if (alpha < TAIL) {
    const lambda = hazard(alpha);
    return 1 - lambda * (lambda - alpha);
  }
  const kappa = continuedFraction(alpha);
  const delta = 1 / (alpha + kappa);
  return delta * (kappa - delta);
}

/** κ = 2/(α + 3/(α + 4/(α + …))), from its last term to its first. */
function continuedFraction(alpha: number): number {
  let kappa = 0;
  for (let n = TAIL_TERMS; n >= 2; n--) kappa = n / (alpha + kappa);
  return kappa;
}
