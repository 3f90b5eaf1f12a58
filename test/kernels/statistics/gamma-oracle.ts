/**
 * The full maximum-likelihood scale of a Gamma distribution, independent of the library: the shape k
 * solves ln k − ψ(k) = s, found by bisection; θ = μ/k.
 */

/** From here on the asymptotic series (A&S 6.3.18) leaves 1e-17; below, ψ(k) = ψ(k + 1) − 1/k. */
const LARGE = 20;

/** ln k − ψ(k), without cancellation for large k. */
function logMinusDigamma(k: number): number {
  let recurrence = 0;
  let x = k;
  for (; x < LARGE; x++) recurrence += 1 / x;
  const r = 1 / (x * x);
  const series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132)))));
  return 1 / (2 * x) + series + (x === k ? 0 : Math.log(k / x) + recurrence);
}

/** g(s) = 1/k(s): θ at μ = 1. Decreasing in k, so bisection over the exponent of k. */
export function gammaScaleAtUnitMean(s: number): number {
  // 1/(2k) < ln k − ψ(k) < 1/k brackets k in (1/(2s), 1/s).
  let low = 1 / (2 * s);
  let high = 1 / s;
  for (let i = 0; i < 200 && high - low > low * 1e-15; i++) {
    const mid = (low + high) / 2;
    if (logMinusDigamma(mid) > s) low = mid;
    else high = mid;
  }
  return 2 / (low + high);
}

/** θ of a column: μ·g(s), s = ln μ − mean ln z. 0 on a constant column. */
export function gammaScale(column: readonly number[], eps = 1e-7): number {
  const z = column.map((x) => x + eps);
  const mean = z.reduce((sum, v) => sum + v, 0) / z.length;
  const s = Math.log(mean) - z.reduce((sum, v) => sum + Math.log(v), 0) / z.length;
  return s > 1e-14 ? mean * gammaScaleAtUnitMean(s) : 0;
}
