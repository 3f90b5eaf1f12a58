import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  enlargement,
  enlargePicture,
  fitInside,
  shrinkMap,
  shrinkPicture,
} from '../../../src/node/drawing/resample.js';
import { toNdArray } from '../../../src/viz/ndarray.js';

const side = fc.integer({ min: 1, max: 12 });

describe('shrinking', () => {
  test.prop([side, side, side, side])(
    'keeps the mean of the whole map to 1e-6 of its largest value',
    (width, height, a, b) => {
      const size = { width: Math.min(a, width), height: Math.min(b, height) };
      const data = Float32Array.from({ length: width * height }, (_, i) => (i * 37) % 11);
      const { data: small } = shrinkMap(toNdArray(data, [height, width]), size);
      const mean = (x: Float32Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
      expect(Math.abs(mean(small) - mean(data))).toBeLessThanOrEqual(1e-6 * 11);
    },
  );

  test('a pixel that touches an unseen one is unseen, and no other', () => {
    const map = toNdArray(Float32Array.of(1, 2, 3, Number.NaN), [1, 4]);
    expect([...shrinkMap(map, { width: 2, height: 1 }).data]).toEqual([1.5, Number.NaN]);
  });

  test('halving a picture averages squares of four pixels', () => {
    const data = new Uint8Array(16).fill(255);
    data.set([0, 100, 40], 0);
    data.set([0, 100, 40], 12);
    const { data: small } = shrinkPicture({ data, width: 2, height: 2 }, { width: 1, height: 1 });
    expect([...small]).toEqual([128, 178, 148, 255]);
  });
});

describe('sizes for looking at', () => {
  test.prop([fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 100_000 })])(
    'fitInside stays inside the box, has no side of 0, and enlarges nothing',
    (width, height) => {
      const size = fitInside({ width, height }, 320);
      expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(320);
      expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(1);
      expect(size.width).toBeLessThanOrEqual(width);
      expect(size.height).toBeLessThanOrEqual(height);
    },
  );

  test('small pictures are enlarged by whole factors, each pixel to a square', () => {
    expect(enlargement({ width: 1, height: 1 }, 224)).toBe(224);
    expect(enlargement({ width: 300, height: 10 }, 224)).toBe(1);
    const picture = { data: Uint8Array.of(1, 2, 3, 255, 5, 6, 7, 255), width: 2, height: 1 };
    const { data, width, height } = enlargePicture(picture, 2);
    expect([width, height]).toEqual([4, 2]);
    const reds = Array.from({ length: 8 }, (_, i) => data[4 * i]);
    expect(reds).toEqual([1, 1, 5, 5, 1, 1, 5, 5]);
  });
});
