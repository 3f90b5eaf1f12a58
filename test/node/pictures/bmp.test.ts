import { describe, expect, test } from 'vitest';
import { BLUE, decode, difference, failure, fixture, grey, RED, rgb } from './decoding.js';
import { bmp, os2Bmp } from './picture-files.js';

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

  const two: [number, number, number][] = [
    [255, 0, 0],
    [0, 0, 255],
  ];

  test('4-bit rows of odd width, 2-bit rows and those of OS/2 headers come out exact', async () => {
    const rows4 = [[0x10, 0x10, 0, 0]];
    expect(rgb(await decode(bmp(3, 1, { depth: 4, palette: two, rows: rows4 })))).toEqual([
      BLUE,
      RED,
      BLUE,
    ]);
    const rows2 = [[0b0100_0100, 0, 0, 0]];
    expect(rgb(await decode(bmp(3, 1, { depth: 2, palette: two, rows: rows2 })))).toEqual([
      BLUE,
      RED,
      BLUE,
    ]);
    const os2 = os2Bmp(2, 2, {
      depth: 8,
      palette: two,
      rows: [
        [0, 1, 0, 0],
        [1, 1, 0, 0],
      ],
    });
    expect(rgb(await decode(os2))).toEqual([BLUE, BLUE, RED, BLUE]);
    expect(rgb(await decode(os2Bmp(1, 1, { depth: 24, rows: [[3, 2, 1, 0]] })))).toEqual([
      [1, 2, 3],
    ]);
    // 64 bytes of header; the palette is as Microsoft's.
    const second = bmp(2, 1, {
      depth: 1,
      palette: two,
      rows: [[0x40, 0, 0, 0]],
      headerRest: new Array(24).fill(0),
    });
    expect(rgb(await decode(second))).toEqual([RED, BLUE]);
  });

  test('RLE8 and RLE4: runs, literal pixels, moves, ends, and runs that leave the row', async () => {
    const runs = async (depth: number, compression: number, bytes: number[]) => {
      const palette = Array.from({ length: 2 ** depth }, (_, i): [number, number, number] => [
        i,
        i,
        i,
      ]);
      return grey(await decode(bmp(4, 2, { depth, compression, palette, rows: [bytes] })));
    };
    // From the bottom: three of 7 and a 9; the end of the line; 1, 2, 3 as they are and a byte of padding.
    expect(await runs(8, 1, [3, 7, 1, 9, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1])).toEqual([
      1, 2, 3, 0, 7, 7, 7, 9,
    ]);
    // A move by two to the right and one up; what is passed over is 0.
    expect(await runs(8, 1, [1, 5, 0, 2, 1, 1, 2, 6, 0, 1])).toEqual([0, 0, 6, 6, 5, 0, 0, 0]);
    expect(await runs(8, 1, [9, 8, 0, 0, 4, 7])).toEqual([7, 7, 7, 7, 8, 8, 8, 8]);
    // Two indices a byte, taken in turn.
    expect(await runs(4, 2, [4, 0x12, 0, 0, 0, 3, 0x34, 0x50, 0, 1])).toEqual([
      3, 4, 5, 0, 1, 2, 1, 2,
    ]);
    const palette: [number, number, number][] = [[0, 0, 0]];
    const cut = bmp(4, 2, { depth: 8, compression: 1, palette, rows: [[3, 7, 0]] });
    expect(await failure(cut)).toContain('truncated: a BMP of 2 rows stops in row 1');
    const topDown = bmp(4, 2, {
      depth: 8,
      compression: 1,
      palette,
      rows: [[0, 1]],
      claimedHeight: -2,
    });
    expect(await failure(topDown)).toContain('compression 1 cannot be read');
  });

  test('RLE fixtures equal the same picture uncompressed', async () => {
    const source = await decode(fixture('src.png'));
    for (const name of ['rle8.bmp', 'pal4.bmp']) {
      expect(difference(await decode(fixture(name)), source), name).toBeLessThan(12);
    }
    expect(new Set(grey(await decode(fixture('p4-3.bmp')))).size).toBeGreaterThan(2);
  });

  test('masks of any width scale to 255, alpha where the header has a mask for it', async () => {
    const white16 = bmp(1, 1, { depth: 16, rows: [[0xff, 0x7f, 0, 0]] });
    expect([...(await decode(white16)).data]).toEqual([255, 255, 255, 255]);
    const masks = (...values: number[]) =>
      values.flatMap((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24]);
    const v3 = (depth: number, rest: number[], row: number[]) =>
      decode(bmp(1, 1, { depth, compression: 3, headerRest: rest, rows: [row] }));
    const argb4 = masks(0x0f00, 0x00f0, 0x000f, 0xf000);
    expect([...(await v3(16, argb4, [0x0f, 0x8f, 0, 0])).data]).toEqual([255, 0, 255, 136]);
    const wide = masks(0x3ff00000, 0x000ffc00, 0x000003ff, 0xc0000000);
    expect([...(await v3(32, wide, [0xff, 0x03, 0x00, 0xe0])).data]).toEqual([128, 0, 255, 255]);
    // BITMAPV5HEADER
    const v5 = [...masks(0xff, 0xff00, 0xff0000, 0xff000000), ...new Array(68).fill(0)];
    expect([...(await v3(32, v5, [1, 2, 3, 4])).data]).toEqual([1, 2, 3, 4]);
    // Without a mask the fourth byte means nothing.
    expect([...(await decode(bmp(1, 1, { depth: 32, rows: [[3, 2, 1, 7]] }))).data]).toEqual([
      1, 2, 3, 255,
    ]);
    expect(
      await failure(
        bmp(1, 1, {
          depth: 32,
          compression: 3,
          headerRest: masks(5, 8, 16, 0),
          rows: [[0, 0, 0, 0]],
        }),
      ),
    ).toContain('mask with gaps');
  });

  test('JPEG and PNG inside, OS/2’s own compressions and unknown headers are refused by name', async () => {
    for (const compression of [4, 5, 9]) {
      const file = bmp(1, 1, { depth: 24, compression, rows: [[0, 0, 0, 0]] });
      expect(await failure(file)).toContain(
        `compression ${compression} cannot be read: convert it`,
      );
    }
    const odd = bmp(1, 1, { depth: 24, headerRest: [0, 0], rows: [[0, 0, 0, 0]] });
    expect(await failure(odd)).toContain('a header of 42 bytes');
  });
});
