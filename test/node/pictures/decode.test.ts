import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { Jimp } from 'jimp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import type { Picture } from '../../../src/image/picture.js';
import { decodePicture, readPicture } from '../../../src/node/pictures/decode.js';
import {
  bmp,
  exif,
  gif,
  jpeg,
  PNG_COLOR,
  png,
  pngChunk,
  TIFF_PIXELS_AT,
  type TiffEntry,
  tiff,
  tiffEntries,
} from './picture-files.js';

/** The pixels as [r, g, b] triples; alpha is checked where it matters. */
function rgb({ data }: Picture): number[][] {
  return Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)]);
}

const decode = (bytes: Uint8Array): Promise<Picture> => decodePicture(bytes, 'the-file');

/** The message of the failure; it must be one line and name the file. */
async function failure(bytes: Uint8Array): Promise<string> {
  const error = await decode(bytes).then(
    () => new Error('was decoded'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toMatch(/^the-file: [^\n]+$/);
  return error.message;
}

const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];

describe('PNG', () => {
  test('8-bit grey, grey with alpha, RGB, RGBA and palette pixels come out exact', async () => {
    const one = (color: number, row: number[], chunks: Uint8Array[] = []): Promise<Picture> =>
      decode(png(2, 1, { depth: 8, color, rows: [row], chunks }));
    expect(rgb(await one(PNG_COLOR.grey, [0, 200]))).toEqual([BLACK, [200, 200, 200]]);
    expect((await one(PNG_COLOR.greyAlpha, [9, 128, 200, 255])).data).toEqual(
      Uint8Array.of(9, 9, 9, 128, 200, 200, 200, 255),
    );
    expect(rgb(await one(PNG_COLOR.rgb, [1, 2, 3, 4, 5, 6]))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect((await one(PNG_COLOR.rgba, [1, 2, 3, 4, 5, 6, 7, 8])).data).toEqual(
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    const palette = [pngChunk('PLTE', [...RED, ...BLUE])];
    expect(rgb(await one(PNG_COLOR.palette, [1, 0], palette))).toEqual([BLUE, RED]);
  });

  test('16-bit samples are rounded to the nearest of 8 bits, v·255/65535', async () => {
    const rows = [[0xff, 0xff, 0x80, 0x80, 0x01, 0x80]];
    const picture = await decode(png(1, 1, { depth: 16, color: PNG_COLOR.rgb, rows }));
    expect(rgb(picture)).toEqual([[255, 128, 1]]);
    const grey = png(1, 1, { depth: 16, color: PNG_COLOR.grey, rows: [[0x40, 0x40]] });
    expect(rgb(await decode(grey))).toEqual([[64, 64, 64]]);
  });

  test('1-bit grey comes out black and white', async () => {
    const picture = await decode(
      png(3, 1, { depth: 1, color: PNG_COLOR.grey, rows: [[0b10100000]] }),
    );
    expect(rgb(picture)).toEqual([WHITE, BLACK, WHITE]);
  });

  test('interlaced pixels come out in place', async () => {
    // 2×2 in three of the seven passes: (0, 0), then (1, 0), then the second row.
    const rows = [[10], [20], [30, 40]];
    const picture = await decode(
      png(2, 2, { depth: 8, color: PNG_COLOR.grey, rows, interlaced: true }),
    );
    expect(rgb(picture).map(([level]) => level)).toEqual([10, 20, 30, 40]);
  });

  test('bytes after the end of the picture are no part of it', async () => {
    const file = png(1, 1, { depth: 8, color: PNG_COLOR.rgb, rows: [[1, 2, 3]] });
    expect(rgb(await decode(Buffer.concat([file, Buffer.from('and more')])))).toEqual([[1, 2, 3]]);
  });

  test('pixels that inflate to less or to more than the header says are refused', async () => {
    const rgbPng = (rows: number[][], interlaced: boolean): Uint8Array =>
      png(1, 2, { depth: 8, color: PNG_COLOR.rgb, rows, interlaced });
    for (const interlaced of [false, true]) {
      expect(await failure(rgbPng([[1, 2, 3]], interlaced))).toContain('8 bytes, 4 are there');
      const bomb = new Array(100_000).fill(0);
      expect(await failure(rgbPng([bomb], interlaced))).toContain('more than the 8 bytes');
    }
    const none = png(1, 1, { depth: 8, color: PNG_COLOR.rgb, rows: [] });
    expect(await failure(none)).toContain('truncated');
  });

  test('the orientation in an eXIf chunk is honoured', async () => {
    const rows = [[...RED, ...GREEN]];
    const chunks = [pngChunk('eXIf', exif(6))];
    const picture = await decode(png(2, 1, { depth: 8, color: PNG_COLOR.rgb, rows, chunks }));
    expect([picture.width, picture.height]).toEqual([1, 2]);
    expect(rgb(picture)).toEqual([RED, GREEN]);
  });

  test('every truncation of a file is refused in one line', async () => {
    const whole = png(4, 4, {
      depth: 8,
      color: PNG_COLOR.rgb,
      rows: Array.from({ length: 4 }, (_, y) => Array.from({ length: 12 }, (_, x) => 37 * x + y)),
    });
    for (let length = 9; length < whole.length - 12; length++) {
      expect(await failure(whole.subarray(0, length))).toContain('truncated');
    }
  });

  test('a header of 0×0 or of 30,000×30,000 pixels is refused before decoding', async () => {
    const claim = (width: number, height: number): Uint8Array =>
      png(width, height, { depth: 8, color: PNG_COLOR.rgb, rows: [[1, 2, 3]] });
    expect(await failure(claim(0, 0))).toContain('has no pixels (0×0)');
    expect(await failure(claim(30_000, 30_000))).toContain('30000×30000, 900 megapixels');
  });
});

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
    expect(await failure(jpeg([[[1, 2, 3, 4]]]))).toMatch(/color mode/i);
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

  test('mirrored orientations tell left from right', async () => {
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
});

describe('GIF', () => {
  const palette: [number, number, number][] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];

  test('the first frame comes out exact', async () => {
    expect(rgb(await decode(gif(2, 2, palette, [0, 1, 2, 3])))).toEqual([RED, GREEN, BLUE, WHITE]);
  });

  test('a truncated file is refused, and nothing is written on standard output', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const whole = gif(8, 8, palette, new Array(64).fill(1));
    for (const length of [8, 12, 20, 40, whole.length - 20]) {
      expect(await failure(whole.subarray(0, length))).toContain('truncated');
    }
    const short = gif(8, 8, palette, new Array(20).fill(1));
    expect(await failure(short)).toContain('truncated');
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  test('codes that are used before they are defined are refused', async () => {
    // From some of them the decoder would not return.
    const bad = gif(2, 2, palette, [], undefined, { codes: [4, 0, 7, 7, 7, 7, 7] });
    expect(await failure(bad)).toContain('GIF code 7 before it is defined');
    const wide = gif(2, 2, palette, [0, 0, 0, 0], undefined, { colorBits: 12 });
    expect(await failure(wide)).toContain('12-bit colors');
    // 6 is the string 1, 1 while it is being defined.
    const right = gif(3, 1, palette, [], undefined, { codes: [4, 1, 6, 5] });
    expect(rgb(await decode(right))).toEqual([GREEN, GREEN, GREEN]);
  });

  test('sizes are checked for the canvas and for the frame, which need not agree', async () => {
    expect(await failure(gif(30_000, 30_000, palette, [0]))).toContain('900 megapixels');
    expect(await failure(gif(0, 0, palette, [0]))).toContain('no pixels');
    const frame: [number, number, number, number] = [0, 0, 65_535, 65_535];
    expect(await failure(gif(1, 1, palette, [0], frame))).toContain('megapixels');
    expect(await failure(gif(1, 1, palette, [0, 0], [0, 0, 2, 1]))).toContain('outside the canvas');
  });
});

describe('BMP', () => {
  test('24-bit rows from the bottom, from the top, and after a gap come out exact', async () => {
    const rows = [
      [255, 0, 0, 0],
      [0, 0, 255, 0],
    ];
    expect(rgb(await decode(bmp(1, 2, { depth: 24, rows })))).toEqual([RED, BLUE]);
    const topDown = bmp(1, 2, { depth: 24, rows, claimedHeight: -2 });
    expect(rgb(await decode(topDown))).toEqual([BLUE, RED]);
    expect(rgb(await decode(bmp(1, 2, { depth: 24, rows, gap: 6 })))).toEqual([RED, BLUE]);
  });

  test('1-, 4- and 8-bit palettes, 32 bits and 5-6-5 masks come out right', async () => {
    const palette: [number, number, number][] = [
      [255, 0, 0],
      [0, 0, 255],
    ];
    expect(
      rgb(await decode(bmp(3, 1, { depth: 1, palette, rows: [[0b01000000, 0, 0, 0]] }))),
    ).toEqual([RED, BLUE, RED]);
    expect(rgb(await decode(bmp(2, 1, { depth: 4, palette, rows: [[0x10, 0, 0, 0]] })))).toEqual([
      BLUE,
      RED,
    ]);
    expect(rgb(await decode(bmp(2, 1, { depth: 8, palette, rows: [[1, 0, 0, 0]] })))).toEqual([
      BLUE,
      RED,
    ]);
    expect(rgb(await decode(bmp(1, 1, { depth: 32, rows: [[3, 2, 1, 0]] })))).toEqual([[1, 2, 3]]);
    const masks: [number, number, number] = [0xf800, 0x07e0, 0x001f];
    const pure = bmp(2, 1, { depth: 16, masks, rows: [[0x00, 0xf8, 0xe0, 0x07]] });
    const [first, second] = rgb(await decode(pure));
    expect([first![0]! > 240, first![1], first![2]]).toEqual([true, 0, 0]);
    expect([second![0], second![1]! > 240, second![2]]).toEqual([0, true, 0]);
  });

  test('truncated, empty and huge pictures are refused', async () => {
    const rows = [[1, 2, 3, 0]];
    expect(await failure(bmp(1, 1, { depth: 24, rows }).subarray(0, 56))).toContain('truncated');
    expect(await failure(bmp(1, 1, { depth: 24, rows }).subarray(0, 20))).toContain('truncated');
    expect(await failure(bmp(0, 0, { depth: 24, rows }))).toContain('no pixels');
    expect(await failure(bmp(30_000, 30_000, { depth: 24, rows }))).toMatch(/truncated|megapixels/);
    expect(await failure(bmp(1, 1, { depth: 7, rows }))).toContain(
      'a BMP of 7 bits cannot be read',
    );
  });
});

describe('TIFF', () => {
  const pixels = [...RED, ...GREEN, ...BLUE, ...WHITE];
  const entries = tiffEntries(2, 2, 2, [8, 8, 8], 12);

  test('RGB in both byte orders, grey and 16-bit grey come out exact', async () => {
    for (const order of ['II', 'MM'] as const) {
      expect(rgb(await decode(tiff(entries, pixels, order)))).toEqual([RED, GREEN, BLUE, WHITE]);
    }
    const grey = tiff(tiffEntries(2, 1, 1, [8], 2), [7, 200]);
    expect(rgb(await decode(grey))).toEqual([
      [7, 7, 7],
      [200, 200, 200],
    ]);
    const deep = tiff(tiffEntries(2, 1, 1, [16], 4), [0xff, 0x40, 0x00, 0xff], 'II');
    expect(rgb(await decode(deep))).toEqual([
      [65, 65, 65],
      [254, 254, 254],
    ]);
  });

  test('the orientation tag is honoured', async () => {
    const turned = tiff([...entries, [274, 3, 3]], pixels);
    expect(rgb(await decode(turned))).toEqual([WHITE, BLUE, GREEN, RED]);
  });

  test('only the first page is decoded, however large the others claim to be', async () => {
    const file = tiff(entries, pixels);
    // The next-directory offset leads back to the first: an endless file to who follows it.
    const directoryAt = TIFF_PIXELS_AT + pixels.length;
    file[directoryAt + 2 + 12 * entries.length] = directoryAt;
    expect(rgb(await decode(file))).toEqual([RED, GREEN, BLUE, WHITE]);
  });

  /** `entries` with some of them replaced, added, or (without values) left out. */
  function changed(base: TiffEntry[], ...changes: TiffEntry[]): TiffEntry[] {
    const kept = base.filter(([tag]) => !changes.some(([other]) => other === tag));
    return [...kept, ...changes.filter(([, , ...values]) => values.length > 0)];
  }

  test('LZW, deflate, PackBits and the predictor unpack to the same pixels', async () => {
    const packed = (compression: number, bytes: number[] | Uint8Array, predictor = 1) =>
      decode(
        tiff(changed(entries, [259, 3, compression], [279, 4, bytes.length], [317, 3, predictor]), [
          ...bytes,
        ]),
      );
    const expected = [RED, GREEN, BLUE, WHITE];
    expect(rgb(await packed(8, deflateSync(Uint8Array.from(pixels))))).toEqual(expected);
    // A run of one byte as it is, of two zeros, of two bytes as they are, …
    const runs = [0, 255, 255, 0, 2, 0, 255, 0, 255, 0, 253, 255];
    expect(rgb(await packed(32773, runs))).toEqual(expected);
    // Clear, the twelve bytes as codes of nine bits, end.
    expect(rgb(await packed(5, nineBits([256, ...pixels, 257])))).toEqual(expected);
    // 258 is the string 255, 0, and 261 is 255, 0, 0.
    const strings = nineBits([256, 255, 0, 0, 258, 259, 261, 0, 0]);
    expect(rgb(await packed(5, strings))).toEqual([RED, RED, GREEN, BLACK]);
    // Every code is used while it is being defined.
    const growing = nineBits([256, 255, 258, 259, 260, 261]);
    expect(rgb(await packed(5, growing))).toEqual([WHITE, WHITE, WHITE, WHITE]);
    const differences = [255, 0, 0, 1, 255, 0, 0, 0, 255, 255, 255, 0];
    expect(rgb(await packed(8, deflateSync(Uint8Array.from(differences)), 2))).toEqual(expected);
  });

  test('strips and tiles are put where they belong', async () => {
    const grey = (more: TiffEntry[], bytes: number[]) =>
      decode(tiff(changed(tiffEntries(3, 2, 1, [8], 6), ...more), bytes));
    const rows = await grey(
      [
        [273, 4, 11, 8],
        [279, 4, 3, 3],
        [278, 4, 1],
      ],
      [4, 5, 6, 1, 2, 3],
    );
    expect(rgb(rows).map(([level]) => level)).toEqual([1, 2, 3, 4, 5, 6]);
    // Two tiles of 2×2; the second reaches one column beyond the picture.
    const tiles: TiffEntry[] = [
      [322, 4, 2],
      [323, 4, 2],
      [324, 4, 8, 12],
      [325, 4, 4, 4],
      [273, 4],
    ];
    const tiled = await grey(tiles, [1, 2, 4, 5, 3, 99, 6, 99]);
    expect(rgb(tiled).map(([level]) => level)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('strips that would unpack to more than their rows, to less, or never are refused', async () => {
    const bomb = deflateSync(new Uint8Array(1 << 20));
    const lzw = (codes: number[]) => {
      const bytes = nineBits(codes);
      return tiff(changed(entries, [259, 3, 5], [279, 4, bytes.length]), bytes);
    };
    expect(
      await failure(tiff(changed(entries, [259, 3, 8], [279, 4, bomb.length]), bomb)),
    ).toContain('more than the 12 bytes');
    // The decoder would not return from this one.
    expect(await failure(lzw([256, 1, 300, 300, 300, 300, 300]))).toContain('LZW code 300');
    expect(await failure(lzw([256, 1, 2, 257]))).toContain('truncated');
    expect(await failure(tiff(changed(entries, [278, 4, 1]), pixels))).toContain('truncated');
    expect(await failure(tiff(changed(entries, [259, 3, 4]), pixels))).toContain('fax');
  });

  test('thousands of tags that all claim the whole file are passed over at once', async () => {
    const filler = new Array(3_000_000).fill(0);
    const bombs = Array.from({ length: 3000 }, (_, i): TiffEntry => [274 + (i % 2) * 40_000, 4, 1]);
    const file = tiff([...entries, ...bombs], [...pixels, ...filler]);
    const view = new DataView(file.buffer);
    const directoryAt = view.getUint32(4, true);
    for (let i = entries.length + 1; i < entries.length + bombs.length; i++) {
      view.setUint32(directoryAt + 2 + 12 * i + 4, 700_000, true);
      view.setUint32(directoryAt + 2 + 12 * i + 8, 8, true);
    }
    const start = performance.now();
    expect(rgb(await decode(file))).toEqual([RED, GREEN, BLUE, WHITE]);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('truncated, empty and huge pictures are refused', async () => {
    // Pixels at the end of the file, so that a cut takes them first.
    const strip = tiffEntries(2, 2, 2, [8, 8, 8], 12).map((entry) =>
      entry[0] === 273 ? ([273, 4, 500] as [number, 3 | 4, number]) : entry,
    );
    expect(await failure(tiff(strip, []))).toContain('truncated');
    expect(await failure(tiff(entries, pixels).subarray(0, 40))).toContain('truncated');
    expect(await failure(tiff(tiffEntries(0, 0, 2, [8, 8, 8], 12), pixels))).toContain('no pixels');
    const lzw = tiffEntries(30_000, 30_000, 2, [8, 8, 8], 12).map((entry) =>
      entry[0] === 259 ? ([259, 3, 5] as [number, 3 | 4, number]) : entry,
    );
    expect(await failure(tiff(lzw, pixels))).toContain('900 megapixels');
  });
});

/** Codes of nine bits, the most significant bit first. */
function nineBits(codes: number[]): number[] {
  const bits = codes.map((code) => code.toString(2).padStart(9, '0')).join('');
  return bits.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

describe('damaged at random', () => {
  const pattern = Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * i * 7) & 255);
  const rows = Array.from({ length: 16 }, (_, y) => pattern.slice(48 * y, 48 * (y + 1)));
  const seeds: Record<string, Uint8Array> = {
    png: png(16, 16, { depth: 8, color: PNG_COLOR.rgb, rows }),
    jpeg: jpeg([[[20, 90, 160]], [[220, 30, 99]]], { exif: exif(6) }),
    gif: gif(
      16,
      4,
      [BLACK, WHITE, RED, BLUE] as [number, number, number][],
      [...pattern.slice(0, 64)].map((v) => v & 3),
    ),
    bmp: bmp(16, 16, { depth: 24, rows }),
    tiff: tiff(tiffEntries(16, 16, 2, [8, 8, 8], 768), pattern),
    'tiff of LZW': tiff(
      tiffEntries(2, 2, 2, [8, 8, 8], 17).map((e) => (e[0] === 259 ? [259, 3, 5] : e)),
      nineBits([256, ...pattern.slice(0, 12), 257]),
    ),
  };

  test.each(Object.keys(seeds))('a %s is a picture or one line, soon', async (kind) => {
    const seed = seeds[kind]!;
    for (let round = 0; round < 300; round++) {
      const bytes = seed.slice(0, round % 3 === 0 ? random(seed.length) : seed.length);
      for (let n = random(5); n >= 0 && bytes.length > 0; n--) {
        bytes[random(n % 2 ? bytes.length : Math.min(bytes.length, 150))] = random(256);
      }
      const start = performance.now();
      const error = await decode(bytes).then(
        () => undefined,
        (reason) => reason,
      );
      if (error !== undefined) {
        expect(error).toBeInstanceOf(FormatError);
        expect(error.message).toMatch(/^the-file: [^\n]+$/);
      }
      expect(performance.now() - start).toBeLessThan(2000);
    }
  });

  /** A whole number below `limit`: a linear congruential generator, the same in every run. */
  let state = 1;
  function random(limit: number): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  }
});

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

  test('missing and empty files, directories and devices are told apart', async () => {
    const empty = join(folder, 'empty.png');
    writeFileSync(empty, '');
    expect(await reason(join(folder, 'none.png'))).toBe('no such file');
    expect(await reason(empty)).toBe('is empty, expected a picture file');
    expect(await reason(folder)).toBe('is a directory, expected a picture file');
    expect(await reason(join(empty, 'x.png'))).toContain('not a directory');
    if (process.platform === 'linux') expect(await reason('/dev/zero')).toContain('is a device');
  });

  test('other kinds of files are named, whatever their ending says', async () => {
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
