import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digamma, gammaShape, lgamma, logMinusDigamma, trigamma } from '../../src/math/index.js';
import { loadGolden } from '../goldens.js';
import { decimalGamma, exactly, relativeError } from './decimal-gamma.js';

const exact = decimalGamma(60);

/** Every magnitude; both sides of the seams, and of the zeros of ln Γ and ψ. */
const sweep = [
  ...Array.from({ length: 61 }, (_, i) => 10 ** (i / 2 - 15)),
  ...Array.from({ length: 80 }, (_, i) => 0.07 + 0.171 * i),
  ...[0.5, 1, 1.5, 2, 2.5, 10].flatMap((seam) => [
    seam * (1 - 2 ** -52),
    seam,
    seam * (1 + 2 ** -52),
  ]),
  ...[1, 2].flatMap((zero) => [1e-12, 1e-6, 1e-3].flatMap((d) => [zero - d, zero + d])),
  1.4616321449683622,
  1e-300,
  1e-150,
  1e150,
  1e300,
];

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

describe('lgamma', () => {
  test('is within 1e-15 (relative) of 60 digits from 1e-300 to 1e300, also near its zeros 1 and 2', () => {
    for (const x of sweep) {
      if (x === 1 || x === 2) expect(lgamma(x)).toBe(0);
      else expect(relativeError(lgamma(x), exact.lgamma(x)), `${x}`).toBeLessThanOrEqual(1e-15);
    }
  });

  test('is the logarithm of a factorial, within 1e-15', () => {
    let factorial = 1;
    for (let n = 2; n < 150; n++) {
      factorial *= n;
      expect(Math.abs(lgamma(n + 1) / Math.log(factorial) - 1)).toBeLessThanOrEqual(1e-15);
    }
  });

  test('is ∞ at 0, at ∞ and where it overflows, NaN below 0', () => {
    expect([0, -0, Infinity, 2.6e305].map(lgamma)).toEqual([
      Infinity,
      Infinity,
      Infinity,
      Infinity,
    ]);
    expect(lgamma(2.5e305)).toBeLessThan(Infinity);
    expect(lgamma(Number.MIN_VALUE)).toBe(-Math.log(Number.MIN_VALUE));
    expect([NaN, -1, -0.5, -Infinity].map(lgamma)).toEqual([NaN, NaN, NaN, NaN]);
  });
});

describe('digamma and trigamma', () => {
  test('digamma is within 2e-15·max(1, |ψ|) of 60 digits', () => {
    for (const x of sweep) {
      const psi = exact.digamma(x);
      const error = psi
        .minus(exactly(exact.D, digamma(x)))
        .abs()
        .toNumber();
      expect(error, `${x}`).toBeLessThanOrEqual(2e-15 * Math.max(1, psi.abs().toNumber()));
    }
  });

  test('trigamma is within 1e-15 (relative) of 60 digits', () => {
    for (const x of sweep.filter((x) => x > 1e-154)) {
      expect(relativeError(trigamma(x), exact.trigamma(x)), `${x}`).toBeLessThanOrEqual(1e-15);
    }
  });

  test('ψ(x+1) = ψ(x) + 1/x and ψ′(x+1) = ψ′(x) − 1/x², within rounding', () => {
    fc.assert(
      fc.property(positive, (x) => {
        // x + 1 is rounded; ψ and ψ′ change by less than that rounding times 2.
        const slack = 8e-15 * (1 + Math.abs(digamma(x)) + 1 / x);
        expect(Math.abs(digamma(x + 1) - digamma(x) - 1 / x)).toBeLessThanOrEqual(slack);
        const difference = trigamma(x + 1) - trigamma(x) + 1 / (x * x);
        expect(Math.abs(difference)).toBeLessThanOrEqual(4e-15 * trigamma(x));
      }),
    );
  });

  test('have their known values: ψ(1) = −γ, ψ(½) = −γ − 2 ln 2, ψ′(1) = π²/6, ψ′(½) = π²/2', () => {
    const gamma = 0.5772156649015329;
    expect(digamma(1)).toBeCloseTo(-gamma, 14);
    expect(digamma(0.5)).toBeCloseTo(-gamma - 2 * Math.LN2, 14);
    expect(trigamma(1)).toBeCloseTo(Math.PI ** 2 / 6, 14);
    expect(trigamma(0.5)).toBeCloseTo(Math.PI ** 2 / 2, 14);
  });

  test('have defined ends, and are NaN below 0', () => {
    expect([0, Infinity].map(digamma)).toEqual([-Infinity, Infinity]);
    expect([0, Infinity].map(trigamma)).toEqual([Infinity, 0]);
    expect([NaN, -1, -0.5].map(digamma)).toEqual([NaN, NaN, NaN]);
    expect([NaN, -1, -0.5].map(trigamma)).toEqual([NaN, NaN, NaN]);
  });
});

