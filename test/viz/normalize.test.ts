import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { erfc, gammaP, normalCdf, normalCdfTable } from '../../src/math/index.js';
import { gammaReference } from '../../src/viz/gamma-reference.js';
import {
  NORMALIZERS,
  type Normalizer,
  normalizeGamma,
  normalizeGammaReference,
  normalizeGaussian,
  normalizeRange,
} from '../../src/viz/normalize.js';
import { loadGolden } from '../goldens.js';
import { largestDifference } from './arbitraries.js';

const golden = loadGolden('normalize');
const names = Object.keys(NORMALIZERS) as Normalizer[];
const monotone = names.filter((name) => name !== 'gamma-reference');
const values = fc.float32Array({ min: 0, max: 100, noNaN: true, minLength: 1, maxLength: 200 });

describe.each(['0', '1', '2', '3'])('golden map %s', (map) => {
  const x = golden.get(`${map}.x`)!.data as Float64Array;

  test('the Gaussian is within 8e-9 of the authors’ code, whose √2 is a float32', () => {
    // √2 rounded to float32 is off by 1.7e-8 of itself; |dΦ/dln z| = |z|·φ(z) ≤ 0.242: 4.2e-9.
    const out = new Float64Array(x.length);
    normalizeGaussian(out, x);
    expect(largestDifference(out, golden.get(`${map}.gaussian_cdf`)!.data)).toBeLessThan(8e-9);
  });

  test('the range is within 1e-12 of the authors’ code', () => {
    const out = new Float64Array(x.length);
    normalizeRange(out, x);
    expect(largestDifference(out, golden.get(`${map}.range`)!.data)).toBeLessThan(1e-12);
  });
});

describe.each(['0', '1', '2', '3'])('golden map %s', (map) => {
  const x = golden.get(`${map}.x`)!.data as Float64Array;

  /** max |got/expected − 1|. */
  function relative(normalize: typeof normalizeGamma, expected: string): number {
    const out = new Float64Array(x.length);
    normalize(out, x);
    const data = golden.get(`${map}.${expected}`)!.data;
    return Math.max(...out.map((value, i) => Math.abs(value / data[i]! - 1)));
  }

  test('the Gamma is within 1e-11 (relative) of the true distribution function', () => {
    expect(relative(normalizeGamma, 'gamma_cdf')).toBeLessThan(1e-11);
  });

  test('the Gamma reference is within 1e-11 (relative) of the authors’ truncated series', () => {
    expect(relative(normalizeGammaReference, 'gamma_cdf_reference_series')).toBeLessThan(1e-11);
  });

  test('shape and scale are the authors’ within 1e-12; as constants they give the same result', () => {
    const [shape, scale] = golden.get(`${map}.gamma_k_theta`)!.data as Float64Array;
    const fitted = new Float64Array(x.length);
    const given = new Float64Array(x.length);
    normalizeGamma(fitted, x);
    const min = Math.min(...x);
    normalizeGamma(given, x, { min, shape: shape!, scale: scale! });
    expect(largestDifference(given, fitted)).toBeLessThan(1e-12);
  });
});

describe('the Gamma reference', () => {
  const rows = [
    { k: 0.5, turn: 3.072, value: 0.979, exact: 0.987, later: 0.782 },
    { k: 1, turn: 3.765, value: 0.962, exact: 0.977, later: 0.657 },
    { k: 2, turn: 4.954, value: 0.928, exact: 0.958, later: 0.469 },
    { k: 5, turn: 8.175, value: 0.837, exact: 0.91, later: 0.171 },
    { k: 10, turn: 13.302, value: 0.726, exact: 0.853, later: 0.032 },
    { k: 18, turn: 21.377, value: 0.612, exact: 0.796, later: 0.002 },
  ];
  test.each(rows)(
    'is not monotone: with k = $k it rises up to y/θ = $turn and falls from there',
    ({ k, turn, value, exact, later }) => {
      for (let t = 0.02; t < 4 * turn; t += 0.02) {
        // Within 0.02 of the turn it may go either way.
        if (Math.abs(t - turn) < 0.02) continue;
        const rise = gammaReference(k, t + 0.01) - gammaReference(k, t - 0.01);
        expect(Math.sign(rise), `at ${t}`).toBe(t < turn ? 1 : -1);
      }
      expect(gammaReference(k, turn)).toBeCloseTo(value, 3);
      expect(gammaP(k, turn)).toBeCloseTo(exact, 3);
      expect(gammaReference(k, 2 * turn)).toBeCloseTo(later, 3);
      expect(gammaP(k, 2 * turn)).toBeGreaterThan(0.999);
    },
  );

  test('can make the most salient pixel the darkest', () => {
    const x = Float64Array.from({ length: 100 }, (_, i) => (i === 42 ? 1000 : 1 + (i % 7) / 4));
    const out = new Float64Array(100);
    normalizeGammaReference(out, x);
    expect(out[42]).toBeLessThan(Math.min(...out.filter((_, i) => x[i]! > 1 && i !== 42)));
    normalizeGamma(out, x);
    expect(out[42]).toBe(Math.max(...out));
  });
});

describe('Φ by its table', () => {
  test('is within 1e-15 of ½·erfc(−z/√2) for any z', () => {
    const table = normalCdfTable();
    fc.assert(
      fc.property(fc.double({ min: -12, max: 12, noNaN: true }), (z) => {
        const exact = 0.5 * erfc(-z * Math.SQRT1_2);
        expect(Math.abs(normalCdf(table, z) - exact)).toBeLessThanOrEqual(1e-15);
      }),
      { numRuns: 1000 },
    );
  });

  test('is within 1e-15 also in the worst case, midway between two nodes', () => {
    const table = normalCdfTable();
    for (let z = -9 + 1 / 128; z < 9; z += 1 / 64) {
      const exact = 0.5 * erfc(-z * Math.SQRT1_2);
      expect(Math.abs(normalCdf(table, z) - exact)).toBeLessThanOrEqual(1e-15);
    }
  });
});

