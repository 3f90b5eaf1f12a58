/**
 * The gamma function's logarithm, the derivatives of that, and the shape of a Gamma distribution, in
 * double precision and for x ≥ 0:
 *
 *   lgamma(x) = ln Γ(x)        digamma(x) = ψ(x) = d/dx ln Γ(x)        trigamma(x) = ψ′(x)
 *
 * Method, with B₂ₙ = 1/6, −1/30, 1/42 … (Bernoulli) and M. Abramowitz, I. A. Stegun, "Handbook of
 * Mathematical Functions" (1964):
 *
 *   x ≥ 10   Stirling's series and its derivatives, 8 terms each, next term below 4e-17 (6.1.41, 6.3.18, 6.4.12)
 *              ln Γ(x) = (x − ½)·ln x − x + ½·ln 2π + Σ B₂ₙ/(2n(2n−1)·x²ⁿ⁻¹)
 *              ψ(x)  = ln x − 1/(2x) − Σ B₂ₙ/(2n·x²ⁿ)
 *              ψ′(x) = 1/x + 1/(2x²) + Σ B₂ₙ/x²ⁿ⁺¹
 *   x < 10   ψ and ψ′ are moved up to x ≥ 10 with ψ(x) = ψ(x+1) − 1/x (6.3.5). ln Γ must stay accurate near
 *            its zeros at 1 and 2. It uses the Taylor series about 2 (6.1.33), degree 25, with an error below
 *            1e-17 for |t| ≤ ½; other x are moved there with Γ(x+1) = x·Γ(x):
 *              ln Γ(2+t) = (1−γ)·t + Σₖ₌₂… (−1)ᵏ·(ζ(k) − 1)/k · tᵏ
 *
 * The bounds are tested in test/math/gamma-function.test.ts, against 60-digit arithmetic.
 */

/** ½·ln 2π. */
const HALF_LOG_TWO_PI = 0.9189385332046728;

/** Stirling's series is used for x ≥ LARGE. */
const LARGE = 10;

/** 1 − γ, with Euler's constant γ: the slope of ln Γ at 2. */
const SLOPE_AT_TWO = 0.42278433509846713;

/** (ζ(k) − 1)/k for k = 2 … 25, with Riemann's ζ (Abramowitz & Stegun, table 23.3). */
const ZETA_TERMS: readonly number[] = [
  0.3224670334241132, 0.0673523010531981, 0.020580808427784546, 0.007385551028673986,
  0.0028905103307415234, 0.001192753911703261, 5.096695247430425e-4, 2.231547584535794e-4,
  9.945751278180853e-5, 4.492623673813314e-5, 2.050721277567069e-5, 9.439488275268397e-6,
  4.374866789907488e-6, 2.039215753801366e-6, 9.55141213040742e-7, 4.492469198764566e-7,
  2.1207184805554665e-7, 1.00432248239681e-7, 4.7698101693639804e-8, 2.2711094608943164e-8,
  1.0838659214896955e-8, 5.183475041970047e-9, 2.4836745438024785e-9, 1.1921401405860912e-9,
];

/**
 * ln Γ(x) for x ≥ 0.
 *
 * @returns within 1e-15 relative, also near the zeros at 1 and 2. ∞ at 0, at ∞ and where it
 *   overflows, from 2.55e305; NaN for NaN and x < 0.
 */
export function lgamma(x: number): number {
  if (!(x >= 0)) return NaN;
  if (x < 0.5) return lgamma1p(x) - Math.log(x);
  if (x < 1.5) return lgamma1p(x - 1);
  if (x < LARGE) {
    let product = 1;
    let y = x;
    while (y > 2.5) product *= --y;
    return Math.log(product) + lgammaFromTwo(y - 2);
  }
  if (x === Infinity) return Infinity; // not ∞ − ∞, which is NaN
  return stirling(x);
}

/** ln Γ(x) for x ≥ 10, within 1e-15 relative. */
export function stirling(x: number): number {
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingRemainder(x);
}

/** ln Γ(1 + t) for |t| ≤ ½, within 1e-15 relative for every t, however small. */
export function lgamma1p(t: number): number {
  return lgammaFromTwo(t) - Math.log1p(t);
}

/** ln Γ(2 + t) for |t| ≤ ½, by its Taylor series. */
function lgammaFromTwo(t: number): number {
  let sum = 0;
  for (let i = ZETA_TERMS.length - 1; i >= 0; i--) sum = ZETA_TERMS[i]! - t * sum;
  return t * (SLOPE_AT_TWO + t * sum);
}

/**
 * ln Γ(x) − ((x − ½)·ln x − x + ½·ln 2π) for x ≥ 10: the error of Stirling's formula, within 1e-16.
 */
export function stirlingRemainder(x: number): number {
  const r = 1 / (x * x);
  let sum = -3617 / 122400;
  sum = sum * r + 1 / 156;
  sum = sum * r - 691 / 360360;
  sum = sum * r + 1 / 1188;
  sum = sum * r - 1 / 1680;
  sum = sum * r + 1 / 1260;
  sum = sum * r - 1 / 360;
  return (sum * r + 1 / 12) / x;
}

