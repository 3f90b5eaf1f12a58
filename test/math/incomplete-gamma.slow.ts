import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { erf, gammaP, gammaQ } from '../../src/math/index.js';
import { loadGolden } from '../goldens.js';
import { decimalGamma, relativeError } from './decimal-gamma.js';

/** Of P and Q both, where they are not subnormal; `digits` must leave some for 1 − P. */
function expectBoth(digits: number, points: readonly (readonly [number, number])[], bound: number) {
  const exact = decimalGamma(digits);
  for (const [a, x] of points) {
    const below = exact.gammaP(a, x);
    const above = new exact.D(1).minus(below);
    if (below.gt(2.3e-308)) {
      expect(relativeError(gammaP(a, x), below), `P(${a}, ${x})`).toBeLessThanOrEqual(bound);
    }
    if (above.gt(2.3e-308)) {
      expect(relativeError(gammaQ(a, x), above), `Q(${a}, ${x})`).toBeLessThanOrEqual(bound);
    }
  }
}

const shapes = [1e-7, 1e-4, 0.03, 0.4999, 0.5, 0.9, 1, 1.7, 5, 9.999, 10, 18, 50.3, 333, 2000];
const anyShape = fc.double({ min: -7, max: 8, noNaN: true }).map((exponent) => 10 ** exponent);
/** x as a multiple of a, or about a in standard deviations, or of any magnitude. */
const pair = fc
  .tuple(anyShape, fc.double({ min: -6, max: 6, noNaN: true }), fc.nat(2))
  .map(
    ([a, t, kind]) =>
      [
        a,
        kind === 0 ? a * 10 ** (t / 2) : kind === 1 ? Math.max(0, a + t * Math.sqrt(a)) : 10 ** t,
      ] as const,
  );

