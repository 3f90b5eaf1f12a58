// Makes docs/images from what `npm start` writes: the contact sheet, shrunk, and LOVI: `npm run images`.

import { statSync, writeFileSync } from 'node:fs';
import { Jimp, PNGColorType } from 'jimp';
import { readPicture } from '../dist/node/index.js';
import { shrinkPicture } from '../dist/node/resample.js';

const SHEET_WIDTH = 900;
const LIMIT_BYTES = 600_000;

const sheet = await readPicture('out/chelsea/sheet.png');
const height = Math.round((sheet.height * SHEET_WIDTH) / sheet.width);
const total =
  (await write('cat-sheet.png', shrinkPicture(sheet, { width: SHEET_WIDTH, height }))) +
  (await write('cat-lovi.png', await readPicture('out/chelsea/lovi.png')));
if (total > LIMIT_BYTES) throw new Error(`docs/images: ${total} bytes, at most ${LIMIT_BYTES}`);

/** Writes the smallest PNG that the encoder can make, and returns its size in bytes. */
async function write(name, { data, width, height }) {
  const url = new URL(`../docs/images/${name}`, import.meta.url);
  const image = new Jimp({ data: Buffer.from(data), width, height });
  const packing = { colorType: PNGColorType.COLOR, deflateLevel: 9, filterType: -1 };
  writeFileSync(url, await image.getBuffer('image/png', packing));
  const { size } = statSync(url);
  console.log(`docs/images/${name}: ${width} × ${height}, ${(size / 1000).toFixed(0)} KB`);
  return size;
}
