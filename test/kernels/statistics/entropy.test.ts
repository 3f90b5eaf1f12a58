import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renyiEntropy, shannonEntropy } from '../../../src/kernels/statistics/entropy.js';
import { activation, column, positiveColumn, statisticOf } from './columns.js';

/** p of each channel. */
function shares(x: readonly number[]): number[] {
  const z = x.map((v) => v + 1e-7);
  const sum = z.reduce((a, b) => a + b, 0);
  return z.map((v) => v / sum);
}

/** A double's rounding of p log2 p, for each channel. */
const slackOf = (C: number): number => C * 2 ** -50;

describe('shannonEntropy and renyiEntropy', () => {
  it('Shannon’s is −Σ p log2 p, within C·2⁻⁵⁰', () => {
    fc.assert(
      fc.property(column, (x) => {
        const plain = -shares(x).reduce((sum, p) => sum + p * Math.log2(p), 0);
        expect(Math.abs(statisticOf(shannonEntropy, x) - plain)).toBeLessThanOrEqual(
          slackOf(x.length),
        );
      }),
    );
  });

  it('Rényi’s is −log2 Σ p², within C·2⁻⁵⁰', () => {
    fc.assert(
      fc.property(column, (x) => {
        const plain = -Math.log2(shares(x).reduce((sum, p) => sum + p * p, 0));
        expect(Math.abs(statisticOf(renyiEntropy, x) - plain)).toBeLessThanOrEqual(
          slackOf(x.length),
        );
      }),
    );
  });

  it('0 ≤ Rényi ≤ Shannon ≤ log2 C, within rounding', () => {
    fc.assert(
      fc.property(column, (x) => {
        const [renyi, shannon] = [statisticOf(renyiEntropy, x), statisticOf(shannonEntropy, x)];
        const rounding = 1 + slackOf(x.length);
        expect(renyi).toBeGreaterThanOrEqual(0);
        expect(renyi).toBeLessThanOrEqual(shannon * rounding);
        expect(shannon).toBeLessThanOrEqual(Math.log2(x.length) * rounding);
      }),
    );
  });

  it('do not change when their column is scaled and eps is 0: within 1e-13', () => {
    fc.assert(
      fc.property(positiveColumn, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (x, scale) => {
        for (const statistic of [shannonEntropy, renyiEntropy]) {
          const scaled = statisticOf(
            statistic,
            x.map((v) => scale * v),
            0,
          );
          expect(Math.abs(scaled - statisticOf(statistic, x, 0))).toBeLessThanOrEqual(1e-13);
        }
      }),
    );
  });

  it('constant columns, including zeros, give log2 C within 2⁻⁵⁰ of it; C = 1 gives 0', () => {
    fc.assert(
      fc.property(activation, fc.integer({ min: 1, max: 2048 }), (v, C) => {
        const x = new Array<number>(C).fill(v);
        for (const statistic of [shannonEntropy, renyiEntropy]) {
          const error = Math.abs(statisticOf(statistic, x) - Math.log2(C));
          expect(error).toBeLessThanOrEqual(Math.log2(C) * 2 ** -50);
        }
      }),
    );
  });

  it('keep 13 digits if one channel has the whole sum except 1e-27 of it', () => {
    // Two channels, q = 1e-7/1e20: Shannon (q − q ln q)/ln 2 and Rényi 2q/ln 2, to first order in q.
    const q = 1e-27;
    const [shannon, renyi] = [shannonEntropy, renyiEntropy].map((f) => statisticOf(f, [1e20, 0]));
    expect(shannon! / ((q - q * Math.log(q)) / Math.LN2)).toBeCloseTo(1, 13);
    expect(renyi! / ((2 * q) / Math.LN2)).toBeCloseTo(1, 13);
  });

  it('ignore exact zeros if eps is 0', () => {
    expect(statisticOf(shannonEntropy, [0, 3, 3, 0], 0)).toBeCloseTo(1, 14);
    expect(statisticOf(renyiEntropy, [0, 3, 3, 0], 0)).toBeCloseTo(1, 14);
  });
});
