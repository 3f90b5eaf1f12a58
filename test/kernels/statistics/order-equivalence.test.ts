/**
 * What is true of the order of columns by SMOE Scale and by the full Gamma scale, and what is not:
 * docs/order-equivalence.md has the proofs. θ comes from bisection (gamma-oracle.ts), which shares
 * nothing with the library.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gammaScale, SMOE_EPS, smoeScale } from '../../../src/kernels/index.js';
import { awkwardColumn, meanOf, statisticOf } from './columns.js';
import { gammaScaleAtUnitMean, gammaScale as theta } from './gamma-oracle.js';

/** Columns that each property is tried on. */
const numRuns = 5000;

const phi = (x: readonly number[], eps?: number): number => statisticOf(smoeScale, x, eps);

const scaled = (x: readonly number[], factor: number): number[] => x.map((v) => v * factor);

/** What φ may be off by: the documented bound, and the rounding of the column's own mean. */
function rounding(x: readonly number[]): number {
  return 2 * (x.length + 64) * 2 ** -52 * (meanOf(x) + SMOE_EPS);
}

/** A column whose φ has 9 correct digits or more: not one that is constant except for rounding. */
const column = awkwardColumn.filter((x) => phi(x) > 1e9 * rounding(x));

/** A column, and itself with one channel moved by 1e-6 to half of it: nearly of its order. */
const neighbours = fc
  .tuple(column, fc.nat(), fc.double({ min: -6, max: -0.3, noNaN: true }))
  .map(([x, i, exponent]) => {
    const y = [...x];
    y[i % x.length]! *= 1 + 10 ** exponent;
    return [x, y] as const;
  });

const pair = fc.oneof(fc.tuple(column, column), neighbours);

/** z = x + eps with eps already added: laws that ask for exact scaling take it with eps 0. */
const shifted = column.map((x) => x.map((v) => v + SMOE_EPS));

describe('g(s) = 1/k(s), the Gamma scale of a column of mean 1', () => {
  const exponent = fc.double({ min: -12, max: 6, noNaN: true });

  it('s < g(s) < 2s, strictly, over eighteen magnitudes of s', () => {
    fc.assert(
      fc.property(exponent, (e) => {
        const s = 10 ** e;
        expect(gammaScaleAtUnitMean(s)).toBeGreaterThan(s);
        expect(gammaScaleAtUnitMean(s)).toBeLessThan(2 * s);
      }),
      { numRuns: 20_000 },
    );
  });

  it('g(s) rises, and g(s)/s falls from 2 to 1', () => {
    fc.assert(
      fc.property(exponent, fc.double({ min: -6, max: 1, noNaN: true }), (e, step) => {
        const s = 10 ** e;
        const larger = s * (1 + 10 ** step);
        const [g, h] = [gammaScaleAtUnitMean(s), gammaScaleAtUnitMean(larger)];
        expect(h).toBeGreaterThan(g);
        // Towards both ends the quotient is flat to within rounding.
        expect(h / larger).toBeLessThanOrEqual((g / s) * (1 + 4e-15));
      }),
      { numRuns: 20_000 },
    );
    expect(gammaScaleAtUnitMean(1e-9) / 1e-9).toBeCloseTo(2, 8);
    expect(gammaScaleAtUnitMean(1e6) / 1e6).toBeCloseTo(1, 4);
  });

  it.each([
    [0.001, '1.999'],
    [0.01, '1.993'],
    [0.1, '1.938'],
    [1, '1.625'],
    [2, '1.479'],
    [5, '1.305'],
    [10, '1.204'],
    [16, '1.151'],
  ])('g(s)/s at s = %d is %s', (s, quotient) => {
    expect((gammaScaleAtUnitMean(s) / s).toFixed(3)).toBe(quotient);
  });
});

