import { describe, expect, test } from 'vitest';
import { decode, difference, failure, fixture } from './decoding.js';
import { exif } from './picture-files.js';

describe('WebP', () => {
  test('lossless pixels come out exact, alpha is not multiplied in, lossy ones are near', async () => {
    const source = await decode(fixture('src.png'));
    expect(difference(await decode(fixture('lossless.webp')), source)).toBe(0);
    const half = await decode(fixture('alpha.webp'));
    expect(difference(half, source)).toBe(0);
    expect(half.data[3]).toBe(128);
    expect(difference(await decode(fixture('cw.webp')), source)).toBeLessThan(12);
    expect(half.decoder).toBe('libwebp');
  });

  test('of an animation the first frame is decoded, on a canvas that is transparent elsewhere', async () => {
    const source = await decode(fixture('src.png'));
    expect(difference(await decode(fixture('anim.webp')), source)).toBeLessThan(12);
    // A frame of 20×10 at (4, 6), lossless.
    const { data, width, height } = await decode(fixture('offset.webp'));
    expect([width, height]).toEqual([48, 36]);
    const pixel = (x: number, y: number) => [
      ...data.subarray(4 * (48 * y + x), 4 * (48 * y + x + 1)),
    ];
    const stored = (x: number, y: number) => [
      ...source.data.subarray(4 * (48 * y + x), 4 * (48 * y + x + 1)),
    ];
    expect(pixel(4, 6)).toEqual(stored(0, 0));
    expect(pixel(23, 15)).toEqual(stored(19, 9));
    for (const [x, y] of [
      [3, 6],
      [4, 5],
      [24, 15],
      [23, 16],
    ] as const) {
      expect(pixel(x, y)).toEqual([0, 0, 0, 0]);
    }
  });

  test('its EXIF chunk turns it, with JPEG’s six bytes before the data or without', async () => {
    const chunk = (data: Uint8Array): Buffer => {
      const head = Buffer.from('EXIF\0\0\0\0');
      head.writeUInt32LE(data.length, 4);
      return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
    };
    for (const before of ['', 'Exif\0\0']) {
      const file = Buffer.concat([
        fixture('lossless.webp'),
        chunk(Buffer.concat([Buffer.from(before), exif(6)])),
      ]);
      file.writeUInt32LE(file.length - 8, 4);
      expect(await decode(file)).toMatchObject({ width: 36, height: 48 });
    }
    // lossy.webp has such a chunk by its encoder.
    expect(await decode(fixture('lossy.webp'))).toMatchObject({ width: 36, height: 48 });
  });

  test('every truncation is refused, of an animation every one inside the first frame', async () => {
    const ends = { 'lossless.webp': 3070, 'cw.webp': 626, 'lossy.webp': 750, 'anim.webp': 586 };
    for (const [name, end] of Object.entries(ends)) {
      for (let length = 12; length < end; length += 31) {
        const cut = fixture(name).subarray(0, length);
        expect(await failure(cut)).toMatch(/truncated|damaged/);
      }
    }
  });

  test('a canvas of 16,384×16,384 is refused before decoding, a frame outside it too', async () => {
    const huge = Buffer.from(fixture('anim.webp'));
    huge.writeUIntLE(16_383, 24, 3);
    huge.writeUIntLE(16_383, 27, 3);
    expect(await failure(huge)).toContain('268 megapixels');
    const outside = Buffer.from(fixture('offset.webp'));
    outside.writeUIntLE(20, outside.indexOf('ANMF') + 8, 3);
    expect(await failure(outside)).toContain('reaches 60×16, outside the canvas of 48×36');
  });
});
