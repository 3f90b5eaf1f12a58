/**
 * The incomplete gamma function, regularised, in double precision: the distribution function P of a
 * Gamma distribution with shape a and scale 1, and its upper tail Q.
 *
 *   P(a, x) = 1/Γ(a) · ∫₀ˣ tᵃ⁻¹·exp(−t) dt          Q(a, x) = 1 − P(a, x)
 *
 * Method, with numbers from NIST's Digital Library of Mathematical Functions (https://dlmf.nist.gov) and
 * D = xᵃ·exp(−x)/Γ(a+1):
 *
 *   x < a + 1       P = D · Σ xⁿ/((a+1)…(a+n))                   power series (8.7.1), positive terms
 *   x ≥ a + 1       Q = a·D/(x+1−a − 1(1−a)/(x+3−a − …))        Legendre's continued fraction (8.9.2)
 *   x < 1, a < ½    Q = 1 − xᵃ/Γ(a+1) − xᵃ/Γ(a+1)·Σ a·(−x)ⁿ/((a+n)·n!)   (8.7.1), where 1 − P cancels
 *   a ≥ 1e6         Q = ½·erfc(η√(a/2)) + R(a, η)                Temme's uniform expansion (8.12)
 *
 * One of P and Q is computed; the other is 1 minus it, and is not small then. The main error of the tails
 * would be that of D: its exponent is a difference of numbers as large as a·ln a. For a ≥ 10 the exponent is
 * a·φ(x/a) with φ(λ) = λ − 1 − ln λ, computed by a series about its double zero at 1 (the "saddle point"
 * form; C. Loader, "Fast and accurate computation of binomial probabilities", 2000); of Γ only Stirling's
 * remainder is left. Then the relative error is that of exp(−a·φ): 2⁻⁵³ times the exponent, about 2e-13
 * where P or Q nearly underflows, and far less elsewhere. Cost: about √x or √a terms near x = a, and ten to
 * fifty elsewhere.
 *
 * The bounds are tested in test/math/incomplete-gamma.slow.ts, against decimal arithmetic.
 */

import { erfc } from './error-function.js';
import { lgamma1p, stirling, stirlingRemainder } from './gamma-function.js';

/** Temme's expansion is used for a ≥ HUGE; the power series would need over 8000 terms. */
const HUGE = 1e6;

/** A sum ends at a term of this relative size. It leaves room for the terms that are cut off. */
const NEGLIGIBLE = 2 ** -60;

/**
 * P(a, x), the regularised lower incomplete gamma function: the part of a Gamma distribution with
 * shape a and scale 1 that is below x.
 *
 * @param a shape ≥ 0. For a = 0 the whole distribution is at 0; for a = ∞ it is at ∞.
 * @param x ≥ 0.
 * @returns a value in [0, 1], rising in x, within 1e-12 relative where it is not subnormal. NaN where
 *   an argument is NaN or negative, or both are 0 or both ∞.
 */
export function gammaP(a: number, x: number): number {
  if (!isInside(a, x)) return belowAtEnds(a, x);
  if (a >= HUGE) return uniformExpansion(a, x, -1);
  return x < a + 1 ? powerSeries(a, x) : 1 - continuedFraction(a, x);
}

/**
 * Q(a, x) = 1 − P(a, x), the regularised upper incomplete gamma function: the part of a Gamma
 * distribution with shape a and scale 1 that is above x, without cancellation where it is small.
 *
 * Arguments as for `gammaP`.
 *
 * @returns a value in [0, 1], falling in x, within 1e-12 relative where it is not subnormal; NaN as
 *   for `gammaP`.
 */
export function gammaQ(a: number, x: number): number {
  if (!isInside(a, x)) return 1 - belowAtEnds(a, x);
  if (a >= HUGE) return uniformExpansion(a, x, 1);
  if (a < 0.5) return x < 1 ? upperOfSmallShape(a, x) : continuedFraction(a, x);
  return x < a + 1 ? 1 - powerSeries(a, x) : continuedFraction(a, x);
}

function isInside(a: number, x: number): boolean {
  return a > 0 && x > 0 && a < Infinity && x < Infinity;
}

/** P(a, x) where an argument is 0, ∞, or outside of the domain. */
function belowAtEnds(a: number, x: number): number {
  if (!(a >= 0 && x >= 0) || a === x) return NaN;
  return x === 0 || a === Infinity ? 0 : 1;
}

/** P by its power series, for x < a + 1. */
function powerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * NEGLIGIBLE; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return Math.min(1, sum * leadingTerm(a, x));
}

