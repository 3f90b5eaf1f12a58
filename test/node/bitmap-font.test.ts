import { loadFont } from 'jimp';
import { SANS_16_BLACK, SANS_32_BLACK } from 'jimp/fonts';
import { expect, it } from 'vitest';
import { loadBitmapFont } from '../../src/node/bitmap-font.js';

it.each([
  ['16', SANS_16_BLACK],
  ['32', SANS_32_BLACK],
])('reads the font of %s pixels as jimp does', async (_, path) => {
  const ours = await loadBitmapFont(path);
  const theirs = await loadFont(path);
  const letters = Object.keys(theirs.chars);
  expect(letters.length).toBeGreaterThan(90);
  expect(Object.keys(ours.chars)).toEqual(letters);
  for (const letter of letters) {
    expect(ours.chars[letter]).toMatchObject({ ...theirs.chars[letter] });
  }
  expect(ours.kernings).toEqual(theirs.kernings);
  expect(ours.common.lineHeight).toBe(theirs.common.lineHeight);
  expect(ours.pages.length).toBe(theirs.pages.length);
  for (const [i, { bitmap }] of ours.pages.entries()) {
    expect(bitmap.data.equals(theirs.pages[i]!.bitmap.data)).toBe(true);
  }
});
