// Writes src/node/drawing/fonts.ts: the two bitmap fonts for the labels of pictures. They come from jimp. Without this
// file every user of fastcam would install all of jimp for them: 63 packages, 33 MB. Not committed.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SANS_16_BLACK, SANS_32_BLACK } from 'jimp/fonts';

const fonts = Object.entries({ 16: SANS_16_BLACK, 32: SANS_32_BLACK }).map(([size, path]) => [
  size,
  {
    letters: readFileSync(path, 'utf8'),
    sheet: readFileSync(path.replace(/fnt$/, 'png')).toString('base64'),
  },
]);

writeFileSync(
  fileURLToPath(new URL('../src/node/drawing/fonts.ts', import.meta.url)),
  `/**
 * Written by scripts/build-fonts.mjs: Open Sans by Steve Matteson, Apache License 2.0, as jimp's bitmaps (MIT), by the
 * height of the letters in pixels. \`letters\` is the .fnt file, \`sheet\` its PNG in base64.
 */
export const FONTS: Readonly<Record<16 | 32, { readonly letters: string; readonly sheet: string }>> =
  ${JSON.stringify(Object.fromEntries(fonts))};
`,
);