/**
 * Q by Legendre's continued fraction, for x ≥ 1 and x ≥ a + 1 or a < ½. Numerators over denominators
 * are updated as two ratios (W. J. Lentz, Applied Optics 15, 1976), so nothing can overflow.
 */
function continuedFraction(a: number, x: number): number {
  const leading = a * leadingTerm(a, x);
  if (leading === 0) return 0; // underflow; and x may be too large for the ratios
  let b = x + 1 - a;
  let c = Infinity; // ratio of successive numerators
  let d = 1 / b; // ratio of successive denominators, inverted
  let value = d;
  for (let n = 1; ; n++) {
    const factor = n * (a - n);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    const change = c * d;
    value *= change;
    if (!(Math.abs(change - 1) > 2 ** -53)) break;
  }
  return Math.min(1, leading * value);
}

/** Q for a < ½ and x < 1, where P is nearly 1. */
function upperOfSmallShape(a: number, x: number): number {
  const exponent = a * Math.log(x) - lgamma1p(a);
  let power = 1; // (−x)ⁿ/n!
  let sum = 0;
  for (let n = 1; Math.abs(power) > NEGLIGIBLE; n++) {
    power *= -x / n;
    sum += power / (a + n);
  }
  return -Math.expm1(exponent) - Math.exp(exponent) * a * sum;
}

/** D = xᵃ·exp(−x)/Γ(a+1), the first term of the power series. */
function leadingTerm(a: number, x: number): number {
  if (a >= 10) {
    const exponent = a * excess(a, x) + stirlingRemainder(a);
    return Math.exp(-exponent) / Math.sqrt(2 * Math.PI * a);
  }
  // Γ(a+1) by Γ(y+1) = y·Γ(y), from a y for which Stirling's formula is accurate. `lgamma` is also accurate near
  // its zeros, but those digits would be lost in the sum.
  let y = a + 1;
  let product = 1;
  for (; y < 10; y++) product *= y;
  return product * Math.exp(a * Math.log(x) - x - stirling(y));
}

/** φ(λ) = λ − 1 − ln λ ≥ 0 for λ = x/a, without cancellation near its double zero at 1. */
function excess(a: number, x: number): number {
  const lambda = x / a;
  if (!(lambda > 0.5 && lambda < 2)) return lambda - 1 - Math.log(lambda);
  // With μ = λ − 1 and v = μ/(2 + μ): ln λ = 2·artanh v, and 2v = μ − μ·v, so that μ itself drops out.
  const mu = (x - a) / a;
  const v = mu / (2 + mu);
  const square = v * v;
  let power = 2 * v * square;
  let sum = 0;
  for (let n = 3; Math.abs(power) > 2 ** -56 * square; n += 2) {
    sum += power / n;
    power *= square;
  }
  return mu * v - sum;
}

/**
 * P (side = −1) or Q (side = 1) for a ≥ 1e6 (N. M. Temme, "The asymptotic expansion of the incomplete
 * gamma functions", SIAM J. Math. Anal. 10, 1979; DLMF 8.12.3–8.12.13). With ½η² = φ(x/a), η of the sign of x − a,
 *
 *   R(a, η) = exp(−½aη²)/√(2πa) · Σ cₖ(η)/aᵏ.
 *
 * Unless P or Q underflows, |η| < 0.04. Then the Taylor polynomials of c₀ and c₁, of degrees 6 and 3, have
 * an error below 1e-15, and c₂/a² is below 5e-15 · R.
 */
function uniformExpansion(a: number, x: number, side: 1 | -1): number {
  const exponent = a * excess(a, x);
  const above = x > a ? 1 : -1;
  if (exponent > 750) return side === above ? 0 : 1;
  const eta = above * Math.sqrt((2 * exponent) / a);
  let c0 = 1 / 25515;
  c0 = c0 * eta - 139 / 777600;
  c0 = c0 * eta + 1 / 2835;
  c0 = c0 * eta + 1 / 864;
  c0 = c0 * eta - 2 / 135;
  c0 = c0 * eta + 1 / 12;
  c0 = c0 * eta - 1 / 3;
  let c1 = -77 / 77760;
  c1 = c1 * eta + 1 / 378;
  c1 = c1 * eta - 1 / 288;
  c1 = c1 * eta - 1 / 540;
  const rest = (Math.exp(-exponent) * (c0 + c1 / a)) / Math.sqrt(2 * Math.PI * a);
  return 0.5 * erfc(side * above * Math.sqrt(exponent)) + side * rest;
}
