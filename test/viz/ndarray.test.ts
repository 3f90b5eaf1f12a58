import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { checkMap, type FlatArray, type NdArray, toNdArray } from '../../src/viz/ndarray.js';
import { asNdarray } from './arbitraries.js';

describe('toNdArray', () => {
  test.each([
    { data: new Float32Array(6), dtype: 'float32' },
    { data: new Float64Array(6), dtype: 'float64' },
    { data: new Uint8Array(6), dtype: 'uint8' },
    { data: new Uint8ClampedArray(6), dtype: 'uint8_clamped' },
  ])('has every plain field as the package ndarray has it, for $dtype', ({ data }) => {
    for (const shape of [[6], [2, 3], [3, 1, 2]]) {
      const ours = toNdArray<FlatArray>(data, shape);
      const theirs = ndarray(data, shape);
      expect(ours.data).toBe(theirs.data);
      for (const field of ['shape', 'stride', 'offset', 'dtype', 'size', 'dimension'] as const) {
        expect(ours[field]).toEqual(theirs[field]);
      }
      // Where a stride says nothing, along an axis of 1, theirs breaks the tie the other way.
      if (!shape.includes(1)) expect(ours.order).toEqual(theirs.order);
    }
  });

  test('gives arrays that ndarray-ops takes unchanged, alone or with its own', () => {
    const a = toNdArray(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const b = ndarray(Float32Array.of(6, 5, 4, 3, 2, 1), [2, 3]);
    const out = toNdArray(new Float32Array(6), [2, 3]);
    ops.add(asNdarray(out), asNdarray(a), b);
    expect([...out.data]).toEqual([7, 7, 7, 7, 7, 7]);
    ops.mulseq(asNdarray(a), 2);
    expect(ops.sum(asNdarray(a))).toBe(42);
    expect(ops.sup(asNdarray(a))).toBe(12);
    expect(ops.inf(asNdarray(a))).toBe(2);
  });

  test('gives arrays whose fields make views by the package ndarray', () => {
    const { data, shape, stride, offset } = toNdArray(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const column = ndarray(data, shape, stride, offset).pick(null, 1);
    expect([column.get(0), column.get(1)]).toEqual([2, 5]);
  });

  test('survives a structured clone', () => {
    const map = toNdArray(Float32Array.of(1, 2), [1, 2]);
    expect(structuredClone(map)).toEqual(map);
  });

  test('refuses data of another length than the shape asks for', () => {
    expect(() => toNdArray(new Float32Array(5), [2, 3])).toThrow(
      new ShapeError('toNdArray: data expected length 6 for [2, 3], got 5'),
    );
  });
});

describe('checkMap', () => {
  const good = toNdArray(new Float32Array(6), [2, 3]);

  test.each([
    { what: 'one axis', map: toNdArray(new Float32Array(6), [6]) },
    { what: 'three axes', map: toNdArray(new Float32Array(6), [1, 2, 3]) },
    { what: 'no rows', map: toNdArray(new Float32Array(0), [0, 3]) },
    { what: 'a shape beyond its data', map: { ...good, shape: [3, 3] } },
    { what: 'a stride beyond its data', map: { ...good, stride: [4, 1] } },
    { what: 'a negative stride without its offset', map: { ...good, stride: [-3, 1] } },
    { what: 'an offset beyond its data', map: { ...good, offset: 1 } },
  ])('refuses $what with a ShapeError', ({ map }) => {
    expect(() => checkMap('test', map)).toThrow(ShapeError);
  });

  test('takes views: transposed, reversed, a part', () => {
    checkMap('test', { ...good, shape: [3, 2], stride: [1, 3] });
    checkMap('test', { ...good, stride: [-3, -1], offset: 5 });
    checkMap('test', { ...good, shape: [1, 2], offset: 4 });
  });

  test('refuses other values with a TypeError', () => {
    for (const wrong of [undefined, null, {}, new Float32Array(6), { data: [1, 2] }]) {
      expect(() => checkMap('test', wrong as unknown as NdArray)).toThrow(TypeError);
    }
  });
});
