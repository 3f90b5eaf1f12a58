import fc from 'fast-check';
import ops from 'ndarray-ops';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { keepMask, keptCount } from '../../src/viz/mask.js';
import { toNdArray } from '../../src/viz/ndarray.js';
import { loadGolden } from '../goldens.js';
import { asNdarray, map } from './arbitraries.js';

const golden = loadGolden('combine');

/** N − 1 − ⌊N·(1 − p)⌋ for p = percent/100, in whole numbers. */
function exactCount(N: number, percent: number): number {
  return percent === 100 ? N : Math.max(0, N - 1 - Math.floor((N * (100 - percent)) / 100));
}

describe.each(['resnet224', 'nonsquare', 'odd'])('golden %s', (name) => {
  test.each([10, 30, 50])('keeping %i %% is the authors’ mask, to the pixel', (percent) => {
    const { data, shape } = golden.get(`${name}.combined.prior`)!;
    const kept = keepMask(toNdArray(data as Float32Array, [...shape]), percent / 100);
    expect(kept.data).toEqual(golden.get(`${name}.mask_keep${percent}`)!.data);
    expect(kept.shape).toEqual(shape);
  });
});

describe('keepMask', () => {
  // Few different values, so that ties are many.
  const tied = fc.array(fc.constantFrom(0, -0, 0.25, 0.5, 1, -2), { minLength: 1, maxLength: 150 });
  const any = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 150 });
  const percent = fc.integer({ min: 0, max: 100 });

  test('keeps exactly N − 1 − ⌊N·(1 − p)⌋ pixels, also with ties', () => {
    fc.assert(
      fc.property(fc.oneof(tied, any), percent, (values, p) => {
        const kept = keepMask(map([1, values.length], values), p / 100);
        expect(ops.sum(asNdarray(kept))).toBe(exactCount(values.length, p));
        expect(kept.data.every((value) => value <= 1)).toBe(true);
      }),
    );
  });

  test('keeps no pixel that is less than a dropped one; of equals it keeps the lower index', () => {
    fc.assert(
      fc.property(fc.oneof(tied, any), percent, (values, p) => {
        const source = map([1, values.length], values);
        const kept = keepMask(source, p / 100).data;
        const order = Array.from(source.data.keys());
        order.sort((a, b) => compare(source.data[b]!, source.data[a]!) || a - b);
        const expected = new Uint8Array(values.length);
        for (const i of order.slice(0, exactCount(values.length, p))) expected[i] = 1;
        expect(kept).toEqual(expected);
      }),
    );
  });

  test('is map > sorted[⌊N·(1 − p)⌋] by ndarray-ops if no values are equal', () => {
    const distinct = fc.uniqueArray(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 2,
      maxLength: 100,
      comparator: (a, b) => Math.fround(a) === Math.fround(b),
    });
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 99 }), (values, p) => {
        const N = values.length;
        const source = map([N, 1], values);
        const threshold = source.data.slice().sort()[Math.floor((N * (100 - p)) / 100)]!;
        const expected = toNdArray(new Uint8Array(N), [N, 1]);
        ops.gts(asNdarray(expected), asNdarray(source), threshold);
        expect(keepMask(source, p / 100)).toEqual(expected);
      }),
    );
  });

  test('a constant map keeps its first pixels', () => {
    const kept = keepMask(map([4, 5], new Float32Array(20).fill(0.5)), 0.3);
    expect([...kept.data]).toEqual([...new Array(5).fill(1), ...new Array(15).fill(0)]);
  });

  test('keeps all at 1 and none at 0', () => {
    const source = map([2, 3], [1, 2, 3, 3, 2, 1]);
    expect([...keepMask(source, 1).data]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...keepMask(source, 0).data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('neither counts nor keeps NaN of either sign', () => {
    const negativeNaN = new Float32Array(new Uint32Array([0xffc00001]).buffer)[0]!;
    const values = [NaN, 1, -Infinity, negativeNaN, 5, 2, 3, 4, NaN];
    expect([...keepMask(map([3, 3], values), 0.5).data]).toEqual([0, 0, 0, 0, 1, 0, 0, 1, 0]);
    expect([...keepMask(map([3, 3], values), 1).data]).toEqual([0, 1, 1, 0, 1, 1, 1, 1, 0]);
    expect(keepMask(map([1, 2], [NaN, NaN]), 1).data).toEqual(new Uint8Array(2));
  });

  test('reads a transposed view by its strides', () => {
    const source = { ...map([2, 3], [1, 2, 3, 4, 5, 6]), shape: [3, 2], stride: [1, 3] };
    expect([...keepMask(source, 0.5).data]).toEqual([0, 0, 0, 1, 0, 1]);
  });

  test('refuses a fraction outside of [0, 1], NaN included', () => {
    for (const fraction of [-0.1, 1.1, NaN]) {
      expect(() => keepMask(map([1, 1], [1]), fraction)).toThrow(ShapeError);
    }
  });
});

test('keptCount is exact for every whole percentage up to 12 million pixels', () => {
  const N = fc.integer({ min: 0, max: 12_000_000 });
  fc.assert(
    fc.property(N, (n) => {
      for (let p = 0; p <= 100; p++) expect(keptCount(n, p / 100)).toBe(exactCount(n, p));
    }),
  );
});

/** Numerical order; unlike a difference it knows ∞ − ∞, and −0 = 0. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
