/**
 * The error function and its complement, in double precision.
 *
 *   erf(x)  = 2/√π · ∫₀ˣ exp(−t²) dt          erfc(x) = 1 − erf(x)
 *
 * Method: the rational minimax approximations of W. J. Cody, "Rational Chebyshev approximations
 * for the error function", Mathematics of Computation 23 (1969) 631–637; the coefficients are those
 * of its netlib edition (https://www.netlib.org/specfun/erf), rounded to doubles. With y = |x|:
 *
 *   y ≤ 0.46875        erf  = x · A(y²)/B(y²)                              degrees 4/4
 *   0.46875 < y ≤ 4    erfc = exp(−y²) · C(y)/D(y)                         degrees 8/8
 *   4 < y              erfc = exp(−y²)/√π · 1/(y + ½/(y + 1/(y + 1½/(y + 2/(y + …)))))
 *
 * The last one is Laplace's continued fraction (M. Abramowitz, I. A. Stegun, "Handbook of Mathematical
 * Functions", 7.1.14). The rationals, and the fraction with its 24 terms, are accurate to about 1e-18. The
 * main error of the tail would be exp(−y²): rounding y² gives an error of up to y²·2⁻⁵³, and exp turns it
 * into a relative error. So y is split after its fourth binary digit, y = c + r: then c² is exact, and
 * exp(−y²) = exp(−c²)·exp(−r(y + c)). Against 3072-bit Taylor series in test/math/error-function.test.ts:
 * relative error < 1e-15 for erf, and for erfc until it underflows near x = 26.5.
 */

/** 1/√π. */
const INV_SQRT_PI = 0.5641895835477563;

/** erf is x·A/B up to here, and erfc is exp(−y²)·C/D beyond. */
const SMALL = 0.46875;

/** Terms of the continued fraction. */
const TERMS = 24;

/** For larger x, erfc(x) is less than half of the smallest subnormal number. */
const UNDERFLOW = 27.3;

/**
 * The error function, 2/√π · ∫₀ˣ exp(−t²) dt.
 *
 * @param x any number; NaN gives NaN, ±∞ gives ±1.
 * @returns a value in [−1, 1], odd in x, within 1e-15 relative.
 */
export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= SMALL) return erfNearZero(x);
  const value = 1 - erfcPositive(y);
  return x < 0 ? -value : value;
}

/**
 * The complementary error function, 1 − erf(x), with no cancellation for large x: twice the upper
 * tail of a normal distribution with variance ½. Φ(z) = ½·erfc(−z/√2).
 *
 * @param x any number; NaN gives NaN, ∞ gives 0, −∞ gives 2.
 * @returns a value in [0, 2], within 1e-15 relative where it is not subnormal.
 */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= SMALL) return 1 - erfNearZero(x);
  const tail = erfcPositive(y);
  return x < 0 ? 2 - tail : tail;
}

/** erf for |x| ≤ SMALL. */
function erfNearZero(x: number): number {
  const s = x * x;
  const a =
    (((1.8577770618460315e-1 * s + 3.1611237438705655) * s + 1.1386415415105016e2) * s +
      3.77485237685302e2) *
      s +
    3.2093775891384694e3;
  const b =
    (((s + 2.3601290952344122e1) * s + 2.4402463793444417e2) * s + 1.2826165260773723e3) * s +
    2.844236833439171e3;
  return (x * a) / b;
}

/** erfc for y > SMALL, or NaN. */
function erfcPositive(y: number): number {
  if (y > UNDERFLOW) return 0;
  const rational = y <= 4 ? erfcMiddle(y) : erfcFar(y);
  const cut = Math.floor(y * 16) / 16;
  return Math.exp(-cut * cut) * Math.exp(-(y - cut) * (y + cut)) * rational;
}

/** erfc(y)·exp(y²) for SMALL < y ≤ 4. */
function erfcMiddle(y: number): number {
  let c = 2.1531153547440383e-8 * y + 5.641884969886701e-1;
  c = c * y + 8.883149794388377;
  c = c * y + 6.611919063714163e1;
  c = c * y + 2.986351381974001e2;
  c = c * y + 8.81952221241769e2;
  c = c * y + 1.7120476126340707e3;
  c = c * y + 2.0510783778260716e3;
  c = c * y + 1.2303393547979972e3;
  let d = y + 1.5744926110709835e1;
  d = d * y + 1.176939508913125e2;
  d = d * y + 5.371811018620099e2;
  d = d * y + 1.6213895745666903e3;
  d = d * y + 3.2907992357334597e3;
  d = d * y + 4.362619090143247e3;
  d = d * y + 3.4393676741437216e3;
  d = d * y + 1.2303393548037495e3;
  return c / d;
}

/** erfc(y)·exp(y²) for y > 4, which is rare. So the fraction is used: it is slower than a rational, but shorter. */
function erfcFar(y: number): number {
  let fraction = 0;
  for (let n = TERMS; n > 0; n--) fraction = (0.5 * n) / (y + fraction);
  return INV_SQRT_PI / (y + fraction);
}