describe('logMinusDigamma', () => {
  // ln x and ψ(x) agree in twice as many digits as x has: 1e300 is left to the law below.
  const wide = decimalGamma(100);

  test('is within 4e-15 (relative) of 100 digits up to 1e15, where ln x − ψ(x) in doubles has no correct digits', () => {
    for (const x of sweep.filter((x) => x <= 1e15)) {
      const difference = exactly(wide.D, x).ln().minus(wide.digamma(x));
      expect(relativeError(logMinusDigamma(x), difference), `${x}`).toBeLessThanOrEqual(4e-15);
    }
  });

  test('lies between 1/(2x) and 1/x at every magnitude, within 4e-15', () => {
    fc.assert(
      fc.property(fc.double({ min: -300, max: 300, noNaN: true }), (exponent) => {
        const x = 10 ** exponent;
        expect(logMinusDigamma(x) * x).toBeGreaterThanOrEqual(0.5 - 2e-15);
        expect(logMinusDigamma(x) * x).toBeLessThanOrEqual(1 + 4e-15);
      }),
    );
  });

  test('falls from ∞ at 0 to 0 at ∞', () => {
    expect([0, Number.MIN_VALUE, Infinity].map(logMinusDigamma)).toEqual([Infinity, Infinity, 0]);
    expect([NaN, -1].map(logMinusDigamma)).toEqual([NaN, NaN]);
  });
});

describe('gammaShape', () => {
  const wide = decimalGamma(100);
  /** ln k − ψ(k), which falls in k. */
  const exact = (k: number) => exactly(wide.D, k).ln().minus(wide.digamma(k));

  test('is the root of ln k − ψ(k) = s in 100 digits, within 1e-14, for s from 1e-12 to 1e12', () => {
    for (let exponent = -12; exponent <= 12; exponent += 0.8) {
      const s = 10 ** exponent;
      const k = gammaShape(s);
      // The root lies between them.
      expect(exact(k * (1 - 1e-14)).gt(exactly(wide.D, s)), `s = ${s}`).toBe(true);
      expect(exact(k * (1 + 1e-14)).lt(exactly(wide.D, s)), `s = ${s}`).toBe(true);
    }
  });

  test('undoes logMinusDigamma within 1e-14, for k over 600 magnitudes', () => {
    fc.assert(
      fc.property(fc.double({ min: -300, max: 300, noNaN: true }), (exponent) => {
        const k = 10 ** exponent;
        expect(Math.abs(gammaShape(logMinusDigamma(k)) / k - 1)).toBeLessThanOrEqual(1e-14);
      }),
      { numRuns: 2000 },
    );
  });

  test('falls in s: strictly between s that differ by 1e-13 of themselves', () => {
    fc.assert(
      fc.property(fc.double({ min: -25, max: 25, noNaN: true }), (exponent) => {
        const s = 10 ** exponent;
        expect(gammaShape(s * (1 + 1e-13))).toBeLessThan(gammaShape(s));
      }),
      { numRuns: 2000 },
    );
  });

  test('is ∞ for a constant sample, s ≤ 0, and 0 for s = ∞; NaN stays NaN', () => {
    expect([0, -0, -1e-17, -1].map(gammaShape)).toEqual([Infinity, Infinity, Infinity, Infinity]);
    expect(gammaShape(Infinity)).toBe(0);
    expect(gammaShape(NaN)).toBeNaN();
    expect(gammaShape(1e-300)).toBeCloseTo(5e299, -290);
  });

  test('is within 1e-12 of the golden shapes, which come from bracketing root-finding', () => {
    const golden = loadGolden('statistics');
    const x = golden.get('lognormal.x')!;
    const shapes = golden.get('lognormal.gamma_shape_exact')!.data;
    const [C] = x.shape as [number];
    for (let p = 0; p < shapes.length; p++) {
      let [sum, logs] = [0, 0];
      for (let c = 0; c < C; c++) {
        const z = x.data[c * shapes.length + p]! + 1e-7;
        sum += z;
        logs += Math.log(z);
      }
      const k = gammaShape(Math.log(sum / C) - logs / C);
      expect(Math.abs(k / shapes[p]! - 1)).toBeLessThanOrEqual(1e-12);
    }
  });
});
