/**
 * The Gamma distribution function of the authors' code, for comparison: the power series of P,
 * cut after 8 terms,
 *
 *   tᵏ·exp(−t)/Γ(k) · Σₙ₌₀…₇ tⁿ/(k(k+1)…(k+n)),      t = y/θ
 *
 * It is not a distribution function: above some t the missing terms are too large, and it falls
 * back to 0, so that the most salient pixel may become the darkest. `gammaP` is the whole series.
 *
 *   k                  0.5     1       2       5       10      18
 *   falls from t =     3.07    3.76    4.95    8.18    13.30   21.38
 *   there it is        0.979   0.962   0.928   0.837   0.726   0.612     and P 0.987 … 0.796
 *   at twice that t    0.782   0.657   0.469   0.171   0.032   0.002     and P above 0.999
 *
 * Γ is also the authors': Lanczos's approximation (C. Lanczos, "A precision approximation of the
 * gamma function", SIAM J. Numer. Anal. 1, 1964) with g = 7 and P. Godfrey's 9 coefficients (2001),
 * which their code, like √2π, holds in float32. This causes a difference from Γ of some 3e-7 of it.
 */

const TERMS = 8;

const G = 7;

const LANCZOS: readonly number[] = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
].map(Math.fround);

const SQRT_TWO_PI = Math.fround(Math.sqrt(2 * Math.PI));

/** The series up to its eighth term, over Γ(k); 0 where it overflows. */
export function gammaReference(k: number, t: number): number {
  let term = 1 / k;
  let sum = term;
  for (let n = 1; n < TERMS; n++) {
    term *= t / (k + n);
    sum += term;
  }
  const value = (t ** k * Math.exp(-t) * sum) / lanczosGamma(k);
  return Number.isFinite(value) || Number.isNaN(t) ? value : 0;
}

/** Γ(k) = Γ(k+1)/k, Γ(k+1) = √2π·u^(k+½)·exp(−u)·(c₀ + Σ cᵢ/(k+i)) with u = k + g + ½. */
function lanczosGamma(k: number): number {
  let sum = 0.9999999999998099;
  for (let i = 0; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (k + i + 1);
  const u = k + G + 0.5;
  return (SQRT_TWO_PI * u ** (k + 0.5) * Math.exp(-u) * sum) / k;
}
