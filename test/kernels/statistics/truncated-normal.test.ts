import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  truncatedNormalEntropy,
  truncatedNormalMean,
  truncatedNormalSd,
} from '../../../src/kernels/statistics/truncated-normal.js';
import { signedColumn, statisticOf } from './columns.js';

/**
 * Mean, standard deviation and entropy of a normal distribution of mean −α and σ = 1, truncated to
 * [0, ∞): integrals of its density by the trapezoid rule, t = exp(u − exp(−u)) (doubly exponential
 * at 0, so that the rule converges exponentially). No erfc, and no difference of what is nearly equal.
 */
function byQuadrature(alpha: number): { mean: number; sd: number; entropy: number } {
  // The exponent relative to its largest: at 0 in the tail, at t = −α where the mean is positive.
  const peak = Math.max(0, -alpha);
  const minusLog = (t: number): number => 0.5 * (t - peak) * (t - peak) + (alpha + peak) * t;
  // In the tail the density lives on a length of 1/α.
  const unit = 1 / Math.max(1, alpha);
  const integral = (f: (t: number) => number): number => {
    let sum = 0;
    for (let i = -1100; i <= 1400; i++) {
      const u = i / 256;
      const t = unit * Math.exp(u - Math.exp(-u));
      sum += f(t) * Math.exp(-minusLog(t)) * t * (1 + Math.exp(-u));
    }
    return sum / 256;
  };
  const mass = integral(() => 1);
  const mean = integral((t) => t) / mass;
  const variance = integral((t) => (t - mean) * (t - mean)) / mass;
  const entropy = Math.log(mass) + integral(minusLog) / mass;
  return { mean, sd: Math.sqrt(variance), entropy };
}

/** Two channels with the mean −ασ and the standard deviation σ. */
const columnOf = (alpha: number, sd: number): number[] => [
  -alpha * sd - sd * Math.SQRT1_2,
  -alpha * sd + sd * Math.SQRT1_2,
];

describe('the truncated normal distribution', () => {
  // Both sides of the seam at 2, and where 1 − Φ(α) underflows (38.5).
  const alphas = [-30, -8, -3, -1, -0.1, 0, 0.5, 1, 1.9, 1.9999, 2, 2.1, 3, 5, 8, 20, 38, 40, 1e3];

  it.each(alphas)(
    'α = %d: mean within 1e-13, sd within 2e-13 and entropy within 1e-13 of quadrature',
    (alpha) => {
      const expected = byQuadrature(alpha);
      const x = columnOf(alpha, 1);
      const mean = statisticOf(truncatedNormalMean, x);
      const sd = statisticOf(truncatedNormalSd, x);
      expect(Math.abs(mean / expected.mean - 1)).toBeLessThanOrEqual(1e-13);
      expect(Math.abs(sd / expected.sd - 1)).toBeLessThanOrEqual(2e-13);
      const entropy = statisticOf(truncatedNormalEntropy, x);
      expect(Math.abs(entropy - expected.entropy)).toBeLessThanOrEqual(1e-13);
    },
  );

  it('becomes the exponential distribution of rate α/σ in the far tail', () => {
    for (const alpha of [1e6, 1e9, 1e12]) {
      // δ = 1/α − 2/α³ + …: what is left out is below a double’s rounding. The two channels of
      // the column round α itself by α·2⁻⁵² of 1.
      const x = columnOf(alpha, 1);
      const slack = 1e-12 + 2 * alpha * 2 ** -52;
      expect(Math.abs(statisticOf(truncatedNormalMean, x) * alpha - 1)).toBeLessThanOrEqual(slack);
      expect(Math.abs(statisticOf(truncatedNormalSd, x) * alpha - 1)).toBeLessThanOrEqual(slack);
      const entropy = 1 - Math.log(alpha);
      expect(Math.abs(statisticOf(truncatedNormalEntropy, x) - entropy)).toBeLessThanOrEqual(
        slack * 30,
      );
    }
  });

  it('is the normal distribution itself where the mean is far above 0', () => {
    const x = columnOf(-40, 2);
    expect(statisticOf(truncatedNormalMean, x)).toBeCloseTo(80, 12);
    expect(statisticOf(truncatedNormalSd, x)).toBeCloseTo(2, 12);
    expect(statisticOf(truncatedNormalEntropy, x)).toBeCloseTo(
      0.5 * Math.log(2 * Math.PI * Math.E * 4),
      12,
    );
  });

  it('scales with its column: mean and sd by λ, the entropy by ln λ, within 1e-9', () => {
    const scale = fc.double({ min: 0.1, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(signedColumn, scale, (x, lambda) => {
        // Near-constant columns are rounding, which does not scale.
        fc.pre(Math.max(...x) - Math.min(...x) > 1e-3 * Math.max(...x.map(Math.abs)));
        fc.pre(Math.max(...x) - Math.min(...x) > 1e-5);
        const scaled = x.map((v) => lambda * v);
        for (const statistic of [truncatedNormalMean, truncatedNormalSd]) {
          const ratio = statisticOf(statistic, scaled) / (lambda * statisticOf(statistic, x));
          expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(1e-9);
        }
        const moved = statisticOf(truncatedNormalEntropy, scaled) - Math.log(lambda);
        expect(Math.abs(moved - statisticOf(truncatedNormalEntropy, x))).toBeLessThanOrEqual(1e-9);
      }),
    );
  });

  it('0 ≤ sd ≤ mean, and the mean is above the column’s own', () => {
    fc.assert(
      fc.property(signedColumn, (x) => {
        const mean = statisticOf(truncatedNormalMean, x);
        expect(statisticOf(truncatedNormalSd, x)).toBeGreaterThanOrEqual(0);
        expect(statisticOf(truncatedNormalSd, x)).toBeLessThanOrEqual(mean);
        const own = x.reduce((sum, v) => sum + v, 0) / x.length;
        const rounding = 1e-14 * Math.max(...x.map(Math.abs));
        expect(mean).toBeGreaterThanOrEqual(Math.max(0, own) - rounding);
      }),
    );
  });
});

describe('constant columns', () => {
  it.each([
    { v: 3, mean: 3, entropy: -14.699 },
    { v: 0, mean: 0, entropy: -15.392 },
    { v: -2, mean: 0, entropy: 1 + Math.log(1e-14 / 2) },
    { v: -3e38, mean: 0, entropy: 1 + Math.log(1e-14 / 3e38) },
  ])('$v: mean $mean, sd 0, entropy $entropy, the entropy at σ = 1e-7', ({ v, mean, entropy }) => {
    for (const C of [1, 7]) {
      const x = new Array<number>(C).fill(v);
      expect(statisticOf(truncatedNormalMean, x)).toBe(mean);
      expect(statisticOf(truncatedNormalSd, x)).toBe(0);
      expect(statisticOf(truncatedNormalEntropy, x)).toBeCloseTo(entropy, 3);
    }
  });
});