/**
 * The digamma function ψ(x), the derivative of ln Γ, for x ≥ 0.
 *
 * @returns within 2e-15·max(1, |ψ(x)|): a relative bound, except near its zero x = 1.4616…, where it is
 *   absolute. −∞ at 0, ∞ at ∞, NaN for NaN and x < 0.
 */
export function digamma(x: number): number {
  if (!(x >= 0)) return NaN;
  let sum = 0;
  let y = x;
  for (; y < LARGE; y++) sum += 1 / y;
  return Math.log(y) - logMinusDigammaLarge(y) - sum;
}

/**
 * The trigamma function ψ′(x), the second derivative of ln Γ, for x ≥ 0.
 *
 * @returns within 1e-15 relative. ∞ at 0 and where it overflows, below 7.5e-155; 0 at ∞; NaN for
 *   NaN and x < 0.
 */
export function trigamma(x: number): number {
  if (!(x >= 0)) return NaN;
  let sum = 0;
  let y = x;
  for (; y < LARGE; y++) sum += 1 / (y * y);
  return sum + (1 + trigammaExcessLarge(y) / y) / y;
}

/**
 * ln x − ψ(x) for x ≥ 0, without cancellation where both are large. It falls from ∞ at 0 to 0 at ∞,
 * and is between 1/(2x) and 1/x.
 *
 * @returns within 4e-15 relative; NaN for NaN and x < 0.
 */
export function logMinusDigamma(x: number): number {
  if (!(x >= 0)) return NaN;
  if (x >= LARGE) return logMinusDigammaLarge(x);
  if (x < 1e-300) return 1 / x; // the logarithm is negligible, and ∞ − ∞ would be NaN
  let sum = 0;
  let y = x;
  for (; y < LARGE; y++) sum += 1 / y;
  return sum - Math.log(y / x) + logMinusDigammaLarge(y);
}

/** ln x − ψ(x) for x ≥ 10. */
function logMinusDigammaLarge(x: number): number {
  const r = 1 / (x * x);
  let sum = -3617 / 8160;
  sum = sum * r + 1 / 12;
  sum = sum * r - 691 / 32760;
  sum = sum * r + 1 / 132;
  sum = sum * r - 1 / 240;
  sum = sum * r + 1 / 252;
  sum = sum * r - 1 / 120;
  sum = sum * r + 1 / 12;
  return (0.5 + sum / x) / x;
}

/** x²·(ψ′(x) − 1/x) for x ≥ 10; it falls to ½. */
function trigammaExcessLarge(x: number): number {
  const r = 1 / (x * x);
  let sum = -3617 / 510;
  sum = sum * r + 7 / 6;
  sum = sum * r - 691 / 2730;
  sum = sum * r + 5 / 66;
  sum = sum * r - 1 / 30;
  sum = sum * r + 1 / 42;
  sum = sum * r - 1 / 30;
  sum = sum * r + 1 / 6;
  return 0.5 + sum / x;
}

/** Outside of [NARROW, WIDE] the shape is 1/(2s) or 1/s to the last digit. */
const NARROW = 1e-20;
const WIDE = 1e20;

/**
 * The shape k of the Gamma distribution that fits a sample best (maximum likelihood): the root of
 *
 *   ln k − ψ(k) = s,      s = ln(mean) − mean(ln) ≥ 0
 *
 * The scale is θ = mean/k. Method: the start of S. C. Choi and R. Wette, "Maximum likelihood
 * estimation of the parameters of the gamma distribution", Technometrics 11 (1969) 683–690,
 *
 *   k₀ = (3 − s + √((s − 3)² + 24s))/(12s),
 *
 * then the secant method in q = 1/k, which starts from q = 0 and q = 1/k₀. As a function of q the left side is 0
 * at 0, and convex with a slope between ½ and 1, so it is nearly a straight line (T. P. Minka, "Estimating a Gamma
 * distribution", 2002): about five steps are enough.
 *
 * @param s the logarithm of the arithmetic mean over the geometric mean. For a constant sample it is 0, or
 *   negative because of rounding.
 * @returns k within 1e-14 relative; ∞ for s ≤ 0, 0 for ∞, NaN for NaN.
 */
export function gammaShape(s: number): number {
  if (s <= NARROW) return s > 0 ? 0.5 / s : Infinity;
  if (s >= WIDE) return 1 / s;
  const root = Math.sqrt((s - 3) * (s - 3) + 24 * s);
  // 1/k₀. Of two equal forms, this takes the one that does not cancel.
  let q = s < 3 ? (12 * s) / (3 - s + root) : (root + s - 3) / 2;
  let [before, valueBefore] = [0, 0];
  for (let step = 0; step < 12; step++) {
    const value = logMinusDigamma(1 / q);
    const change = ((s - value) * (q - before)) / (value - valueBefore);
    [before, valueBefore] = [q, value];
    q += change;
    // The error after a step is about the product of the last two errors: after a change of 1e-10 only rounding is
    // left. NaN ends here, too.
    if (!(Math.abs(change) > 1e-10 * q)) break;
  }
  return 1 / q;
}
