import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import type { DecodeOptions } from '../../../src/node/pictures/format.js';
import { cpuMs } from '../../cpu-time.js';
import {
  BLACK,
  BLUE,
  decode,
  difference,
  failure,
  fixture,
  GREEN,
  grey,
  RED,
  rgb,
  WHITE,
} from './decoding.js';
import { TIFF_PIXELS_AT, type TiffEntry, tiff, tiffEntries } from './picture-files.js';

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

  test('the orientation tag is applied', async () => {
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

  test('thousands of tags that all claim the whole file are skipped quickly', async () => {
    const filler = new Array(3_000_000).fill(0);
    const bombs = Array.from({ length: 3000 }, (_, i): TiffEntry => [274 + (i % 2) * 40_000, 4, 1]);
    const file = tiff([...entries, ...bombs], [...pixels, ...filler]);
    const view = new DataView(file.buffer);
    const directoryAt = view.getUint32(4, true);
    for (let i = entries.length + 1; i < entries.length + bombs.length; i++) {
      view.setUint32(directoryAt + 2 + 12 * i + 4, 700_000, true);
      view.setUint32(directoryAt + 2 + 12 * i + 8, 8, true);
    }
    const start = cpuMs();
    expect(rgb(await decode(file))).toEqual([RED, GREEN, BLUE, WHITE]);
    expect(cpuMs() - start).toBeLessThan(2000);
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

  describe('fixtures', () => {
    test.each([
      'src.tif',
      'tiled.tif',
      'planar.tif',
      'packbits.tif',
      'zstd.tif',
      'cmyk.tif',
      'float32.tif',
      'float-differences.tif',
      'big-endian-lzw-differences.tif',
    ])('%s equals its source', async (name) => {
      const picture = await decode(fixture(name));
      expect(difference(picture, await decode(fixture('src.png')))).toBe(0);
      expect(picture.decoder).toBe('geotiff');
    });

    test('JPEG and WebP inside are near it: in tiles, with tables of their own, of four channels', async () => {
      const source = await decode(fixture('src.png'));
      for (const name of ['tiled-jpeg.tif', 'webp.tif']) {
        expect(difference(await decode(fixture(name)), source), name).toBeLessThan(12);
      }
      const { data } = await decode(fixture('rgba-jpeg.tif'));
      // Its top left 32×32 pixels, and an alpha of 200.
      for (let i = 0; i < data.length; i += 4) {
        const at = 4 * (48 * Math.floor(i / 128) + ((i / 4) % 32));
        for (let c = 0; c < 3; c++) {
          expect(Math.abs(data[i + c]! - source.data[at + c]!)).toBeLessThan(24);
        }
        expect(Math.abs(data[i + 3]! - 200)).toBeLessThanOrEqual(1);
      }
    });

    test('grey JPEG, tiles described by the tags of strips, and BigTIFF', async () => {
      expect(await decode(fixture('greyjpeg-64x64.tif'))).toMatchObject({ width: 64, height: 64 });
      const tiles = await decode(fixture('tiles-in-strip-tags.tif'));
      const jpeg = await decode(fixture('greyjpeg-64x64.tif'));
      // Both are a light square in the middle of a darker one.
      expect([tiles.width, tiles.height, tiles.data[0]]).toEqual([100, 70, jpeg.data[0]]);
      const grey16 = await decode(fixture('gray16.tif'));
      expect(difference(await decode(fixture('bigtiff.tif')), grey16)).toBe(0);
    });
  });
});

describe('samples of a TIFF', () => {
  /** A page of one row, of one strip. */
  const row = (
    width: number,
    bytes: ArrayLike<number>,
    {
      photometric = 1,
      bits = [8] as number[],
      more = [] as TiffEntry[],
      order = 'II' as 'II' | 'MM',
    },
    options: DecodeOptions = {},
  ) =>
    decode(
      tiff(
        [...tiffEntries(width, 1, photometric, bits, bytes.length), ...more],
        [...Array.from(bytes)],
        order,
      ),
      options,
    );
  const floats = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
  const FLOATS: TiffEntry = [339, 3, 3];
  const float = { bits: [32], more: [FLOATS] };

  test('floats within 0 and 1 keep that range; other floats and wide numbers are scaled from least to greatest', async () => {
    expect(grey(await row(3, floats([0.2, 0.5, 1]), float))).toEqual([51, 128, 255]);
    expect(grey(await row(3, floats([-1, 0, 3]), float))).toEqual([0, 64, 255]);
    expect(grey(await row(2, floats([5, 5]), float))).toEqual([0, 0]);
    const doubles = new Uint8Array(Float64Array.of(10, 11, 12).buffer);
    expect(grey(await row(3, doubles, { bits: [64], more: [FLOATS] }))).toEqual([0, 128, 255]);
    // 0, 1 and 2 as halves
    const halves = { bits: [16], more: [FLOATS] };
    expect(grey(await row(3, [0, 0, 0, 0x3c, 0, 0x40], halves))).toEqual([0, 128, 255]);
    const signed = { bits: [16], more: [[339, 3, 2]] as TiffEntry[] };
    expect(grey(await row(3, [0, 0x80, 0, 0, 0xff, 0x7f], signed))).toEqual([0, 128, 255]);
    const wide = new Uint8Array(Uint32Array.of(7, 8, 9).buffer);
    expect(grey(await row(3, wide, { bits: [32] }))).toEqual([0, 128, 255]);
  });

  test('a given range is used for all kinds, and `min-max` stretches any kind', async () => {
    const given = { sampleRange: [0, 10] } as const;
    expect(grey(await row(4, floats([-5, 0, 5, 20]), float, given))).toEqual([0, 0, 128, 255]);
    expect(grey(await row(3, [0, 5, 200], {}, given))).toEqual([0, 128, 255]);
    expect(grey(await row(3, [100, 150, 200], {}, { sampleRange: 'min-max' }))).toEqual([
      0, 128, 255,
    ]);
    expect(grey(await row(2, floats([0.25, 0.75]), float, { sampleRange: 'min-max' }))).toEqual([
      0, 255,
    ]);
    for (const sampleRange of [
      [1, 1],
      [2, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(row(1, [1], {}, { sampleRange })).rejects.toThrow(ShapeError);
    }
  });

  test('samples without data are transparent, and do not count for the range', async () => {
    const { data } = await row(4, floats([Number.NaN, 10, 20, Number.POSITIVE_INFINITY]), float);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
    // GDAL tells the value as text.
    const noData: TiffEntry = [42113, 2, ...Buffer.from('-9\0')];
    const marked = await row(3, floats([-9, 10, 20]), { bits: [32], more: [FLOATS, noData] });
    expect([...marked.data.filter((_, i) => i % 4 === 3)]).toEqual([0, 255, 255]);
    expect(grey(marked)).toEqual([0, 0, 255]);
  });

  test('unsigned numbers of 1 to 16 bits keep their full range, in both byte orders', async () => {
    expect(grey(await row(3, [0b1010_0000], { bits: [1] }))).toEqual([255, 0, 255]);
    expect(grey(await row(3, [0b0001_1100], { bits: [2] }))).toEqual([0, 85, 255]);
    expect(grey(await row(2, [0x0f], { bits: [4], photometric: 0 }))).toEqual([255, 0]);
    for (const order of ['II', 'MM'] as const) {
      // Bits follow each other from the most significant on, whatever the order of bytes.
      expect(grey(await row(2, [0x80, 0x0f, 0xff], { bits: [12], order }))).toEqual([128, 255]);
      const rgb12 = { bits: [12, 12, 12], photometric: 2, order };
      expect(rgb(await row(1, [0x80, 0x0f, 0xff, 0x00, 0x00], rgb12))).toEqual([[128, 255, 0]]);
    }
    expect(grey(await row(2, [0xff, 0x80, 0, 0x80], { bits: [16], order: 'MM' }))).toEqual([
      255, 0,
    ]);
    const three = { bits: [24], order: 'MM' as const };
    expect(grey(await row(3, [0, 0, 1, 0, 0, 2, 0, 0, 3], three))).toEqual([0, 128, 255]);
  });

  test('an extra sample is alpha if the file says so, and premultiplied alpha is undone', async () => {
    const four = [8, 8, 8, 8];
    const rgba = (kind: number[]) =>
      row(1, [100, 50, 0, 100], {
        photometric: 2,
        bits: four,
        more: kind.length > 0 ? [[338, 3, ...kind] as TiffEntry] : [],
      });
    expect([...(await rgba([])).data]).toEqual([100, 50, 0, 255]);
    expect([...(await rgba([0])).data]).toEqual([100, 50, 0, 255]);
    expect([...(await rgba([2])).data]).toEqual([100, 50, 0, 100]);
    expect([...(await rgba([1])).data]).toEqual([255, 128, 0, 100]);
    const clear = row(1, [9, 9, 9, 0], { photometric: 2, bits: four, more: [[338, 3, 1]] });
    expect([...(await clear).data]).toEqual([0, 0, 0, 0]);
    const greyAlpha = row(1, [60, 128], { bits: [8, 8], more: [[338, 3, 2]] });
    expect([...(await greyAlpha).data]).toEqual([60, 60, 60, 128]);
  });

  test('of many bands the first three are red, green and blue', async () => {
    const bits = new Array<number>(5).fill(8);
    expect(rgb(await row(1, [1, 2, 3, 4, 5], { bits, more: [[338, 3, 0, 0, 0, 0]] }))).toEqual([
      [1, 2, 3],
    ]);
    expect(rgb(await row(1, [1, 2, 3, 4, 5], { bits, photometric: 2 }))).toEqual([[1, 2, 3]]);
    // A second band alone is no color.
    expect(rgb(await row(1, [7, 9], { bits: [8, 8] }))).toEqual([[7, 7, 7]]);
  });

  test('palettes, CMYK, CIELab and YCbCr become RGB', async () => {
    const map: TiffEntry = [320, 3, ...[0x1000, 0xff00], ...[0x2000, 0xff00], ...[0x30ff, 0]];
    expect(rgb(await row(2, [0b0100_0000], { photometric: 3, bits: [1], more: [map] }))).toEqual([
      [0x10, 0x20, 0x30],
      [255, 255, 0],
    ]);
    const cmyk = { photometric: 5, bits: [8, 8, 8, 8] };
    expect(rgb(await row(1, [0, 255, 51, 0], cmyk))).toEqual([[255, 0, 204]]);
    const lab = { photometric: 8, bits: [8, 8, 8] };
    // White; mid grey; red, which is 53.2, 80.1, 67.2 under D65 and 54.3, 80.8, 69.9 under D50.
    expect(rgb(await row(1, [255, 0, 0], lab))).toEqual([WHITE]);
    const [red] = rgb(await row(1, [138, 81, 70], lab));
    for (const [c, level] of red!.entries()) expect(Math.abs(level - RED[c]!)).toBeLessThan(8);
    const plain: TiffEntry = [530, 3, 1, 1];
    const ycbcr = { photometric: 6, bits: [8, 8, 8], more: [plain] };
    expect(rgb(await row(1, [76, 85, 255], ycbcr))).toEqual([[254, 0, 0]]);
  });

  test('files that cannot be read correctly are refused by name', async () => {
    const refused = async (name: string, entries: TiffEntry[]) =>
      expect(await failure(tiff(entries, new Array(64).fill(0)))).toContain(
        `${name} cannot be read`,
      );
    const page = (photometric: number, bits: number[], ...more: TiffEntry[]) => {
      const base = tiffEntries(1, 1, photometric, bits, 64);
      return [...base.filter(([tag]) => !more.some(([other]) => other === tag)), ...more];
    };
    await refused('a fax (CCITT) TIFF', page(0, [1], [259, 3, 4]));
    await refused('an old-style JPEG TIFF', page(6, [8, 8, 8], [259, 3, 6]));
    await refused('a LERC TIFF', page(1, [8], [259, 4, 34887]));
    await refused('a TIFF of compression 99', page(1, [8], [259, 3, 99]));
    await refused('a TIFF of reversed bits', page(1, [8], [266, 3, 2]));
    await refused('a subsampled YCbCr TIFF', page(6, [8, 8, 8]));
    await refused('a TIFF with samples of different types', page(2, [8, 8, 16]));
    await refused('a TIFF of 12 bits and predictor 2', page(1, [12], [317, 3, 2]));
    await refused('a TIFF of photometric interpretation 32844 and 1 samples', page(32_844, [16]));
    await refused('a TIFF of 24-bit floating-point samples', page(1, [24], [339, 3, 3]));
  });

  test('old-style and new LZW are distinguished', async () => {
    // The clear code, 256, with the least significant bit first.
    const file = tiff(
      tiffEntries(2, 2, 2, [8, 8, 8], 4).map(
        (entry): TiffEntry => (entry[0] === 259 ? [259, 3, 5] : entry),
      ),
      [0x00, 0x01, 0x02, 0x03],
    );
    expect(await failure(file)).toContain('an old-style LZW TIFF cannot be read');
  });

  test('floating-point differences are undone in big-endian files, too', async () => {
    // The bytes of each number taken apart, the most significant first, and each less the one before.
    const values = [0.25, 0.5, 1];
    const planes = [3, 2, 1, 0].flatMap((byte) =>
      values.map((_, i) => floats(values)[4 * i + byte]!),
    );
    const packed = planes.map((byte, i) => (i === 0 ? byte : byte - planes[i - 1]!) & 255);
    for (const order of ['II', 'MM'] as const) {
      const more: TiffEntry[] = [FLOATS, [317, 3, 3]];
      expect(grey(await row(3, packed, { bits: [32], more, order }))).toEqual([64, 128, 255]);
    }
  });
});

/** Codes of nine bits, the most significant bit first. */
function nineBits(codes: number[]): number[] {
  const bits = codes.map((code) => code.toString(2).padStart(9, '0')).join('');
  return bits.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}
