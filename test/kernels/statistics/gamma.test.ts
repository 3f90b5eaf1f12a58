import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gammaScale } from '../../../src/kernels/statistics/gamma.js';
import { loadGolden } from '../../goldens.js';
import { activation, awkwardColumn, meanOf, positiveColumn, statisticOf } from './columns.js';
import { gammaScale as gammaScaleByBisection } from './gamma-oracle.js';

const gamma = (x: readonly number[], eps?: number): number => statisticOf(gammaScale, x, eps);

/** The documented bound, and the oracle's: it sums C rounded logarithms of up to 17. */
function bound(x: readonly number[]): number {
  return 20 * (x.length + 64) * 2 ** -52 * (meanOf(x) + 1e-7);
}

describe('gammaScale', () => {
  it('is within 1e-12 and 20·(C+64)·2⁻⁵²·μ of the root found by bisection', () => {
    fc.assert(
      fc.property(awkwardColumn, (x) => {
        const exact = gammaScaleByBisection(x);
        expect(Math.abs(gamma(x) - exact)).toBeLessThanOrEqual(1e-12 * exact + bound(x));
      }),
      { numRuns: 2000 },
    );
  });

  it('is within 1e-12 of the stored exact roots', () => {
    const golden = loadGolden('statistics');
    const { data, shape } = golden.get('lognormal.x')!;
    const exact = golden.get('lognormal.gamma_scale_exact')!.data;
    const C = shape[0]!;
    exact.forEach((theta, p) => {
      const x = Array.from({ length: C }, (_, c) => data[c * exact.length + p]!);
      expect(Math.abs(gamma(x) / theta - 1)).toBeLessThanOrEqual(1e-12);
    });
  });

  it('is exactly 0 on constant columns of any length and size', () => {
    fc.assert(
      fc.property(activation, fc.integer({ min: 1, max: 2048 }), (v, C) => {
        expect(gamma(new Array<number>(C).fill(v))).toBe(0);
      }),
    );
  });

  it('scales with its column if eps is 0: θ(λx) = λθ(x) within the rounding of the sums', () => {
    fc.assert(
      fc.property(positiveColumn, fc.double({ min: 0.01, max: 1000, noNaN: true }), (x, scale) => {
        const scaled = gamma(
          x.map((v) => v * scale),
          0,
        );
        const theta = gamma(x, 0);
        expect(Math.abs(scaled - scale * theta)).toBeLessThanOrEqual(
          scale * (1e-12 * theta + bound(x)),
        );
      }),
    );
  });

  it('gives NaN for a column with NaN or ∞, and only for that column', () => {
    const out = new Float64Array(3);
    gammaScale(out, Float64Array.of(1, NaN, 1, Infinity, 1, 2), 2);
    expect([...out].map(Number.isNaN)).toEqual([true, true, false]);
  });
});