describe('gammaP and gammaQ', () => {
  test('are within 2e-14 (relative) of 60 digits about x = a, for shapes from 1e-7 to 2000', () => {
    const points = shapes.flatMap((a) =>
      [-3, -1, -0.1, 0, 0.1, 1, 3]
        .map((deviations) => [a, a + deviations * Math.sqrt(a)] as const)
        .filter(([, x]) => x > 0),
    );
    expectBoth(60, points, 2e-14);
  });

  test('are within 5e-14 (relative) of 90 digits where one series ends and the next begins', () => {
    const nextTo = (x: number) => [x * (1 - 2 ** -52), x, x * (1 + 2 ** -52)];
    const points = [
      ...shapes.flatMap((a) => [...nextTo(1), ...nextTo(a + 1)].map((x) => [a, x] as const)),
      ...[8, 16, 20].flatMap((x) => nextTo(10).map((a) => [a, x] as const)),
      ...[0.1, 0.7, 1.3].flatMap((x) => nextTo(0.5).map((a) => [a, x] as const)),
      // x/a = ½ and 2, about which the exponent is computed in two ways.
      ...[20, 300].flatMap((a) => [...nextTo(a / 2), ...nextTo(2 * a)].map((x) => [a, x] as const)),
    ];
    expectBoth(90, points, 5e-14);
  });

  test('are within 2e-14 (relative) of 40 digits at shapes of 1e5 to 1e7, Temme’s expansion included', () => {
    const deviations = [-6, -1, 0, 1, 6];
    const points = [1e5, 999999, 1e6, 1e7].flatMap((a) =>
      deviations.map((t) => [a, a + t * Math.sqrt(a)] as const),
    );
    expectBoth(40, points, 2e-14);
  });

  test('keep P within 5e-13 (relative) down to where it underflows: x ≪ a, and x as small as 1e-300', () => {
    const points = [
      ...shapes.flatMap((a) => [1e-300, 1e-30, 1e-7, 0.01].map((x) => [a, x] as const)),
      ...[20, 333, 2000].flatMap((a) => [0.05, 0.3, 0.6].map((r) => [a, r * a] as const)),
    ];
    expectBoth(60, points, 5e-13);
  });

  test('keep Q within 5e-13 (relative) down to where it underflows: x ≫ a', () => {
    const points = [1e-7, 0.3, 1, 5, 18, 200].flatMap((a) =>
      [30, 200, 650].map((x) => [a, a + x] as const),
    );
    expectBoth(400, points, 5e-13);
  });

  test('P + Q = 1 within 1e-14, for any a and x', () => {
    fc.assert(
      fc.property(pair, ([a, x]) => {
        expect(Math.abs(gammaP(a, x) + gammaQ(a, x) - 1)).toBeLessThanOrEqual(1e-14);
      }),
      { numRuns: 1000 },
    );
  });

  test('P(1, x) = 1 − exp(−x) and Q(1, x) = exp(−x), within 1e-13', () => {
    fc.assert(
      fc.property(fc.double({ min: -12, max: 2.8, noNaN: true }), (exponent) => {
        const x = 10 ** exponent;
        expect(Math.abs(gammaP(1, x) / -Math.expm1(-x) - 1)).toBeLessThanOrEqual(1e-13);
        expect(Math.abs(gammaQ(1, x) / Math.exp(-x) - 1)).toBeLessThanOrEqual(1e-13);
      }),
    );
  });

  test('P(½, x) = erf(√x) within 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: -12, max: 3, noNaN: true }), (exponent) => {
        const x = 10 ** exponent;
        expect(Math.abs(gammaP(0.5, x) / erf(Math.sqrt(x)) - 1)).toBeLessThanOrEqual(1e-14);
      }),
    );
  });

  test('for a whole a, Q is the probability of fewer than a events: exp(−x)·Σ xⁿ/n!, within 1e-12', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.double({ min: 0.01, max: 400, noNaN: true }),
        (a, x) => {
          let [term, sum] = [1, 1];
          for (let n = 1; n < a; n++) {
            term *= x / n;
            sum += term;
          }
          const exact = Math.exp(-x) * sum;
          expect(Math.abs(gammaQ(a, x) / exact - 1)).toBeLessThanOrEqual(1e-12);
        },
      ),
    );
  });

  test('P rises and Q falls in x, between any x that differ by 1e-7 of themselves', () => {
    fc.assert(
      fc.property(pair, fc.double({ min: 1e-7, max: 1, noNaN: true }), ([a, x], more) => {
        expect(gammaP(a, x * (1 + more))).toBeGreaterThanOrEqual(gammaP(a, x));
        expect(gammaQ(a, x * (1 + more))).toBeLessThanOrEqual(gammaQ(a, x));
      }),
      { numRuns: 5000 },
    );
  });

  test('stay in [0, 1] at every magnitude of both arguments', () => {
    const any = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
    const magnitude = fc.double({ min: -320, max: 308, noNaN: true }).map((e) => 10 ** e);
    const argument = fc.oneof(any, magnitude);
    fc.assert(
      fc.property(argument, argument, (a, x) => {
        fc.pre(a > 0 || x > 0);
        for (const value of [gammaP(a, x), gammaQ(a, x)]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('have defined ends: all mass lies at 0 for a = 0, and at ∞ for a = ∞', () => {
    for (const [a, x, below] of [
      [0, 1, 1],
      [0, Infinity, 1],
      [2, 0, 0],
      [2, Infinity, 1],
      [Infinity, 0, 0],
      [Infinity, 1e300, 0],
    ] as const) {
      expect([gammaP(a, x), gammaQ(a, x)], `${a}, ${x}`).toEqual([below, 1 - below]);
    }
    for (const [a, x] of [
      [0, 0],
      [Infinity, Infinity],
      [NaN, 1],
      [1, NaN],
      [-1, 1],
      [1, -1],
    ] as const) {
      expect([gammaP(a, x), gammaQ(a, x)], `${a}, ${x}`).toEqual([NaN, NaN]);
    }
  });

  test.each([0, 1, 2, 3])('P is within 1e-11 (relative) of the golden Gamma CDF of map %i', (i) => {
    const golden = loadGolden('normalize');
    const x = golden.get(`${i}.x`)!.data;
    const [k, theta] = golden.get(`${i}.gamma_k_theta`)!.data as Float64Array;
    const min = Math.min(...x);
    golden.get(`${i}.gamma_cdf`)!.data.forEach((expected, p) => {
      const got = gammaP(k!, (x[p]! - min + 1e-7) / theta!);
      expect(Math.abs(got / expected - 1)).toBeLessThanOrEqual(1e-11);
    });
  });
});