describe('normalisers', () => {
  test('the Gaussian is the definition, two passes with N − 1, within 1e-12', () => {
    fc.assert(
      fc.property(values, (x) => {
        const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
        const squares = x.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        const sd = Math.sqrt(squares / (x.length - 1));
        // Below, the definition's own mean is rounded by more than the spread of the map.
        fc.pre(sd > 1e-3);
        const out = new Float64Array(x.length);
        normalizeGaussian(out, x);
        const exact = Array.from(x, (value) => 0.5 * erfc((mean - value) / (sd * Math.SQRT2)));
        expect(largestDifference(out, exact)).toBeLessThan(1e-12);
      }),
    );
  });

  test.each(monotone)('%s is monotone, and writes [0, 1] from maps in [0, 1]', (name) => {
    const unit = fc.float32Array({ min: 0, max: 1, noNaN: true, minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(unit, (x) => {
        const sorted = x.slice().sort();
        const out = new Float32Array(x.length);
        NORMALIZERS[name](out, sorted);
        expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
        for (let i = 1; i < out.length; i++) expect(out[i]).toBeGreaterThanOrEqual(out[i - 1]!);
      }),
    );
  });

  test.each(names)('%s gives the same result in place and into another array', (name) => {
    fc.assert(
      fc.property(values, (x) => {
        const out = new Float32Array(x.length);
        NORMALIZERS[name](out, x);
        NORMALIZERS[name](x, x);
        expect(x).toEqual(out);
      }),
    );
  });

  test('the Gaussian does not change, to the bit, if the map is scaled by a power of two', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: -20, max: 20 }), (x, exponent) => {
        const wide = Float64Array.from(x);
        const scaled = wide.map((value) => value * 2 ** exponent);
        const a = new Float64Array(x.length);
        const b = new Float64Array(x.length);
        normalizeGaussian(a, wide);
        normalizeGaussian(b, scaled);
        expect(b).toEqual(a);
      }),
    );
  });

  test('all except the identity give [0, 1] for any map, including 1×1 and all zeros', () => {
    const zeros = fc.nat(20).map((more) => new Float32Array(more + 1));
    fc.assert(
      fc.property(fc.oneof(values, zeros), (x) => {
        for (const name of names.filter((name) => name !== 'identity')) {
          const out = new Float64Array(x.length);
          NORMALIZERS[name](out, x);
          expect(
            out.every((value) => value >= 0 && value <= 1),
            name,
          ).toBe(true);
        }
      }),
    );
  });

  test('a constant map is ½ by the Gaussian and 0 by the range and both Gammas, whatever the constant', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.nat(50), (c, more) => {
        const x = new Float32Array(more + 1).fill(c);
        const out = new Float32Array(x.length);
        normalizeGaussian(out, x);
        expect(out.every((value) => value === 0.5)).toBe(true);
        for (const normalize of [normalizeRange, normalizeGamma, normalizeGammaReference]) {
          normalize(out, x);
          expect(out.every((value) => value === 0)).toBe(true);
        }
      }),
    );
  });

  test('a narrow map about a large mean keeps its digits', () => {
    const x = Float64Array.of(1e8, 1e8 + 1e-6, 1e8 + 2e-6);
    const out = new Float64Array(3);
    normalizeGaussian(out, x);
    // 1e8 in double precision has steps of 1.5e-8: the outer values are off by 1 % of the spread.
    expect(largestDifference(out, [0.158655, 0.5, 0.841345])).toBeLessThan(0.01);
  });

  test('NaN, a pixel that was not seen, stays NaN and changes nothing else', () => {
    for (const name of names) {
      const seen = Float64Array.of(0.1, 0.5, 0.2, 0.9);
      const expected = new Float64Array(4);
      NORMALIZERS[name](expected, seen);
      const out = new Float64Array(6);
      NORMALIZERS[name](out, Float64Array.of(NaN, 0.1, 0.5, NaN, 0.2, 0.9));
      expect(out).toEqual(
        Float64Array.of(NaN, expected[0]!, expected[1]!, NaN, expected[2]!, expected[3]!),
      );
      NORMALIZERS[name](out, new Float64Array(6).fill(NaN));
      expect(out.every(Number.isNaN)).toBe(true);
    }
  });

  test('an infinite value makes the whole map NaN by the Gaussian and the Gamma: it is not hidden', () => {
    const out = new Float32Array(3);
    for (const normalize of [normalizeGaussian, normalizeGamma, normalizeGammaReference]) {
      for (const infinite of [Infinity, -Infinity]) {
        normalize(out, Float32Array.of(0, 1, infinite));
        expect(out.every(Number.isNaN)).toBe(true);
      }
    }
  });

  test('subnormal values are told apart', () => {
    const out = new Float32Array(3);
    normalizeGaussian(out, Float32Array.of(0, 2 ** -149, 2 ** -148));
    expect(out[0]).toBeLessThan(out[1]!);
    expect(out[1]).toBeLessThan(out[2]!);
  });

  test('lengths that differ are refused, in one line with both', () => {
    for (const name of names) {
      expect(() => NORMALIZERS[name](new Float32Array(3), new Float32Array(4))).toThrow(
        /^normalize\w+: out expected length 4, got 3$/,
      );
    }
  });
});
