import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SMOE_EPS, smoeReference, smoeScale } from '../../../src/kernels/index.js';
import { activation, column, meanOf, positiveColumn, statisticOf } from './columns.js';

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

  it('is exactly 0 on constant columns of any length and of any float32', () => {
    const float = fc.oneof(activation, fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(float, fc.integer({ min: 1, max: 2048 }), (v, C) => {
        expect(smoe(new Array<number>(C).fill(v))).toBe(0);
      }),
    );
  });

  it('does not change if every channel is repeated', () => {
    fc.assert(
      fc.property(column, (x) => {
        expect(Math.abs(smoe([...x, ...x]) - smoe(x))).toBeLessThanOrEqual(2 * bound(x));
      }),
    );
  });

  it('scales with its column if eps is negligible: φ(λx) = λφ(x) within 1e-9', () => {
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
