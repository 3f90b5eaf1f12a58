/**
 * The oracle of the gamma functions: decimal arithmetic of as many digits as are asked for (package
 * `decimal.js`). The argument is raised to `digits` by the recurrence, where Stirling's series has
 * terms far below the last digit.
 */

import { Decimal } from 'decimal.js';

/** Functions in `digits` decimal digits; some of the last are rounding. */
export function decimalGamma(digits: number) {
  const D = Decimal.clone({ precision: digits, maxE: 9e15, minE: -9e15 });
  const bernoulli = bernoulliNumbers(D, Math.ceil(digits / 3));
  const halfLogTwoPi = D.acos(-1).times(2).ln().div(2);

  /** x + n ≥ digits, and what ln Γ, ψ and ψ′ lose on the way. */
  function raise(x: Decimal) {
    let y = x;
    let product = new D(1);
    let sum = new D(0);
    let squares = new D(0);
    for (; y.lt(digits); y = y.plus(1)) {
      const inverse = new D(1).div(y);
      product = product.times(y);
      sum = sum.plus(inverse);
      squares = squares.plus(inverse.times(inverse));
    }
    return { y, product, sum, squares };
  }

  /** Σ factor(2n)·B₂ₙ/y²ⁿ. */
  function stirlingSum(y: Decimal, factor: (m: number) => Decimal): Decimal {
    const r = new D(1).div(y.times(y));
    let power = new D(1);
    let sum = new D(0);
    bernoulli.forEach((b, i) => {
      power = power.times(r);
      sum = sum.plus(b.times(power).times(factor(2 * (i + 1))));
    });
    return sum;
  }

  function lgamma(x: number): Decimal {
    const { y, product } = raise(exactly(D, x));
    const sum = stirlingSum(y, (m) => new D(1).div(m * (m - 1))).times(y);
    return y.minus(0.5).times(y.ln()).minus(y).plus(halfLogTwoPi).plus(sum).minus(product.ln());
  }

  function digamma(x: number): Decimal {
    const { y, sum } = raise(exactly(D, x));
    const series = stirlingSum(y, (m) => new D(1).div(m));
    return y.ln().minus(new D(0.5).div(y)).minus(series).minus(sum);
  }

  function trigamma(x: number): Decimal {
    const { y, squares } = raise(exactly(D, x));
    const series = stirlingSum(y, () => new D(1)).plus(new D(0.5).div(y));
    return series.plus(1).div(y).plus(squares);
  }

  /** P(a, x) by its power series, whose terms are all positive. */
  function gammaP(shape: number, at: number): Decimal {
    const [a, x] = [exactly(D, shape), exactly(D, at)];
    const smallest = new D(10).pow(-digits - 5);
    let term = new D(1).div(a);
    let sum = term;
    for (let n = 1; term.gt(sum.times(smallest)); n++) {
      term = term.times(x).div(a.plus(n));
      sum = sum.plus(term);
    }
    return a.times(x.ln()).minus(x).minus(lgamma(shape)).exp().times(sum);
  }

  return { D, lgamma, digamma, trigamma, gammaP };
}

/** |got − exact| / |exact|. */
export function relativeError(got: number, exact: Decimal): number {
  const D = exact.constructor as typeof Decimal;
  return exact.minus(exactly(D, got)).div(exact).abs().toNumber();
}

/** A finite double, to its last bit: the package itself reads the shortest decimal that names it. */
export function exactly(D: typeof Decimal, x: number): Decimal {
  const exponent = x === 0 ? 0 : Math.max(Math.floor(Math.log2(Math.abs(x))) - 52, -1074);
  const low = Math.trunc(exponent / 2); // in two factors: either alone may leave the range of doubles
  return new D(x / 2 ** low / 2 ** (exponent - low)).times(new D(2).pow(exponent));
}

/** B₂, B₄ … B₂ₙ from Σₖ₌₀…ₘ C(m+1, k)·Bₖ = 0, with digits to spare: the sum cancels. */
function bernoulliNumbers(like: typeof Decimal, n: number): Decimal[] {
  const D = like.clone({ precision: 2 * like.precision });
  const all = [new D(1), new D(-0.5)];
  for (let m = 2; m <= 2 * n; m++) {
    let binomial = new D(1);
    let sum = new D(0);
    for (let k = 0; k < m; k++) {
      sum = sum.plus(binomial.times(all[k]!));
      binomial = binomial.times(m + 1 - k).div(k + 1);
    }
    all.push(m % 2 === 1 ? new D(0) : sum.div(-(m + 1)));
  }
  return all.filter((_, m) => m >= 2 && m % 2 === 0).map((b) => new like(b));
}
