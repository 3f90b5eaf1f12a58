import fc from 'fast-check';
import ops from 'ndarray-ops';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import {
  combineMaps,
  resolveScaleWeights,
  SCALE_WEIGHTS,
  type ScaleWeights,
} from '../../src/viz/combine.js';
import { type SaliencyMap, toNdArray } from '../../src/viz/ndarray.js';
import { upsampleBilinear } from '../../src/viz/upsample.js';
import { loadGolden } from '../goldens.js';
import { asNdarray, largestDifference, map, regionOf, unitMap } from './arbitraries.js';

const golden = loadGolden('combine');
const named = Object.keys(SCALE_WEIGHTS) as (keyof typeof SCALE_WEIGHTS)[];

/** A float32 holds [½, 1] in steps of 2⁻²⁴: one rounding is half of that. */
const ROUNDING = 2 ** -25;

const cases = fc.integer({ min: 1, max: 6 }).chain((n) =>
  fc.record({
    maps: fc.array(unitMap(8), { minLength: n, maxLength: n }),
    weights: fc
      .array(fc.integer({ min: 0, max: 1000 }), { minLength: n, maxLength: n })
      .filter((weights) => weights.some((weight) => weight > 0)),
    size: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })),
  }),
);

describe('goldens', () => {
  const goldenCases = ['resnet224', 'nonsquare', 'odd'].flatMap((name) =>
    named
      .filter((weights) => golden.has(`${name}.combined.${weights}`))
      .map((weights) => ({ name, weights })),
  );
  test.each(goldenCases)(
    '$name with $weights weights is within 2⁻²⁴, one step of float32 below 1',
    ({ name, weights }) => {
      const expected = golden.get(`${name}.combined.${weights}`)!;
      const maps = [0, 1, 2, 3, 4].map((i) => {
        const { data, shape } = golden.get(`${name}.map${i}`)!;
        return toNdArray(data as Float32Array, [...shape]);
      });
      const combined = combineMaps(maps, expected.shape as [number, number], weights);
      // Both are sums in float64 rounded to float32 once; where a sum lies midway between two float32
      // numbers, its last bits decide to which side.
      expect(largestDifference(combined.data, expected.data)).toBeLessThanOrEqual(2 ** -24);
    },
  );
});

