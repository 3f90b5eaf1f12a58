// Makes pictures of docs/images from the output of `npm start`: the contact sheet, shrunk, and LOVI. `npm run images`.

import { shrinkPicture } from '../dist/node/drawing/pixels.js';
import { readPicture } from '../dist/node/index.js';
import { writeSmallPng } from './small-png.mjs';

const SHEET_WIDTH = 900;
const LIMIT_BYTES = 600_000;

const sheet = await readPicture('out/chelsea/sheet.png');
const height = Math.round((sheet.height * SHEET_WIDTH) / sheet.width);
const total =
  (await writeSmallPng('cat-sheet.png', shrinkPicture(sheet, { width: SHEET_WIDTH, height }))) +
  (await writeSmallPng('cat-lovi.png', await readPicture('out/chelsea/lovi.png')));
if (total > LIMIT_BYTES) throw new Error(`docs/images: ${total} bytes, at most ${LIMIT_BYTES}`);
