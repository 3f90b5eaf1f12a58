import { Jimp } from 'jimp';
import { describe, expect, test, vi } from 'vitest';
import { decode, difference, failure, fixture, rgb } from './decoding.js';
import { exif, jpeg } from './picture-files.js';

describe('JPEG', () => {
  test('grey, YCbCr and Adobe RGB pixels come out to ±1 level', async () => {
    const near = async (file: Uint8Array, expected: number[]): Promise<void> => {
      const [pixel] = rgb(await decode(file));
      for (const [c, value] of pixel!.entries()) {
        expect(Math.abs(value - expected[c]!)).toBeLessThanOrEqual(1);
      }
    };
    await near(jpeg([[[77]]]), [77, 77, 77]);
    // Y = 76, Cb = 85, Cr = 255: red.
    await near(jpeg([[[76, 85, 255]]]), [254, 0, 0]);
    await near(jpeg([[[200, 100, 50]]], { adobe: 0 }), [200, 100, 50]);
    await near(jpeg([[[200, 100, 50]]], { ids: [82, 71, 66] }), [200, 100, 50]);
  });

  test('CMYK and YCCK as Adobe writes them (inverted) come out to ±2 levels', async () => {
    // Stored 255 − ink. Ink: no cyan, full magenta and yellow, no black: red.
    const cmyk = await decode(jpeg([[[255, 0, 0, 255]]], { adobe: 0 }));
    const red = rgb(cmyk)[0]!;
    expect(red[0]).toBeGreaterThanOrEqual(253);
    expect(Math.max(red[1]!, red[2]!)).toBeLessThanOrEqual(2);
    // YCCK codes the inks as if they were light: 0, 255, 255 is Y = 179, Cb = 171, Cr = 1.
    const ycck = rgb(await decode(jpeg([[[179, 171, 1, 255]]], { adobe: 2 })))[0]!;
    expect(ycck[0]).toBeGreaterThanOrEqual(252);
    expect(Math.max(ycck[1]!, ycck[2]!)).toBeLessThanOrEqual(3);
    const dark = rgb(await decode(jpeg([[[255, 0, 0, 128]]], { adobe: 0 })))[0]!;
    expect(Math.abs(dark[0]! - 128)).toBeLessThanOrEqual(2);
  });

  test('four channels without Adobe’s segment are refused by name', async () => {
    expect(await failure(jpeg([[[1, 2, 3, 4]]]))).toContain('four channels without a color mode');
    expect(await failure(jpeg([[[1, 2]]]))).toContain('a JPEG of 2 channels');
  });

  test.each([
    [1, [8, 16], [0, 1]],
    [2, [8, 16], [0, 1]],
    [3, [8, 16], [1, 0]],
    [4, [8, 16], [1, 0]],
    [5, [16, 8], [0, 1]],
    [6, [16, 8], [1, 0]],
    [7, [16, 8], [1, 0]],
    [8, [16, 8], [0, 1]],
  ])(
    'EXIF orientation %i turns the picture, whatever the byte order',
    async (orientation, size, order) => {
      // Dark above, light below.
      for (const byteOrder of ['II', 'MM'] as const) {
        const file = jpeg([[[20]], [[220]]], { exif: exif(orientation, byteOrder) });
        const picture = await decode(file);
        expect([picture.width, picture.height]).toEqual(size);
        const first = picture.data[0]!;
        const last = picture.data[picture.data.length - 4]!;
        expect([first, last].map((v) => (v > 128 ? 1 : 0))).toEqual(order);
      }
    },
  );

  test('mirrored orientations put left and right in the correct place', async () => {
    const levels = async (orientation: number): Promise<number[]> => {
      const file = jpeg([[[20], [220]]], { exif: exif(orientation) });
      const { data } = await decode(file);
      return [data[0]!, data[data.length - 4]!].map((v) => (v > 128 ? 1 : 0));
    };
    // Dark at the left as stored.
    expect(await levels(2)).toEqual([1, 0]);
    expect(await levels(4)).toEqual([0, 1]);
    expect(await levels(5)).toEqual([0, 1]);
    expect(await levels(7)).toEqual([1, 0]);
  });

  test('arithmetic, lossless and 12-bit frames are refused by name', async () => {
    expect(await failure(jpeg([[[9]]], { sof: 0xc9 }))).toContain('arithmetic');
    expect(await failure(fixture('arithmetic.jpg'))).toContain('arithmetic');
    expect(await failure(jpeg([[[9]]], { sof: 0xc3 }))).toContain('lossless');
    expect(await failure(jpeg([[[9]]], { bits: 12 }))).toContain('12 bits');
  });

  test('a header of 0×0 or of 30,000×30,000 pixels is refused before decoding', async () => {
    expect(await failure(jpeg([[[9]]], { claimed: [0, 0] }))).toContain('no pixels');
    expect(await failure(jpeg([[[9]]], { claimed: [30_000, 30_000] }))).toContain('900 megapixels');
    // Within the limit, but a hundred bytes cannot hold as many pixels.
    expect(await failure(jpeg([[[9]]], { claimed: [9000, 9000] }))).toContain('truncated');
  });

  test('a real photograph is decoded, and refused when cut anywhere', async () => {
    const image = new Jimp({ width: 48, height: 32, color: 0x4080c0ff });
    const whole = await image.getBuffer('image/jpeg', { quality: 90 });
    expect(await decode(whole)).toMatchObject({ width: 48, height: 32 });
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      expect(await failure(whole.subarray(0, whole.length * part))).toContain('truncated');
    }
  });

  test('progressive, restarted and RGB pictures come out as mozjpeg reads them', async () => {
    const source = await decode(fixture('src.png'));
    for (const name of ['baseline.jpg', 'progressive.jpg', 'rgb.jpg', 'cmyk.jpg']) {
      const picture = await decode(fixture(name));
      expect(difference(picture, source), name).toBeLessThan(5);
      expect(picture.decoder).toBe(name === 'cmyk.jpg' ? 'jpeg-js' : 'mozjpeg');
    }
  });

  test('stray bytes between segments, missing Huffman tables and a missing end marker do no harm', async () => {
    const whole = fixture('baseline.jpg');
    const expected = await decode(whole);
    const stray = Buffer.concat([whole.subarray(0, 20), Uint8Array.of(0), whole.subarray(20)]);
    expect(difference(await decode(stray), expected)).toBe(0);
    expect(difference(await decode(withoutSegments(whole, 0xc4)), expected)).toBe(0);
    expect(difference(await decode(whole.subarray(0, -2)), expected)).toBe(0);
    expect(
      difference(await decode(Buffer.concat([whole, Buffer.from('and more')])), expected),
    ).toBe(0);
  });

  test('a file cut anywhere is refused, with or without stray bytes', async () => {
    for (const name of ['baseline.jpg', 'progressive.jpg']) {
      const whole = fixture(name);
      for (let length = 200; length < whole.length - 4; length += 97) {
        const cut = whole.subarray(0, length);
        expect(await failure(cut)).toMatch(/truncated|damaged/);
        const stray = Buffer.concat([cut.subarray(0, 20), Uint8Array.of(0), cut.subarray(20)]);
        expect(await failure(stray)).toMatch(/truncated|damaged/);
      }
    }
  });

  test('a progressive picture with very many scans is refused before they are decoded', async () => {
    const whole = Buffer.from(fixture('progressive.jpg'));
    const frame = whole.indexOf(Uint8Array.of(0xff, 0xc2));
    const claim = Buffer.from(whole);
    // 4000 × 4000 pixels, and 200 scans of nothing.
    claim.writeUInt16BE(4000, frame + 5);
    claim.writeUInt16BE(4000, frame + 7);
    const scan = Uint8Array.of(0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0);
    const scans = Buffer.concat(new Array(200).fill(Buffer.concat([scan, Buffer.alloc(300)])));
    expect(await failure(Buffer.concat([claim.subarray(0, -2), scans]))).toContain('scans');
  });

  test('nothing is written on standard output or standard error', async () => {
    const writers = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation(() => true),
    );
    const words = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const whole = fixture('baseline.jpg');
    await failure(whole.subarray(0, 700));
    await failure(fixture('arithmetic.jpg'));
    await decode(fixture('cmyk.jpg'));
    for (const spy of [...writers, ...words]) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

/** A JPEG without the segments of a marker. */
function withoutSegments(file: Uint8Array, marker: number): Uint8Array {
  const parts = [file.subarray(0, 2)];
  let at = 2;
  for (let length = 0; file[at + 1] !== 0xda; at += length) {
    length = 2 + (file[at + 2]! << 8) + file[at + 3]!;
    if (file[at + 1] !== marker) parts.push(file.subarray(at, at + length));
  }
  return Buffer.concat([...parts, file.subarray(at)]);
}
