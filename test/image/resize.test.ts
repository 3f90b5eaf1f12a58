import { describe, expect, it } from 'vitest';
import { type Interpolation, resize } from '../../src/model/index.js';
import { loadGolden } from '../goldens.js';

describe('resize', () => {
  const golden = loadGolden('resize');
  const cases = [...golden.keys()].filter((key) => !key.endsWith('.x'));

  it.each(cases)('equals Pillow to the last bit: %s', (key) => {
    const [picture, interpolation, size] = key.split('.') as [string, Interpolation, string];
    const [height, width] = size.split('x').map(Number) as [number, number];
    const x = golden.get(`${picture}.x`)!;
    const [H, W] = x.shape as [number, number];
    const bitmap = { data: x.data as Uint8Array, width: W, height: H };
    const out = resize(bitmap, width, height, 3, interpolation);
    expect(Buffer.compare(out, golden.get(key)!.data as Uint8Array)).toBe(0);
  });

  it('computes a window with the bits of the whole', () => {
    const x = golden.get('cat.x')!;
    const bitmap = { data: x.data as Uint8Array, width: 150, height: 100 };
    const whole = resize(bitmap, 60, 40, 3, 'bicubic');
    const part = resize(bitmap, 60, 40, 3, 'bicubic', { x: 11, y: 7, width: 20, height: 30 });
    for (let y = 0; y < 30; y++) {
      const row = whole.subarray(((y + 7) * 60 + 11) * 3, ((y + 7) * 60 + 31) * 3);
      expect([...part.subarray(y * 60, (y + 1) * 60)]).toEqual([...row]);
    }
  });

  it('returns the picture itself at its own size, and its one pixel at any size', () => {
    const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
    expect([...resize({ data, width: 5, height: 4 }, 5, 4, 3, 'bilinear')]).toEqual([...data]);
    const pixel = { data: Uint8Array.of(9, 99, 200), width: 1, height: 1 };
    expect([...resize(pixel, 2, 2, 3, 'bicubic')]).toEqual([
      9, 99, 200, 9, 99, 200, 9, 99, 200, 9, 99, 200,
    ]);
  });

  it('refuses sizes without pixels and data of another length', () => {
    const data = new Uint8Array(12);
    expect(() => resize({ data, width: 2, height: 2 }, 0, 1, 3, 'bilinear')).toThrow(
      'resize: sizes expected whole numbers ≥ 1, got 0',
    );
    expect(() => resize({ data, width: 2, height: 3 }, 1, 1, 3, 'bilinear')).toThrow(
      'resize: data expected length 18 for [3, 2, 3], got 12',
    );
  });
});
