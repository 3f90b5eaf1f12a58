// Draws docs/images/method-*.png, the figures of docs/methods.md: the map of every method for one picture. It needs the
// build: `npm run build && node scripts/method-figures.mjs`.

import { compareFile } from '../dist/node/index.js';
import { colorize } from '../dist/viz/index.js';
import { writeSmallPng } from './small-png.mjs';

/** The most bytes of all figures together. */
const LIMIT_BYTES = 400_000;
/** Levels to which a channel is rounded. */
const LEVELS = 16;

const { maps } = await compareFile('samples/chelsea.png');
let total = 0;
for (const [name, map] of maps) {
  const file = name.replace(':', '-').replaceAll('+', 'p');
  total += await writeSmallPng(`method-${file}.png`, colorize(map), LEVELS);
}
console.log(`${(total / 1000).toFixed(0)} KB in all`);
if (total > LIMIT_BYTES) throw new Error(`docs/images: ${total} bytes, at most ${LIMIT_BYTES}`);
