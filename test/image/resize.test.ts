import { describe, expect, it } from 'vitest';
import { type Interpolation, resize } from '../../src/model/index.js';
import { createPicture, type Picture } from '../../src/viz/index.js';
import { loadGolden } from '../goldens.js';

/** RGB [H, W, 3] as an opaque picture. */
function pictureOf(rgb: Uint8Array, width: number, height: number): Picture {
  const picture = createPicture(width, height);
  for (let p = 0; p < width * height; p++) {
    picture.data.set(rgb.subarray(3 * p, 3 * p + 3), 4 * p);
    picture.data[4 * p + 3] = 255;
  }
  return picture;
}

describe('resize', () => {
  const golden = loadGolden('resize');
  const cases = [...golden.keys()].filter((key) => !key.endsWith('.x'));

  it.each(cases)('equals Pillow to the last bit: %s', (key) => {
    const [name, interpolation, size] = key.split('.') as [string, Interpolation, string];
    const [height, width] = size.split('x').map(Number) as [number, number];
    const x = golden.get(`${name}.x`)!;
    const [H, W] = x.shape as [number, number];
    const picture = pictureOf(x.data as Uint8Array, W, H);
    const out = resize(picture, width, height, interpolation);
    const expected = pictureOf(golden.get(key)!.data as Uint8Array, width, height);
    expect(Buffer.compare(out, new Uint8Array(expected.data))).toBe(0);
  });

  it('takes bytes that begin anywhere in memory', () => {
    const data = Uint8Array.from({ length: 4 * 6 * 5 }, (_, i) =>
      i % 4 === 3 ? 255 : (i * 37) % 256,
    );
    const shifted = new Uint8Array(data.length + 1).subarray(1);
    shifted.set(data);
    const [at0, at1] = [data, shifted].map((bytes) =>
      resize({ data: bytes, width: 6, height: 5 }, 4, 3, 'bilinear'),
    );
    expect(at1).toEqual(at0);
  });

  it('computes a window with the bits of the whole', () => {
    const picture = pictureOf(golden.get('cat.x')!.data as Uint8Array, 150, 100);
    const whole = resize(picture, 60, 40, 'bicubic');
    const part = resize(picture, 60, 40, 'bicubic', { x: 11, y: 7, width: 20, height: 30 });
    for (let y = 0; y < 30; y++) {
      const row = whole.subarray(((y + 7) * 60 + 11) * 4, ((y + 7) * 60 + 31) * 4);
      expect([...part.subarray(y * 80, (y + 1) * 80)]).toEqual([...row]);
    }
  });

  it('returns the picture itself at its own size, and its one pixel at any size', () => {
    const data = Uint8Array.from({ length: 5 * 4 * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : (i * 37) % 256,
    );
    expect([...resize({ data, width: 5, height: 4 }, 5, 4, 'bilinear')]).toEqual([...data]);
    const pixel = { data: Uint8Array.of(9, 99, 200, 255), width: 1, height: 1 };
    expect([...resize(pixel, 2, 1, 'bicubic')]).toEqual([9, 99, 200, 255, 9, 99, 200, 255]);
  });

  it('refuses sizes without pixels and data of another length', () => {
    const data = new Uint8Array(16);
    expect(() => resize({ data, width: 2, height: 2 }, 0, 1, 'bilinear')).toThrow(
      'resize: width expected a whole number ≥ 1, got 0',
    );
    expect(() => resize({ data, width: 2, height: 3 }, 1, 1, 'bilinear')).toThrow(
      'resize: picture expected 24 bytes for 2×3 RGBA, got 16',
    );
  });
});
