import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { NormalizerFit } from '../../src/node/normalizer-fit.js';
import {
  type MapValues,
  NORMALIZERS,
  type Normalizer,
  normalizeGamma,
  normalizeGaussian,
  normalizeRange,
} from '../../src/viz/normalize.js';
import {
  checkNormalizerConstants,
  type NormalizerConstants,
} from '../../src/viz/normalizer-constants.js';
import { loadGolden } from '../goldens.js';
import { largestDifference } from './arbitraries.js';

const names = Object.keys(NORMALIZERS) as Normalizer[];
const values = fc.float32Array({ min: 0, max: 100, noNaN: true, minLength: 1, maxLength: 60 });
const positive = fc.double({ min: 0.01, max: 50, noNaN: true });
const constants = fc.record({
  gaussian: fc.record({ mean: fc.double({ min: -5, max: 50, noNaN: true }), sd: positive }),
  gamma: fc.record({
    min: fc.double({ min: -5, max: 5, noNaN: true }),
    shape: fc.double({ min: 1e-7, max: 18, noNaN: true }),
    scale: positive,
  }),
  range: fc.record({
    min: fc.double({ min: -5, max: 5, noNaN: true }),
    max: fc.double({ min: 5, max: 80, noNaN: true }),
  }),
});

/** Takes in each of the maps. */
function fitOf(maps: readonly ArrayLike<number>[], options?: { min: number }): NormalizerFit {
  const fit = new NormalizerFit(options);
  for (const map of maps) fit.add(map);
  return fit;
}

function normalized(name: Normalizer, x: MapValues, given?: NormalizerConstants): Float32Array {
  const out = new Float32Array(x.length);
  NORMALIZERS[name](out, x, given);
  return out;
}

describe('given constants', () => {
  test.each(names)(
    '%s uses no statistic of the map: each pixel is normalised independently',
    (name) => {
      fc.assert(
        fc.property(values, constants, (x, given) => {
          const alone = Float32Array.from(
            x,
            (value) => normalized(name, Float32Array.of(value), given)[0]!,
          );
          expect(normalized(name, x, given)).toEqual(alone);
        }),
      );
    },
  );

  test.each(names.filter((name) => name !== 'gamma-reference' && name !== 'identity'))(
    '%s is monotone in [0, 1]; NaN stays NaN',
    (name) => {
      fc.assert(
        fc.property(values, constants, (x, given) => {
          const out = normalized(name, x.slice().sort(), given);
          expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
          for (let i = 1; i < out.length; i++) expect(out[i]).toBeGreaterThanOrEqual(out[i - 1]!);
          expect(normalized(name, Float32Array.of(NaN), given)[0]).toBeNaN();
        }),
      );
    },
  );

  test('values below the lower end count as the lower end', () => {
    const x = Float64Array.of(-7, 0.99, 1);
    const given = { gamma: { min: 1, shape: 2, scale: 3 }, range: { min: 1, max: 2 } };
    for (const name of ['gamma', 'gamma-reference', 'range'] as const) {
      const [a, b, c] = normalized(name, x, given);
      expect([a, b]).toEqual([c, c]);
    }
    expect(normalized('range', Float64Array.of(9), given)[0]).toBe(1);
  });

  test('the map’s own constants give the same as no constants, within 1e-12', () => {
    const x = loadGolden('normalize').get('0.x')!.data as Float64Array;
    const { gaussian, gamma, range } = fitOf([x], { min: Math.min(...x) }).constants();
    for (const [normalize, own] of [
      [normalizeGaussian, gaussian],
      [normalizeGamma, gamma],
      [normalizeRange, range],
    ] as [typeof normalizeGaussian, typeof gaussian][]) {
      const out = new Float64Array(x.length);
      const expected = new Float64Array(x.length);
      normalize(expected, x);
      normalize(out, x, own);
      expect(largestDifference(out, expected)).toBeLessThan(1e-12);
    }
  });

  test('that are not those of the normaliser are refused: there is no fallback to the map', () => {
    for (const name of names.filter((name) => name !== 'identity')) {
      expect(() => normalized(name, Float32Array.of(1), {})).toThrow(ShapeError);
    }
  });

  test('that are not finite, or not positive if they must be, are refused by name', () => {
    const bad: [NormalizerConstants, string][] = [
      [{ gaussian: { mean: NaN, sd: 1 } }, 'gaussian.mean expected a finite number, got NaN'],
      [{ gaussian: { mean: 0, sd: 0 } }, 'gaussian.sd expected a finite number > 0, got 0'],
      [{ gamma: { min: Infinity, shape: 1, scale: 1 } }, 'gamma.min expected a finite number, got'],
      [{ gamma: { min: 0, shape: -1, scale: 1 } }, 'gamma.shape expected a finite number > 0'],
      [
        { gamma: { min: 0, shape: 1, scale: Infinity } },
        'gamma.scale expected a finite number > 0',
      ],
      [{ range: { min: 2, max: 1 } }, 'range.max expected ≥ 2, got 1'],
      [JSON.parse('{"gaussian":{"mean":"1","sd":1}}'), 'gaussian.mean expected a finite number'],
    ];
    for (const [given, message] of bad) {
      expect(() => checkNormalizerConstants('test', given)).toThrow(ShapeError);
      expect(() => checkNormalizerConstants('test', given)).toThrow(`test: ${message}`);
    }
    expect(() =>
      normalizeGaussian(new Float32Array(1), new Float32Array(1), { mean: 0, sd: -1 }),
    ).toThrow('normalizeGaussian: gaussian.sd expected a finite number > 0, got -1');
  });
});

