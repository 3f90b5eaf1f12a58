import { fc, test as prop } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { GalleryEntry } from '../../src/node/gallery/gallery-page.js';
import {
  choiceOf,
  EVERYTHING,
  fragmentOf,
  ORDERS,
  Selection,
} from '../../src/node/gallery/page/selection.js';

function entry(title: string, ...top: GalleryEntry['top']): GalleryEntry {
  const thumbnails = { file: 'strip.jpg', width: 4, height: 1, kinds: ['picture'] };
  return { title, width: 1, height: 1, thumbnails, pictures: {}, top };
}

const crane = { index: 134, label: 'crane' };
const otherCrane = { index: 517, label: 'crane' };
const tabby = { index: 281, label: 'tabby' };
const entries = [
  entry('b/IMG 10.jpg', { ...tabby, probability: 0.5 }, { ...crane, probability: 0.2 }),
  entry('b/IMG 9.jpg', { ...otherCrane, probability: 0.9 }),
  entry('a/née.jpg', { ...crane, probability: 0.3 }),
  entry('c/unclassified.jpg'),
  entry('a/x.jpg', { ...tabby, probability: 0.8 }),
];
const selection = new Selection(entries);

describe('which pictures are shown', () => {
  test('all at first, as given', () => {
    expect(selection.choose(EVERYTHING)).toEqual([0, 1, 2, 3, 4]);
  });

  test.each([
    ['tab', [0, 4]],
    ['CRANE', [0, 1, 2]],
    ['img crane', [0, 1]],
    ['crane  img ', [0, 1]],
    ['a/', [2, 4]],
    ['ne\u0301e', [2]],
    ['.*', []],
  ])('those with all words of %j in path or classes', (query, expected) => {
    expect(selection.choose({ ...EVERYTHING, query })).toEqual(expected);
  });

  test('those of a most likely class, by number, because two classes may have one name', () => {
    expect(selection.choose({ ...EVERYTHING, className: '134' })).toEqual([2]);
    expect(selection.choose({ ...EVERYTHING, className: '517' })).toEqual([1]);
  });

  test('those whose most likely class has at least the given probability', () => {
    expect(selection.choose({ ...EVERYTHING, least: 0.5 })).toEqual([0, 1, 4]);
    expect(selection.choose({ ...EVERYTHING, least: 0.51 })).toEqual([1, 4]);
  });

  test('classes are counted by the pictures that they are likeliest for', () => {
    expect(selection.classes).toEqual([
      { ...crane, count: 1 },
      { ...otherCrane, count: 1 },
      { ...tabby, count: 2 },
    ]);
  });
});

test.each([
  ['name', [2, 4, 1, 0, 3]],
  ['class', [2, 1, 4, 0, 3]],
  ['probability-down', [1, 4, 0, 2, 3]],
  ['probability-up', [3, 2, 0, 4, 1]],
] as const)('order by %s', (order, expected) => {
  expect(selection.choose({ ...EVERYTHING, order })).toEqual(expected);
});

describe('the address', () => {
  const choice = fc.record({
    query: fc.string({ unit: 'grapheme' }),
    className: fc.nat(1000).map(String),
    least: fc.nat(100).map((percent) => percent / 100),
    order: fc.constantFrom(...ORDERS),
  });
  prop.prop([choice])('keeps every choice', (chosen) => {
    expect(choiceOf(fragmentOf(chosen))).toEqual(chosen);
  });

  test('is empty if nothing is chosen', () => {
    expect(fragmentOf(EVERYTHING)).toBe('');
  });

  test.each(['order=size', 'least=x', 'least=-1', 'least=2', '%%%', 'failures'])(
    'that says what is not known chooses everything: %s',
    (fragment) => {
      expect(choiceOf(fragment)).toEqual(EVERYTHING);
    },
  );
});
