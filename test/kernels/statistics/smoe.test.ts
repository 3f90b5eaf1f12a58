import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SMOE_EPS, smoeReference, smoeScale } from '../../../src/kernels/index.js';
import {
  activation,
  awkwardColumn,
  column,
  meanOf,
  positiveColumn,
  statisticOf,
} from './columns.js';
import { gammaScale, gammaScaleAtUnitMean } from './gamma-oracle.js';

/** φ of one column. */
const smoe = (x: readonly number[], eps?: number): number => statisticOf(smoeScale, x, eps);

/** The documented bound, with a margin for what follows the sums. */
function bound(x: readonly number[]): number {
  return 2 * (x.length + 64) * 2 ** -52 * (meanOf(x) + SMOE_EPS);
}

describe('smoeScale', () => {
  it.each([
    [0.5, 1, 0.064],
    [1, 2, 0.127],
    [2, 4, 0.255],
    [2, 3, 0.074],
    [0.6125, 1.8375, 0.254],
  ])(
    'gives the digits of the paper’s Table 3: columns alternating (%d, %d) → %d',
    (a, b, digits) => {
      const x = Array.from({ length: 64 }, (_, i) => (i % 2 ? b : a));
      expect(Number(smoe(x).toFixed(3))).toBe(digits);
    },
  );

  it('is within (C+64)·2⁻⁵¹·μ of the sum of logarithms', () => {
    fc.assert(
      fc.property(column, (x) => {
        const out = new Float64Array(1);
        smoeReference(out, Float64Array.from(x), x.length);
        expect(Math.abs(smoe(x) - out[0]!)).toBeLessThanOrEqual(bound(x));
      }),
    );
  });

  it('does not depend on the order of the channels beyond rounding', () => {
    fc.assert(
      fc.property(column, (x) => {
        expect(Math.abs(smoe([...x].reverse()) - smoe(x))).toBeLessThanOrEqual(bound(x));
        const sorted = [...x].sort((a, b) => a - b);
        expect(Math.abs(smoe(sorted) - smoe(x))).toBeLessThanOrEqual(bound(x));
      }),
    );
  });

  it('is never negative, and never NaN on finite activations', () => {
    fc.assert(
      fc.property(column, (x) => {
        expect(smoe(x)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is exactly 0 on constant columns of any length and size', () => {
    fc.assert(
      fc.property(activation, fc.integer({ min: 1, max: 2048 }), (v, C) => {
        expect(smoe(new Array<number>(C).fill(v))).toBe(0);
      }),
    );
  });

  it('changes nothing when every channel is there twice', () => {
    fc.assert(
      fc.property(column, (x) => {
        expect(Math.abs(smoe([...x, ...x]) - smoe(x))).toBeLessThanOrEqual(2 * bound(x));
      }),
    );
  });

  it('scales with its column where eps does not count: φ(λx) = λφ(x) within 1e-9', () => {
    fc.assert(
      fc.property(positiveColumn, fc.double({ min: 0.01, max: 1000, noNaN: true }), (x, scale) => {
        const scaled = smoe(
          x.map((v) => v * scale),
          0,
        );
        expect(Math.abs(scaled - scale * smoe(x, 0))).toBeLessThanOrEqual(
          scale * (1e-9 + bound(x)),
        );
      }),
    );
  });

  it('gives NaN for a column with NaN or ∞, and only for that column', () => {
    const out = new Float64Array(3);
    smoeScale(out, Float64Array.of(1, Number.NaN, 1, Number.POSITIVE_INFINITY, 1, 2), 2);
    expect([...out].map(Number.isNaN)).toEqual([true, true, false]);
  });

  it('refuses arrays that are not whole columns', () => {
    expect(() => smoeScale(new Float64Array(2), new Float64Array(7), 3)).toThrow(
      'smoeScale: x expected length 6 for 2 columns of 3, got 7',
    );
  });
});

describe('order equivalence with the full maximum-likelihood Gamma scale', () => {
  it('holds s < g(s) < 2s over eighteen magnitudes of s', () => {
    fc.assert(
      fc.property(fc.double({ min: -12, max: 6, noNaN: true }), (exponent) => {
        const s = 10 ** exponent;
        const g = gammaScaleAtUnitMean(s);
        // Strict in exact arithmetic; g/s comes within 1e-12 of 2 as s → 0.
        expect(g).toBeGreaterThan(s);
        expect(g).toBeLessThanOrEqual(2 * s * (1 + 1e-12));
      }),
      { numRuns: 2000 },
    );
  });

  it('law 1: at equal mean the two orders are identical', () => {
    fc.assert(
      fc.property(awkwardColumn, awkwardColumn, (x, y) => {
        fc.pre(meanOf(x) > 1e-3 && meanOf(y) > 1e-3);
        // y brought to the mean of x.
        const scale = meanOf(x) / meanOf(y);
        const z = y.map((v) => v * scale);
        const [a, b] = [smoe(x), smoe(z)];
        // Nearer than rounding (of the means too) there is no order to compare.
        fc.pre(Math.abs(a - b) > 1e-9 * (a + b) + bound(x) + bound(z));
        expect(Math.sign(gammaScale(x) - gammaScale(z))).toBe(Math.sign(a - b));
      }),
      { numRuns: 3000 },
    );
  });

  it('law 2: twice the SMOE Scale means a larger Gamma scale, for any two columns', () => {
    fc.assert(
      fc.property(awkwardColumn, awkwardColumn, (x, y) => {
        const [a, b] = [smoe(x), smoe(y)];
        fc.pre(b > 2 * bound(y) && a >= 2 * b + 2 * bound(x));
        expect(gammaScale(x)).toBeGreaterThan(gammaScale(y));
      }),
      { numRuns: 3000 },
    );
  });

  it('does not hold without those conditions: a stored counterexample flips the order', () => {
    // φ = μ·s/ln 2 and θ = μ·g(s): (μ = 1, s = .005) against (μ = .0005, s = 12).
    const phi = (mean: number, s: number): number => (mean * s) / Math.LN2;
    const theta = (mean: number, s: number): number => mean * gammaScaleAtUnitMean(s);
    expect(phi(1, 0.005)).toBeLessThan(phi(0.0005, 12));
    expect(theta(1, 0.005)).toBeGreaterThan(theta(0.0005, 12));
  });
});
