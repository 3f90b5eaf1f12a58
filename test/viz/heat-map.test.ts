import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { combineMaps } from '../../src/viz/combine.js';
import { heatMap, heatMapColors } from '../../src/viz/heat-map.js';
import { toNdArray } from '../../src/viz/ndarray.js';
import { loadGolden } from '../goldens.js';
import { largestDifference, map, stretched, unitMap } from './arbitraries.js';

const golden = loadGolden('combine');
const stacks = fc
  .integer({ min: 1, max: 6 })
  .chain((n) => fc.array(unitMap(5), { minLength: n, maxLength: n }));

/** Colours of the only row of pixels: one column of γ for each. */
function pixels(...columns: number[][]): number[][] {
  const W = columns.length;
  const maps = columns[0]!.map((_, l) =>
    map(
      [1, W],
      columns.map((column) => column[l]!),
    ),
  );
  const out = new Float32Array(3 * W);
  heatMapColors(out, maps, [1, W]);
  return columns.map((_, x) => [...out.subarray(3 * x, 3 * x + 3)]);
}

describe.each(['nonsquare', 'odd'])('golden %s', (name) => {
  test('of an enlarged stack is within 2e-6 of the authors’ code, whose order is BGR', () => {
    const { data: expected, shape } = golden.get(`${name}.heatmap_bgr`)!;
    const [H, W] = shape as [number, number, number];
    const maps = [0, 1, 2, 3, 4].map((i) => {
      const stored = golden.get(`${name}.map${i}`)!;
      return toNdArray(stored.data as Float32Array, [...stored.shape]);
    });
    const out = new Float32Array(3 * H * W);
    heatMapColors(out, stretched(maps, [H, W]), [H, W]);
    const bgr = out.map((_, i) => out[i - (i % 3) + 2 - (i % 3)]!);
    expect(largestDifference(bgr, expected)).toBeLessThanOrEqual(2e-6);
  });
});

describe('heatMapColors', () => {
  test('are, for one scale alone, red where most salient, green half way, and black where not salient', () => {
    expect(pixels([1, 0], [0, 0], [0.5, 0])).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0.5, 0],
    ]);
  });

  test('are grey, as bright as V, where all scales are equal', () => {
    const unit = fc.float({ min: 2 ** -20, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, fc.integer({ min: 2, max: 9 }), (a, b, n) => {
        const [first, second] = pixels(new Array(n).fill(a), new Array(n).fill(b));
        const peak = Math.max(a, b);
        // S is some 1e-16 by rounding, and (1e-16)^(1/e) = 1e-6.
        expect(largestDifference(first!, [a / peak, a / peak, a / peak])).toBeLessThan(1e-5);
        expect(largestDifference(second!, [b / peak, b / peak, b / peak])).toBeLessThan(1e-5);
      }),
    );
  });

  test('have as value, max(R, G, B), the combination divided by its maximum, for any weights, within 1e-6', () => {
    fc.assert(
      fc.property(
        stacks,
        fc.constantFrom('equal' as const, 'ramp' as const),
        (maps, scaleWeights) => {
          const combined = combineMaps(maps, [4, 5], scaleWeights).data;
          const peak = Math.max(...combined);
          fc.pre(peak > 1e-6);
          const out = new Float32Array(60);
          heatMapColors(out, maps, [4, 5], undefined, { scaleWeights });
          const value = combined.map((_, i) => Math.max(...out.subarray(3 * i, 3 * i + 3)));
          expect(
            largestDifference(
              value,
              combined.map((v) => v / peak),
            ),
          ).toBeLessThanOrEqual(1e-6);
        },
      ),
    );
  });

  test('stay in [0, 1], clamp their maps, and are black where all maps are 0', () => {
    fc.assert(
      fc.property(stacks, (maps) => {
        const out = new Float32Array(60);
        heatMapColors(out, maps, [4, 5]);
        expect(out.every((channel) => channel >= 0 && channel <= 1)).toBe(true);
        const zero = maps.map(({ shape, data }) => toNdArray(data.slice().fill(0), shape));
        heatMapColors(out, zero, [4, 5]);
        expect(out.every((channel) => channel === 0)).toBe(true);
      }),
    );
    expect(pixels([7, -3])).toEqual(pixels([1, 0]));
  });

  test('of one map alone have full saturation', () => {
    // V = ¼ is at 180°, cyan.
    expect(pixels([1], [0.25])).toEqual([
      [1, 0, 0],
      [0, 0.25, 0.25],
    ]);
  });

  test('are NaN outside of the region', () => {
    const out = new Float32Array(6);
    heatMapColors(out, [map([1, 1], [1])], [1, 2], { x: 1, y: 0, width: 1, height: 1 });
    expect([...out]).toEqual([NaN, NaN, NaN, 1, 0, 0]);
  });

  test('arguments that do not fit are refused', () => {
    const one = map([1, 1], [1]);
    expect(() => heatMapColors(new Float32Array(4), [one], [1, 1])).toThrow(
      'heatMapColors: out expected length 3 for [1, 1, 3], got 4',
    );
    expect(() => heatMap([], [1, 1])).toThrow('heatMap: maps expected at least 1, got 0');
    expect(() => heatMap([one], [1, 1], undefined, { scaleWeights: [1, 2] })).toThrow(ShapeError);
  });
});

test('heatMap is heatMapColors in rounded bytes, opaque', () => {
  fc.assert(
    fc.property(stacks, (maps) => {
      const { data, width, height } = heatMap(maps, [5, 4]);
      const colors = new Float32Array(60);
      heatMapColors(colors, maps, [5, 4]);
      expect([width, height, data.length]).toEqual([4, 5, 80]);
      for (let i = 0; i < 80; i++) {
        const exact = i % 4 === 3 ? 255 : 255 * colors[3 * (i >> 2) + (i % 4)]!;
        expect(Math.abs(data[i]! - exact)).toBeLessThanOrEqual(0.5001);
      }
    }),
  );
});