describe('laws that hold for all columns', () => {
  it('ln 2·φ < θ < 2 ln 2·φ', () => {
    fc.assert(
      fc.property(column, (x) => {
        for (const gamma of [theta(x), statisticOf(gammaScale, x)]) {
          expect(gamma).toBeGreaterThan(Math.LN2 * phi(x) * (1 - 1e-8));
          expect(gamma).toBeLessThan(2 * Math.LN2 * phi(x) * (1 + 1e-8));
        }
      }),
      { numRuns },
    );
  });

  it('law 1: at equal mean the two orders are identical', () => {
    fc.assert(
      fc.property(pair, ([x, other]) => {
        // Exact zeros leave the mean to eps; y is the other column brought to the mean of x.
        const z = x.map((v) => v + SMOE_EPS);
        const y = other.map((v) => v + SMOE_EPS);
        const w = scaled(y, meanOf(z) / meanOf(y));
        const difference = phi(z, 0) - phi(w, 0);
        // Nearer than rounding there is no order to compare.
        fc.pre(Math.abs(difference) > 1e-11 * phi(z, 0) + 4 * (rounding(z) + rounding(w)));
        expect(Math.sign(theta(z, 0) - theta(w, 0))).toBe(Math.sign(difference));
      }),
      { numRuns },
    );
  });

  it('law 1, second form: at equal s (one column scaled) the two orders are identical', () => {
    fc.assert(
      fc.property(shifted, fc.double({ min: -3, max: 3, noNaN: true }), (x, exponent) => {
        const factor = 10 ** exponent;
        fc.pre(Math.abs(factor - 1) > 1e-6);
        const y = scaled(x, factor);
        expect(Math.sign(phi(y, 0) - phi(x, 0))).toBe(Math.sign(exponent));
        expect(Math.sign(theta(y, 0) - theta(x, 0))).toBe(Math.sign(exponent));
      }),
      { numRuns },
    );
  });

  it('law 2: twice the SMOE Scale means a larger Gamma scale', () => {
    // Just twice, beyond what φ is rounded by, as often as more.
    const excess = fc.oneof(fc.constant(1e-7), fc.double({ min: 0.01, max: 3, noNaN: true }));
    fc.assert(
      fc.property(shifted, shifted, excess, (x, y, beyond) => {
        const lesser = scaled(y, phi(x, 0) / (2 * phi(y, 0) * (1 + beyond)));
        expect(theta(x, 0)).toBeGreaterThan(theta(lesser, 0));
      }),
      { numRuns },
    );
  });

  it('law 3: a column that is not sparser (s) and has the larger φ has the larger θ', () => {
    const s = (x: readonly number[]): number => phi(x, 0) / meanOf(x);
    fc.assert(
      fc.property(shifted, shifted, fc.double({ min: -6, max: 1, noNaN: true }), (x, y, beyond) => {
        const [even, sparse] = s(x) <= s(y) ? [x, y] : [y, x];
        const larger = scaled(even, (phi(sparse, 0) / phi(even, 0)) * (1 + 10 ** beyond));
        expect(theta(larger, 0)).toBeGreaterThan(theta(sparse, 0));
      }),
      { numRuns },
    );
  });
});

describe('φ does not always sort columns in the same order as θ', () => {
  it('a stored counterexample: eight equal channels, against one small value and seven zeros', () => {
    const even = [0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1];
    const lone = [0.007, 0, 0, 0, 0, 0, 0, 0];
    expect(phi(even)).toBeCloseTo(0.00725, 5);
    expect(phi(lone)).toBeCloseTo(0.0097, 5);
    expect(theta(even)).toBeCloseTo(0.01003, 5);
    expect(theta(lone)).toBeCloseTo(0.00833, 5);
    // The library's own θ flips likewise.
    expect(statisticOf(gammaScale, even)).toBeGreaterThan(statisticOf(gammaScale, lone));
  });

  it('random search finds a counterexample, too', () => {
    const claim = fc.property(pair, ([x, y]) => {
      const difference = phi(x) - phi(y);
      fc.pre(Math.abs(difference) > 1e-3 * phi(x));
      return Math.sign(theta(x) - theta(y)) === Math.sign(difference);
    });
    expect(fc.check(claim, { numRuns: 20_000, endOnFailure: true }).failed).toBe(true);
  });
});
