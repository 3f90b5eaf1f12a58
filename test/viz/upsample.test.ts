import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { type SaliencyMap, toNdArray } from '../../src/viz/ndarray.js';
import {
  RowUpsampler,
  upsampleBilinear,
  upsampleBilinearReference,
} from '../../src/viz/upsample.js';
import { loadGolden } from '../goldens.js';
import { largestDifference, map, regionOf, unitMap } from './arbitraries.js';

const golden = loadGolden('combine');

describe.each([
  { name: 'nonsquare', size: [96, 160] as [number, number] },
  { name: 'odd', size: [61, 33] as [number, number] },
])('goldens of $name', ({ name, size }) => {
  test.each([0, 1, 2, 3, 4])('map %i is within 2⁻²⁴, one step of float32 below 1', (i) => {
    const { data, shape } = golden.get(`${name}.map${i}`)!;
    const source = toNdArray(data as Float32Array, [...shape]);
    const out = new Float32Array(size[0] * size[1]);
    upsampleBilinear(out, size, source);
    const expected = golden.get(`${name}.upsampled${i}`)!.data;
    // Both are rounded from float64 once; a result midway between two float32 may fall to either side.
    expect(largestDifference(out, expected)).toBeLessThanOrEqual(2 ** -24);
  });
});

describe('upsampleBilinear', () => {
  test('is the reference within 2⁻²⁴, for any size, region and stride', () => {
    const cases = fc
      .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }))
      .chain(([H, W]) =>
        fc.tuple(fc.constant([H, W] as [number, number]), unitMap(9), regionOf(H, W)),
      );
    fc.assert(
      fc.property(cases, fc.boolean(), ([size, source, region], flip) => {
        const input = flip ? flipped(source) : source;
        const out = new Float32Array(size[0] * size[1]);
        const expected = new Float32Array(size[0] * size[1]);
        upsampleBilinear(out, size, input, region);
        upsampleBilinearReference(expected, size, input, region);
        expect(largestDifference(out, expected)).toBeLessThanOrEqual(2 ** -24);
      }),
    );
  });

  test('copies, to the bit, if map and picture have the same size', () => {
    fc.assert(
      fc.property(unitMap(12), (source) => {
        const [H, W] = source.shape as [number, number];
        const out = new Float32Array(H * W);
        upsampleBilinear(out, [H, W], source);
        expect(out).toEqual(source.data);
      }),
    );
  });

  test('centres are half-pixel: [0, 1] at twice its width is [0, ¼, ¾, 1]', () => {
    const out = new Float32Array(4);
    upsampleBilinear(out, [1, 4], map([1, 2], [0, 1]));
    expect([...out]).toEqual([0, 0.25, 0.75, 1]);
  });

  test('a map of 1×1 fills the picture', () => {
    const out = new Float32Array(15);
    upsampleBilinear(out, [3, 5], map([1, 1], [0.3]));
    expect(out.every((value) => value === Math.fround(0.3))).toBe(true);
  });

  test('pixels with their centre outside of the region are NaN; inside, the region is like a picture', () => {
    const source = map([2, 2], [0, 0.25, 0.5, 1]);
    const inside = new Float32Array(12);
    upsampleBilinear(inside, [3, 4], source);
    const out = new Float32Array(6 * 9);
    upsampleBilinear(out, [6, 9], source, { x: 3, y: 2, width: 4, height: 3 });
    for (let y = 0; y < 6; y++) {
      for (let x = 0; x < 9; x++) {
        const seen = y >= 2 && y < 5 && x >= 3 && x < 7;
        expect(out[y * 9 + x]).toEqual(seen ? inside[(y - 2) * 4 + x - 3] : NaN);
      }
    }
  });

  test('a region that contains no centre gives only NaN', () => {
    const out = new Float32Array(4);
    upsampleBilinear(out, [2, 2], map([1, 1], [1]), { x: 0.6, y: 0, width: 0.8, height: 2 });
    expect(out.every(Number.isNaN)).toBe(true);
    upsampleBilinear(out, [2, 2], map([1, 1], [1]), { x: -9, y: 50, width: 1, height: 2 });
    expect(out.every(Number.isNaN)).toBe(true);
  });

  test('rows may be asked for in any order, with the same bits', () => {
    const source = map(
      [5, 3],
      Array.from({ length: 15 }, (_, i) => (i * 7) % 11),
    );
    const size: [number, number] = [17, 8];
    const order = fc.array(fc.nat(16), { minLength: 1, maxLength: 30 });
    const rowOf = (rows: RowUpsampler, y: number) => {
      const row = new Float64Array(8);
      rows.add(row, y);
      return row;
    };
    fc.assert(
      fc.property(order, (ys) => {
        const kept = new RowUpsampler('test', size, source);
        for (const y of ys) {
          expect(rowOf(kept, y)).toEqual(rowOf(new RowUpsampler('test', size, source), y));
        }
      }),
    );
  });

  test('arguments that do not fit are refused, with expected and got', () => {
    const source = map([2, 2], [0, 1, 2, 3]);
    const out = new Float32Array(9);
    expect(() => upsampleBilinear(out, [2, 4], source)).toThrow(
      'upsampleBilinear: out expected length 8 for [2, 4], got 9',
    );
    for (const size of [
      [0, 9],
      [3.5, 2],
      [-1, 3],
    ] as [number, number][]) {
      expect(() => upsampleBilinear(out, size, source)).toThrow(ShapeError);
    }
    for (const region of [
      { x: 0, y: 0, width: 0, height: 1 },
      { x: NaN, y: 0, width: 1, height: 1 },
      { x: 0, y: 0, width: 1, height: Infinity },
    ]) {
      expect(() => upsampleBilinear(out, [3, 3], source, region)).toThrow(ShapeError);
    }
  });
});

/** The same map through negative strides: rows and columns in reverse, then stored reversed. */
function flipped(source: SaliencyMap): SaliencyMap {
  const [H, W] = source.shape as [number, number];
  const data = source.data.slice().reverse();
  return { ...toNdArray(data, [H, W]), stride: [-W, -1], offset: H * W - 1 };
}
