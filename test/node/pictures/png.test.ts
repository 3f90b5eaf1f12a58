import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Picture } from '../../../src/image/picture.js';
import { BLACK, BLUE, decode, failure, fixture, GREEN, RED, rgb, WHITE } from './decoding.js';
import { exif, PNG_COLOR, type PngOptions, png, pngChunk } from './picture-files.js';

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

  test('bytes after the end of the picture are ignored', async () => {
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

  test('the orientation in an eXIf chunk is applied', async () => {
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

  test('a transparent color hides its pixels: palettes, grey and RGB of 8 and of 16 bits', async () => {
    const alphas = async (
      options: Omit<PngOptions, 'chunks'>,
      key: number[],
      more = [] as Uint8Array[],
    ) => {
      const { data } = await decode(
        png(2, 1, { ...options, chunks: [...more, pngChunk('tRNS', key)] }),
      );
      return [data[3], data[7]];
    };
    const { grey, rgb, palette } = PNG_COLOR;
    expect(await alphas({ depth: 8, color: grey, rows: [[7, 8]] }, [0, 8])).toEqual([255, 0]);
    expect(await alphas({ depth: 2, color: grey, rows: [[0b0111_0000]] }, [0, 1])).toEqual([
      0, 255,
    ]);
    expect(
      await alphas({ depth: 8, color: rgb, rows: [[1, 2, 3, 1, 2, 4]] }, [0, 1, 0, 2, 0, 3]),
    ).toEqual([0, 255]);
    expect(await alphas({ depth: 16, color: grey, rows: [[1, 2, 1, 3]] }, [1, 2])).toEqual([
      0, 255,
    ]);
    const colors = [pngChunk('PLTE', [...RED, ...BLUE])];
    expect(await alphas({ depth: 8, color: palette, rows: [[0, 1]] }, [99], colors)).toEqual([
      99, 255,
    ]);
  });

  test('every filter is undone', async () => {
    const plain = [
      [10, 20, 30, 40, 50, 60, 90, 80, 70],
      [11, 25, 31, 200, 7, 60, 3, 255, 0],
      [0, 21, 0, 45, 50, 9, 90, 8, 70],
    ];
    const paeth = (a: number, b: number, c: number): number => {
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)] as const;
      return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    };
    const guesses = [
      () => 0,
      (a: number) => a,
      (_: number, b: number) => b,
      (a: number, b: number) => (a + b) >> 1,
      paeth,
    ];
    for (const [filter, guess] of guesses.entries()) {
      const rows = plain.map((row, y) =>
        row.map((value, i) => {
          const above = plain[y - 1];
          return (value - guess(row[i - 3] ?? 0, above?.[i] ?? 0, above?.[i - 3] ?? 0)) & 255;
        }),
      );
      const file = png(3, 3, { depth: 8, color: PNG_COLOR.rgb, rows, filter });
      expect([filter, rgb(await decode(file)).flat()]).toEqual([filter, plain.flat()]);
    }
    const unknown = png(3, 3, { depth: 8, color: PNG_COLOR.rgb, rows: plain, filter: 5 });
    expect(await failure(unknown)).toContain('PNG filter 5');
  });

  test('ImageMagick’s EXIF in a text chunk turns the picture, packed or not', async () => {
    const digits = Buffer.from([...Buffer.from('Exif\0\0'), ...exif(6)]).toString('hex');
    const text = `\nexif\n      ${digits.length / 2}\n${digits.replace(/.{72}/g, '$&\n')}\n`;
    const rows = [[...RED, ...GREEN]];
    const inChunk = (type: string, data: (string | Uint8Array)[]) =>
      decode(
        png(2, 1, {
          depth: 8,
          color: PNG_COLOR.rgb,
          rows,
          chunks: [pngChunk(type, Buffer.concat(data.map((part) => Buffer.from(part))))],
        }),
      );
    const keyword = 'Raw profile type exif\0';
    const zipped = deflateSync(text);
    for (const picture of [
      await inChunk('tEXt', [keyword, text]),
      await inChunk('tEXt', ['Raw profile type APP1\0', text]),
      await inChunk('zTXt', [keyword, '\0', zipped]),
      await inChunk('iTXt', [keyword, '\0\0\0\0', text]),
      await inChunk('iTXt', [keyword, '\x01\0en\0\0', zipped]),
    ]) {
      expect([picture.width, picture.height]).toEqual([1, 2]);
    }
    for (const broken of ['\nexif\n 5\nxyz', '', deflateSync(Buffer.alloc(1 << 20))]) {
      expect(await inChunk('zTXt', [keyword, '\0', broken])).toMatchObject({ width: 2, height: 1 });
    }
    expect(await decode(fixture('exif-orientation.png'))).toMatchObject({ width: 48, height: 36 });
  });

  test('a wrong checksum, a missing palette and unknown kinds are refused', async () => {
    const file = png(1, 1, { depth: 8, color: PNG_COLOR.rgb, rows: [[1, 2, 3]] });
    const changed = Uint8Array.from(file);
    changed[29]! ^= 1;
    expect(await failure(changed)).toContain('IHDR has a wrong checksum');
    const kind = (depth: number, color: number) =>
      failure(png(1, 1, { depth, color, rows: [[0]] }));
    expect(await kind(8, PNG_COLOR.palette)).toContain('without its palette');
    expect(await kind(4, PNG_COLOR.rgb)).toContain('color type 2 and 4 bits');
    expect(await kind(8, 5)).toContain('color type 5');
  });
});
