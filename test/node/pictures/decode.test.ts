import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { readPicture } from '../../../src/node/pictures/decode.js';
import { TooManyPixelsError } from '../../../src/node/pictures/header.js';
import { decode, fixture } from './decoding.js';

describe('files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fastcam-decode-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const reason = async (path: string): Promise<string> => {
    const error = await readPicture(path).catch((e) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message.startsWith(`${path}: `)).toBe(true);
    expect(error.message).not.toContain('\n');
    return error.message.slice(path.length + 2);
  };

  test('missing and empty files, directories and devices give different errors', async () => {
    const empty = join(folder, 'empty.png');
    writeFileSync(empty, '');
    expect(await reason(join(folder, 'none.png'))).toBe('no such file');
    expect(await reason(empty)).toBe('is empty, expected a picture file');
    expect(await reason(folder)).toBe('is a directory, expected a picture file');
    expect(await reason(join(empty, 'x.png'))).toContain('not a directory');
    if (process.platform === 'linux') expect(await reason('/dev/zero')).toContain('is a device');
  });

  test('other kinds of files are named, whatever their extension is', async () => {
    const write = async (name: string, bytes: string): Promise<string> => {
      const path = join(folder, name);
      writeFileSync(path, bytes, 'latin1');
      return reason(path);
    };
    expect(await write('c.jpg', '\0\0\0\x20ftypheic\0\0\0\0')).toBe(
      'a HEIC picture cannot be read: convert it to PNG or JPEG, or install sharp beside fastcam',
    );
    expect(await write('d.png', '<svg xmlns="…">')).toContain('an SVG drawing');
    expect(await write('d.png', '\xef\xbb\xbf<?xml version="1.0"?>\n<svg>')).toContain('an SVG');
    expect(await write('d.jpg', '\xff\x0a\0\0')).toContain('a JPEG XL picture');
    expect(await write('d.jpg', '\0\0\0\x0cjP  \r\n')).toContain('a JPEG 2000 picture');
    expect(await write('d.jpg', '%PDF-1.7')).toContain('a PDF document');
    expect(await write('d.jpg', '\0\0\0\x20ftypisom\0\0\0\0')).toContain('a video');
    expect(await write('e.png', 'hello')).toBe(
      'not a picture (expected JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP)',
    );
  });
});

test.each(['baseline.jpg', 'src.png', 'lossy.webp', 'photo.avif', 'src.tif', 'pal4.bmp'])(
  '%s of more pixels than are wanted is refused, and of as many is not',
  async (name) => {
    const bytes = fixture(name);
    const { width, height } = await decode(bytes);
    const pixels = width * height;
    expect((await decode(bytes, { maxPixels: pixels })).width).toBe(width);
    const refused = decode(bytes, { maxPixels: pixels - 1 });
    await expect(refused).rejects.toBeInstanceOf(TooManyPixelsError);
    await expect(refused).rejects.toThrow(
      /^the-file: the picture is \d+×\d+, 0\.\d+ megapixels; at most/,
    );
  },
);

test('an invalid limit of pixels is refused, and no limit exceeds the general one', async () => {
  const bytes = fixture('src.png');
  for (const maxPixels of [0, -1, Number.NaN, 100_000_001]) {
    await expect(decode(bytes, { maxPixels })).rejects.toThrow('maxPixels: expected 1…100000000');
  }
});
