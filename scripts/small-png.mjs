// Writes pictures of docs/images as PNG files that are as small as possible.

import { writeFileSync } from 'node:fs';
import { Jimp, PNGColorType } from 'jimp';

/**
 * Settings to try: the best filter for every row (−1), with two strategies of zlib, which is good for photographs; or
 * no filter, which is best if pixels repeat.
 */
const PACKINGS = [
  { filterType: -1, deflateStrategy: 0 },
  { filterType: -1, deflateStrategy: 1 },
  { filterType: 0, deflateStrategy: 0 },
];

/**
 * Writes docs/images/NAME, prints its size, and returns it in bytes.
 *
 * @param levels to which each channel is rounded: smooth edges need few, and the file is smaller
 */
export async function writeSmallPng(name, { data, width, height }, levels = 256) {
  const step = 255 / (levels - 1);
  const rounded = Buffer.from(data.map((byte) => Math.round(byte / step) * step));
  const image = new Jimp({ data: rounded, width, height });
  const files = await Promise.all(
    PACKINGS.map((packing) =>
      image.getBuffer('image/png', { ...packing, colorType: PNGColorType.COLOR, deflateLevel: 9 }),
    ),
  );
  const smallest = files.reduce((best, file) => (file.length < best.length ? file : best));
  writeFileSync(new URL(`../docs/images/${name}`, import.meta.url), smallest);
  const kilobytes = (smallest.length / 1000).toFixed(1);
  console.log(`docs/images/${name}: ${width} × ${height}, ${kilobytes} KB`);
  return smallest.length;
}