describe('combineMaps', () => {
  test('is Σ wᵢ·up(Fᵢ) / Σ wᵢ by ndarray-ops, within the rounding of float32', () => {
    fc.assert(
      fc.property(cases, ({ maps, weights, size }) => {
        const [H, W] = size;
        const sum = asNdarray(toNdArray(new Float64Array(H * W), [H, W]));
        const term = asNdarray(toNdArray(new Float64Array(H * W), [H, W]));
        maps.forEach((source, i) => {
          const up = toNdArray(new Float32Array(H * W), [H, W]);
          upsampleBilinear(up.data, size, source);
          ops.muls(term, asNdarray(up), weights[i]!);
          ops.addeq(sum, term);
        });
        ops.divseq(
          sum,
          ops.sum(asNdarray(toNdArray(Float64Array.from(weights), [weights.length]))),
        );
        const combined = combineMaps(maps, size, weights);
        ops.subeq(sum, asNdarray(combined));
        // The oracle's upsampled maps are rounded to float32 each, the combination once more.
        expect(ops.norminf(sum)).toBeLessThanOrEqual(2 * ROUNDING + 1e-15);
      }),
    );
  });

  test('is between the least and the greatest value of its maps, exactly', () => {
    fc.assert(
      fc.property(cases, ({ maps, weights, size }) => {
        const used = maps.filter((_, i) => weights[i]! > 0);
        const min = Math.min(...used.flatMap((source) => [...source.data]));
        const max = Math.max(...used.flatMap((source) => [...source.data]));
        const { data } = combineMaps(maps, size, weights);
        expect(Math.min(...data)).toBeGreaterThanOrEqual(min);
        expect(Math.max(...data)).toBeLessThanOrEqual(max);
      }),
    );
  });

  test('of equal constants is that constant, to the bit, under any weights', () => {
    const constant = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(cases, constant, ({ maps, weights, size }, c) => {
        const constants = maps.map(({ shape, data }) => toNdArray(data.slice().fill(c), shape));
        const combined = combineMaps(constants, size, weights);
        expect(combined.data.every((value) => value === c)).toBe(true);
      }),
    );
  });

  test('does not change with a common factor of the weights: to the bit for powers of two', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: -30, max: 30 }), ({ maps, weights, size }, exponent) => {
        const scaled = weights.map((weight) => weight * 2 ** exponent);
        expect(combineMaps(maps, size, scaled)).toEqual(combineMaps(maps, size, weights));
      }),
    );
  });

  test('does not change with a common factor of the weights: within 2⁻²⁴ for any factor', () => {
    const factor = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(cases, factor, ({ maps, weights, size }, by) => {
        const a = combineMaps(maps, size, weights).data;
        const b = combineMaps(
          maps,
          size,
          weights.map((weight) => weight * by),
        ).data;
        expect(largestDifference(a, b)).toBeLessThanOrEqual(2 ** -24);
      }),
    );
  });

  test('a map of weight 0 has no effect, even where it is NaN', () => {
    fc.assert(
      fc.property(unitMap(5), unitMap(5), (a, b) => {
        const nothing = map([1, 2], [NaN, NaN]);
        expect(combineMaps([a, nothing, b], [7, 6], [1, 0, 3])).toEqual(
          combineMaps([a, b], [7, 6], [1, 3]),
        );
      }),
    );
  });

  test('a NaN in a map gives NaN at the pixels next to it, and nowhere else', () => {
    const broken = map([3, 3], [0, 0, 0, 0, 0, 0, 0, 0, NaN]);
    const { data } = combineMaps([broken, map([1, 1], [1])], [6, 6]);
    const where = Array.from(data, (value, i) => (Number.isNaN(value) ? i : -1)).filter(
      (i) => i >= 0,
    );
    expect(where).toEqual([21, 22, 23, 27, 28, 29, 33, 34, 35]);
  });

  test('is NaN outside of the region, and nowhere else', () => {
    const placed = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .chain(([H, W]) => fc.tuple(fc.constant([H, W] as [number, number]), regionOf(H, W)));
    fc.assert(
      fc.property(placed, unitMap(4), unitMap(4), ([size, region], a, b) => {
        const { data } = combineMaps([a, b], size, 'ramp', region);
        for (let i = 0; i < data.length; i++) {
          const x = (i % size[1]) + 0.5;
          const y = Math.floor(i / size[1]) + 0.5;
          const seen =
            x >= region.x &&
            y >= region.y &&
            x < region.x + region.width &&
            y < region.y + region.height;
          expect(Number.isNaN(data[i])).toBe(!seen);
        }
      }),
    );
  });

  test('does not change its maps', () => {
    const source = map([2, 2], [0.1, 0.2, 0.3, 0.4]);
    const before = structuredClone(source);
    combineMaps([source, source], [5, 5]);
    expect(source).toEqual(before);
  });

  test('refuses zero maps, maps without pixels, and another number of weights', () => {
    const one = map([1, 1], [1]);
    expect(() => combineMaps([], [2, 2])).toThrow(ShapeError);
    expect(() => combineMaps([map([0, 2], [])], [2, 2])).toThrow(ShapeError);
    expect(() => combineMaps([one], [2, 0])).toThrow(ShapeError);
    expect(() => combineMaps([one, one], [2, 2], [1])).toThrow(ShapeError);
    expect(() => combineMaps([{} as SaliencyMap], [2, 2])).toThrow(TypeError);
  });
});

describe('resolveScaleWeights', () => {
  test('named sets are those of the paper for five maps', () => {
    expect(resolveScaleWeights('equal', 5)).toEqual([1, 1, 1, 1, 1]);
    expect(resolveScaleWeights('ramp', 5)).toEqual([1, 2, 3, 4, 5]);
    expect(resolveScaleWeights('prior', 5)).toEqual([0.18, 0.15, 0.37, 0.4, 0.72]);
  });

  test('equal and ramp are for any number of maps, prior for five', () => {
    expect(resolveScaleWeights('equal', 2)).toEqual([1, 1]);
    expect(resolveScaleWeights('ramp', 3)).toEqual([1, 2, 3]);
    expect(() => resolveScaleWeights('prior', 4)).toThrow(
      "scaleWeights: expected 4 weights for 4 maps, got 'prior' with 5",
    );
  });

  test('given numbers come back as a copy, not normalised', () => {
    const given = [0, 3, 0.5];
    const resolved = resolveScaleWeights(given, 3);
    expect(resolved).toEqual(given);
    expect(resolved).not.toBe(given);
  });

  test.each([[[1, -1]], [[0, 0]], [[NaN, 1]], [[Infinity, 1]], [[1.7e308, 1.7e308]], [[1]]])(
    '%j is refused for two maps',
    (weights) => {
      expect(() => resolveScaleWeights(weights, 2)).toThrow(ShapeError);
    },
  );

  test.each(['best', 'constructor', 3, null])('%j is refused as a name', (weights) => {
    expect(() => resolveScaleWeights(weights as ScaleWeights, 5)).toThrow(TypeError);
  });
});
