import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logNormalEntropy, logNormalMean } from '../../../src/kernels/statistics/log-normal.js';
import { activation, positiveColumn, statisticOf } from './columns.js';

const factor = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

describe('logNormalMean', () => {
  it('is z for constant columns, within 1e-14 · |ln z|', () => {
    fc.assert(
      fc.property(activation, fc.integer({ min: 1, max: 300 }), (v, C) => {
        const z = v + 1e-7;
        const ratio = statisticOf(logNormalMean, new Array<number>(C).fill(v)) / z;
        expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(1e-14 * (1 + Math.abs(Math.log(z))));
      }),
    );
  });

  it('scales with its column where eps is 0: within 1e-12', () => {
    fc.assert(
      fc.property(positiveColumn, factor, (x, scale) => {
        const scaled = statisticOf(
          logNormalMean,
          x.map((v) => scale * v),
          0,
        );
        expect(Math.abs(scaled / (scale * statisticOf(logNormalMean, x, 0)) - 1)).toBeLessThan(
          1e-12,
        );
      }),
    );
  });

  it('is at least the geometric mean and at most float32’s largest number', () => {
    const any = fc.oneof(activation, fc.constant(3.4e38));
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 40 }), (x) => {
        const logMean = x.reduce((sum, v) => sum + Math.log(v + 1e-7), 0) / x.length;
        const mean = statisticOf(logNormalMean, x);
        expect(Math.log(mean)).toBeGreaterThanOrEqual(Math.min(logMean, 88.7228) - 1e-12);
        expect(Math.fround(mean)).toBeLessThan(Infinity);
      }),
    );
    expect(statisticOf(logNormalMean, [0, 100])).toBeGreaterThan(3.4e38);
  });
});

describe('logNormalEntropy', () => {
  it('moves by ln λ when its column is scaled by λ and eps is 0: within 1e-12', () => {
    fc.assert(
      fc.property(positiveColumn, factor, (x, scale) => {
        const scaled = statisticOf(
          logNormalEntropy,
          x.map((v) => scale * v),
          0,
        );
        const expected = statisticOf(logNormalEntropy, x, 0) + Math.log(scale);
        // Where v is near its floor, rounding of ln z is what it is made of.
        fc.pre(Math.max(...x) / Math.min(...x) > 1.001);
        expect(Math.abs(scaled - expected)).toBeLessThanOrEqual(1e-11);
      }),
    );
  });

  it('gives ln z − 14.699 for constant columns and C = 1, −30.817 for zeros', () => {
    const least = 0.5 * Math.log(2 * Math.PI * Math.E * 1e-14);
    expect(statisticOf(logNormalEntropy, [2, 2, 2])).toBeCloseTo(Math.log(2) + least, 6);
    expect(statisticOf(logNormalEntropy, [5])).toBeCloseTo(Math.log(5) + least, 6);
    expect(statisticOf(logNormalEntropy, [0, 0])).toBeCloseTo(-30.817, 3);
  });
});

it('a negative activation gives NaN, for its column only', () => {
  for (const statistic of [logNormalMean, logNormalEntropy]) {
    const out = new Float64Array(2);
    statistic(out, Float64Array.of(1, -1, 1, 2), 2);
    expect([...out].map(Number.isNaN)).toEqual([true, false]);
  }
});
