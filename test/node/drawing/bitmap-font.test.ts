import { Jimp, loadFont, measureText } from 'jimp';
import { SANS_16_BLACK, SANS_32_BLACK } from 'jimp/fonts';
import { expect, it } from 'vitest';
import { drawText, loadBitmapFont, textWidth } from '../../../src/node/drawing/bitmap-font.js';
import { FONTS } from '../../../src/node/drawing/fonts.js';

it.each([
  [16, SANS_16_BLACK],
  [32, SANS_32_BLACK],
] as const)('measures and draws text of %s pixels as jimp does, to a level', async (size, path) => {
  const ours = await loadBitmapFont(FONTS[size]);
  const theirs = await loadFont(path);
  const height = 2 * size;
  for (const text of ['Egyptian cat 40.1 %', 'AVATAR, To. (fjord)', 'Zürich × 3', 'W', ' ']) {
    const width = textWidth(ours, text);
    expect(width).toBe(measureText(theirs, text));
    const image = new Jimp({ width, height, color: 0xffffffff });
    image.print({ font: theirs, x: 0, y: 0, text, maxWidth: width + 1 });
    const coverage = new Uint8Array(width * height);
    drawText(coverage, width, ours, text);
    coverage.forEach((alpha, i) => {
      expect(Math.abs(255 - alpha - image.bitmap.data[4 * i]!)).toBeLessThanOrEqual(1);
    });
  }
});

it('has a question mark for letters that are not in the font', async () => {
  const font = await loadBitmapFont(FONTS[16]);
  expect(textWidth(font, '猫a')).toBe(textWidth(font, '?a'));
});