describe('NormalizerFit', () => {
  const pools = fc
    .array(values, { minLength: 1, maxLength: 6 })
    .filter((maps) => new Set(maps.flatMap((map) => [...map])).size > 1);

  test('of many maps equals that of one map with all their values, within 1e-9', () => {
    fc.assert(
      fc.property(pools, (maps) => {
        const pooled = Float64Array.from(maps.flatMap((map) => [...map]));
        const streamed = fitOf(maps);
        const whole = fitOf([pooled]);
        expect(streamed.count).toBe(pooled.length);
        const [a, b] = [streamed.constants(), whole.constants()];
        expect(a.range).toEqual(b.range);
        expect(Math.abs(a.gaussian.mean - b.gaussian.mean)).toBeLessThanOrEqual(1e-12 * 100);
        expect(Math.abs(a.gaussian.sd / b.gaussian.sd - 1)).toBeLessThanOrEqual(1e-9);
        // s, a difference of logarithms, has its rounding over s left in k.
        const mean = a.gamma.shape * a.gamma.scale;
        expect(Math.abs(mean / (b.gamma.shape * b.gamma.scale) - 1)).toBeLessThanOrEqual(1e-12);
        expect(Math.abs(a.gamma.shape / b.gamma.shape - 1)).toBeLessThanOrEqual(1e-9);
      }),
    );
  });

  test('has the mean and the sd (N − 1) of the definition; NaN is left out', () => {
    const { gaussian, range } = fitOf([[1, NaN, 2], [NaN], [6]]).constants();
    expect(gaussian.mean).toBeCloseTo(3, 14);
    expect(gaussian.sd).toBeCloseTo(Math.sqrt(7), 14);
    expect(range).toEqual({ min: 1, max: 6 });
  });

  test('is accurate for values in a narrow range about a large mean', () => {
    const { gaussian } = fitOf([[1e9], [1e9 + 1], [1e9 + 2]]).constants();
    expect(gaussian.sd).toBeCloseTo(1, 12);
  });

  test('takes the given lower end of the Gamma (default 0), and counts values below as the lower end', () => {
    expect(fitOf([[3, 4, 5]]).constants().gamma.min).toBe(0);
    const low = fitOf([[-9, 1, 5]], { min: 1 }).constants().gamma;
    expect(low).toEqual(fitOf([[1, 1, 5]], { min: 1 }).constants().gamma);
  });

  test('survives JSON', () => {
    const fitted = fitOf([[0.5, 1, 4]]).constants();
    const read = JSON.parse(JSON.stringify(fitted)) as NormalizerConstants;
    expect(read).toEqual(fitted);
    expect(() => checkNormalizerConstants('test', read)).not.toThrow();
  });

  test('refuses infinite values and values without a scale, in one line', () => {
    const fit = new NormalizerFit();
    expect(() => fit.constants()).toThrow('NormalizerFit: expected values that differ, got none');
    fit.add([2, 2]);
    expect(() => fit.constants()).toThrow('expected values that differ, got 2 times 2');
    expect(() => fitOf([[0, 1e-200]]).constants()).toThrow('gaussian.sd expected a finite number');
    expect(() => fit.add([1, Infinity])).toThrow(ShapeError);
    expect(fit.count).toBe(2);
    expect(() => new NormalizerFit({ min: NaN })).toThrow(ShapeError);
  });
});
