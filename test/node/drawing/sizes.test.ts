import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { fitInside } from '../../../src/image/picture.js';
import { enlargePicture } from '../../../src/node/drawing/enlarge.js';
import { enlargement } from '../../../src/node/drawing/pictures.js';
import { shrinkPicture } from '../../../src/node/drawing/pixels.js';

const side = fc.integer({ min: 1, max: 12 });

describe('shrinking', () => {
  test.prop([side, side, side, side])(
    'is the mean of the area that a pixel covers, to a level',
    (width, height, a, b) => {
      const size = { width: Math.min(a, width), height: Math.min(b, height) };
      const data = Uint8Array.from({ length: 4 * width * height }, (_, i) =>
        i % 4 === 3 ? 255 : (i * 37) % 256,
      );
      const small = shrinkPicture({ data, width, height }, size);
      for (let i = 0; i < small.data.length; i++) {
        const p = Math.floor(i / 4);
        const [ox, oy] = [p % size.width, Math.floor(p / size.width)];
        const cover = (o: number, pixel: number, step: number): number =>
          Math.max(0, Math.min((o + 1) * step, pixel + 1) - Math.max(o * step, pixel));
        let mean = 0;
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const area = cover(ox, x, width / size.width) * cover(oy, y, height / size.height);
            mean += area * data[4 * (y * width + x) + (i % 4)]!;
          }
        }
        mean *= (size.width / width) * (size.height / height);
        expect(Math.abs(small.data[i]! - mean)).toBeLessThanOrEqual(1.5);
      }
    },
  );

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
