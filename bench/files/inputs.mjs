// Makes the pictures that bench/files/run.mjs measures: the samples of this repository, enlarged, with noise like that of a
// camera, as JPEG. It is a separate process, because on Linux a started process inherits the memory peak of the one that
// starts it.
//
//   node bench/files/inputs.mjs FOLDER

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { resize } from '../../dist/image/resize.js';
import { FORMATS } from '../../dist/node/drawing/encode.js';
import { readPicture } from '../../dist/node/index.js';

/** Noise is uniform between −NOISE and +NOISE levels: two bits a pixel at quality 85, like a photo. */
const NOISE = 20;
const DISTINCT = 20;

const [folder] = process.argv.slice(2);
const samples = [];
for (const name of ['chelsea.png', 'coffee.png', 'rocket.jpg']) {
  samples.push(await readPicture(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url))));
}
let seed = 1;
writeFileSync(`${folder}/photo.jpg`, await photo(samples[0], 4000, 3000));
writeFileSync(`${folder}/large.jpg`, await photo(samples[1], 10_000, 7500));
for (const kind of ['twenty', 'thousand']) mkdirSync(`${folder}/${kind}`);
for (let i = 0; i < DISTINCT; i++) {
  const sample = samples[i % samples.length];
  writeFileSync(`${folder}/twenty/${i}.jpg`, await photo(sample, 1024, 768));
  writeFileSync(`${folder}/thousand/${i}.jpg`, await photo(sample, 256, 192));
}
for (let i = DISTINCT; i < 1000; i++) {
  copyFileSync(`${folder}/thousand/${i % DISTINCT}.jpg`, `${folder}/thousand/${i}.jpg`);
}

async function photo(sample, width, height) {
  const data = resize(sample, width, height, 'bicubic');
  const picture = { data: new Uint8ClampedArray(data.buffer), width, height };
  addNoise(picture.data);
  return FORMATS.jpeg.encode(picture);
}

/** From the seed, by a linear congruential generator (Numerical Recipes). */
function addNoise(data) {
  for (let i = 0; i < data.length; i += 4) {
    for (let c = 0; c < 3; c++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      data[i + c] += Math.round((seed / 2 ** 32 - 0.5) * 2 * NOISE);
    }
  }
}
