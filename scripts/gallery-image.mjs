// Makes the file of the gallery's screenshot smaller. `npm --prefix examples/web run screenshot` takes it and calls this.

import { fileURLToPath } from 'node:url';
import { readPicture } from '../dist/node/index.js';
import { writeSmallPng } from './small-png.mjs';

const LIMIT_BYTES = 250_000;

const screenshot = fileURLToPath(new URL('../docs/images/gallery.png', import.meta.url));
const bytes = await writeSmallPng('gallery.png', await readPicture(screenshot), 64);
if (bytes > LIMIT_BYTES) throw new Error(`gallery.png: ${bytes} bytes, at most ${LIMIT_BYTES}`);
