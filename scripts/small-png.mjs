// Writes pictures of docs/images as small as PNG makes them.

import { writeFileSync } from 'node:fs';
import { Jimp, PNGColorType } from 'jimp';

/**
 * Ways to pack: every row by the filter that suits it (−1), as photographs ask for, with zlib's two strategies; or by
 * none, which is best where pixels repeat.
 */
const PACKINGS = [
  { filterType: -1, deflateStrategy: 0 },
  { filterType: -1, deflateStrategy: 1 },
  { filterType: 0, deflateStrategy: 0 },
];

/**
 * Writes docs/images/NAME, says how large it is, and returns its size in bytes.
 *
 * @param levels that each channel is rounded to: smooth edges need few, and the file is smaller
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
