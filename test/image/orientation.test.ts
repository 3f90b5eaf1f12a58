import ndarray from 'ndarray';
import { describe, expect, it } from 'vitest';
import { type Orientation, orient, orientationOf, type Picture } from '../../src/model/index.js';
import { exif, jpeg, png, pngChunk, tiff } from '../node/pictures/picture-files.js';

const ORIENTATIONS: readonly Orientation[] = [1, 2, 3, 4, 5, 6, 7, 8];

/** 3 wide, 2 high, no two bytes equal. */
const STORED: Picture = { width: 3, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => i) };

/** What each orientation is, as a view: rows and columns swapped, then either of them backwards. */
const VIEWS: Record<Orientation, [swapped: boolean, rows: 1 | -1, columns: 1 | -1]> = {
  1: [false, 1, 1],
  2: [false, 1, -1],
  3: [false, -1, -1],
  4: [false, -1, 1],
  5: [true, 1, 1],
  6: [true, 1, -1],
  7: [true, -1, -1],
  8: [true, -1, 1],
};

describe('orient', () => {
  it.each(ORIENTATIONS)(
    'gives the pixels of orientation %i as a strided view does',
    (orientation) => {
      const [swapped, rows, columns] = VIEWS[orientation];
      const stored = ndarray(STORED.data as Uint8Array, [2, 3, 4]);
      const view = (swapped ? stored.transpose(1, 0, 2) : stored).step(rows, columns, 1);
      const { width, height, data } = orient(STORED, orientation);
      expect([height, width, 4]).toEqual(view.shape);
      const seen = ndarray(data as Uint8Array, view.shape);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          for (let c = 0; c < 4; c++) expect(seen.get(y, x, c)).toBe(view.get(y, x, c));
        }
      }
    },
  );

  it.each([
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [6, 8],
    [7, 7],
    [8, 6],
  ] as const)('%i is undone by %i', (orientation, inverse) => {
    expect(orient(orient(STORED, orientation), inverse)).toEqual(STORED);
  });
});

describe('orientationOf', () => {
  const files: [string, (orientation: number, order: 'II' | 'MM') => Uint8Array][] = [
    ['JPEG', (orientation, order) => jpeg([[[9]]], { exif: exif(orientation, order) })],
    [
      'PNG',
      (orientation, order) =>
        png(1, 1, {
          depth: 8,
          color: 0,
          rows: [[7]],
          chunks: [pngChunk('eXIf', exif(orientation, order))],
        }),
    ],
    ['TIFF', (orientation, order) => tiff([[274, 3, orientation]], [], order)],
  ];

  describe.each(files)('of a %s', (_, make) => {
    it.each(ORIENTATIONS)('reads %i in either byte order', (orientation) => {
      expect(orientationOf(make(orientation, 'II'))).toBe(orientation);
      expect(orientationOf(make(orientation, 'MM'))).toBe(orientation);
    });

    it.each([0, 9, 65535])('takes %i, which is none, for 1', (value) => {
      expect(orientationOf(make(value, 'II'))).toBe(1);
    });

    it('is 6 or 1 wherever the file stops, and never an error', () => {
      const file = make(6, 'MM');
      for (let end = 0; end < file.length; end++) {
        expect([1, 6]).toContain(orientationOf(file.subarray(0, end)));
      }
    });
  });

  it('is 1 where nothing says otherwise', () => {
    expect(orientationOf(jpeg([[[9]]]))).toBe(1);
    expect(orientationOf(png(1, 1, { depth: 8, color: 0, rows: [[7]] }))).toBe(1);
    expect(orientationOf(tiff([]))).toBe(1);
    expect(orientationOf(new TextEncoder().encode('GIF89a'))).toBe(1);
  });

  it('reads a file that lies within a larger buffer', () => {
    const file = jpeg([[[9]]], { exif: exif(8) });
    const larger = new Uint8Array(file.length + 10);
    larger.set(file, 7);
    expect(orientationOf(larger.subarray(7, 7 + file.length))).toBe(8);
  });
});
