import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  columnMax,
  columnMean,
  columnSd,
  normalEntropy,
} from '../../../src/kernels/statistics/normal.js';
import { column, positiveColumn, signedColumn, statisticOf } from './columns.js';

describe('columnMean, columnMax, columnSd', () => {
  it('scale with their column: f(λx) = λf(x) within 1e-13', () => {
    fc.assert(
      fc.property(positiveColumn, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (x, scale) => {
        for (const statistic of [columnMean, columnMax, columnSd]) {
          const scaled = statisticOf(
            statistic,
            x.map((v) => scale * v),
          );
          // The products' own rounding counts relative to the largest value.
          const slack = 1e-13 * scale * 10;
          expect(Math.abs(scaled - scale * statisticOf(statistic, x))).toBeLessThanOrEqual(slack);
        }
      }),
    );
  });

  it('the sd keeps 12 digits when the column is moved by 2⁴⁰', () => {
    // Sixteenths, so that the moved values are exact.
    const grid = fc.array(fc.integer({ min: 0, max: 64 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(grid, (sixteenths) => {
        const x = sixteenths.map((v) => v / 16);
        const moved = x.map((v) => v + 2 ** 40);
        const sd = statisticOf(columnSd, x);
        expect(Math.abs(statisticOf(columnSd, moved) - sd)).toBeLessThanOrEqual(1e-12 * sd);
      }),
    );
  });

  it('the sd is exactly 0 for constant columns of any value and for C = 1', () => {
    const any = fc.double({ min: -1e30, max: 1e30, noNaN: true });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 2048 }), (v, C) => {
        expect(statisticOf(columnSd, new Array<number>(C).fill(v))).toBe(0);
      }),
    );
  });

  it('the sd takes float32s of any size: subnormal to largest', () => {
    expect(statisticOf(columnSd, [0, 2 ** -149])).toBeCloseTo(2 ** -149.5, 60);
    expect(statisticOf(columnSd, [0, 3.4e38]) / (3.4e38 * Math.SQRT1_2)).toBeCloseTo(1, 14);
  });

  it('the max is the column’s own value, negative ones included', () => {
    fc.assert(
      fc.property(signedColumn, (x) => {
        expect(statisticOf(columnMax, x)).toBe(Math.max(...x));
      }),
    );
  });
});

describe('normalEntropy', () => {
  it('is ½ ln(2πe σ²) within 1e-14 of its terms', () => {
    fc.assert(
      fc.property(column, (x) => {
        const variance = statisticOf(columnSd, x) ** 2;
        fc.pre(variance > 1e-14);
        const expected = 0.5 * Math.log(2 * Math.PI * Math.E * variance);
        expect(Math.abs(statisticOf(normalEntropy, x) - expected)).toBeLessThanOrEqual(1e-14 * 40);
      }),
    );
  });

  it('gives −14.699, the entropy at σ = 1e-7, where σ is less', () => {
    const least = 0.5 * Math.log(2 * Math.PI * Math.E * 1e-14);
    for (const x of [[3], [0, 0, 0], [1, 1, 1 + 1e-8]]) {
      expect(statisticOf(normalEntropy, x)).toBeCloseTo(least, 13);
    }
    expect(least).toBeCloseTo(-14.699, 3);
  });
});
