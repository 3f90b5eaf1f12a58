import ndarray from 'ndarray';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Picture } from '../../../src/image/picture.js';
import { Canvas, Lettering } from '../../../src/node/drawing/canvas.js';
import { drawLovi, drawSheet } from '../../../src/node/drawing/sheet.js';

let lettering: Lettering;
beforeAll(async () => {
  lettering = await Lettering.load();
});

function flat(width: number, height: number, color: [number, number, number]): Picture {
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < data.length; i += 4) data.set(color, i);
  return { data, width, height };
}

function countOf({ data }: Picture, [r, g, b]: [number, number, number]): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b) count++;
  }
  return count;
}

function sheetOf(width: number, height: number): Picture {
  const tiles = (row: number): Picture[] =>
    Array.from({ length: 5 }, (_, column) => flat(width, height, [40 * column + 1, 7, 80 * row]));
  return drawSheet(
    {
      title: 'Egyptian cat 40.1 %',
      subtitle: 'chelsea.png',
      columns: ['Picture', 'Heat map', 'Overlay', 'Soft mask', 'Top 10 %'],
      rows: Array.from({ length: 3 }, (_, row) => ({
        label: 'SMOE Scale',
        note: 'all scales',
        tiles: tiles(row),
      })),
      colorBar: flat(64, 14, [9, 9, 200]),
    },
    lettering,
  );
}

describe('the contact sheet', () => {
  test.each([
    [320, 213],
    [320, 8],
    [20, 320],
  ])('shows every pixel of every %i×%i tile exactly once', (width, height) => {
    const sheet = sheetOf(width, height);
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 5; column++) {
        expect(countOf(sheet, [40 * column + 1, 7, 80 * row])).toBe(width * height);
      }
    }
    expect(countOf(sheet, [9, 9, 200])).toBe(64 * 14);
  });

  test('has a white margin of 24 pixels on the left and the right', () => {
    const { data, width, height } = sheetOf(100, 60);
    const pixels = ndarray(data, [height, width, 4]);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < 24; x++) {
        expect(pixels.get(y, x, 1)).toBe(255);
        expect(pixels.get(y, width - 1 - x, 1)).toBe(255);
      }
    }
  });
});

describe('text', () => {
  test('is drawn, is as wide as measured, and is cut where it would not fit', () => {
    const text = 'SMOE Scale × (1 − CAM)';
    const width = lettering.width(text, 16);
    const canvas = new Canvas(width + 40, 30, lettering);
    canvas.text(text, 16, 0, 0);
    const { data } = canvas.picture;
    let rightmost = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i]! < 128) rightmost = Math.max(rightmost, (i / 4) % canvas.picture.width);
    }
    expect(rightmost).toBeGreaterThan(width - 12);
    expect(rightmost).toBeLessThanOrEqual(width);
    const cut = lettering.cut('a name that is much too long for its place', 16, 100);
    expect(cut.endsWith('…')).toBe(true);
    expect(lettering.width(cut, 16)).toBeLessThanOrEqual(100);
  });
});

test('LOVI is above its legend, and a narrow LOVI is centred over it', () => {
  const lovi = flat(10, 10, [1, 2, 3]);
  const legend = flat(240, 16, [4, 5, 6]);
  const picture = drawLovi(lovi, legend, lettering);
  expect(countOf(picture, [1, 2, 3])).toBe(100);
  expect(countOf(picture, [4, 5, 6])).toBe(240 * 16);
});

test('a class name with line breaks is set on one line', () => {
  expect(lettering.width('a\n\tb', 32)).toBe(lettering.width('a b', 32));
  expect(lettering.draw('a\nb', 16, 'black').data).toEqual(lettering.draw('a b', 16, 'black').data);
});
