/** Pictures for the tests: from the samples, and made by hand. */

import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

export const MODEL = new URL('../../../models/tiny-resnet50.safetensors', import.meta.url);
export const LABELS = new URL('../../../models/tiny-resnet50-labels.json', import.meta.url);
export const CAT = new URL('../../../samples/chelsea.png', import.meta.url);
export const ROCKET = new URL('../../../samples/rocket.jpg', import.meta.url);

export const cat = readFileSync(CAT);
export const rocket = readFileSync(ROCKET);

/** A PNG whose IDAT inflates to `pixels`, whatever its header claims. */
export function png(
  { width, height, depth = 8, color = 2, interlaced = false, chunks = [] },
  pixels,
) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, color, 0, 0, interlaced ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...chunks.map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The same JPEG with an EXIF orientation. */
export function withOrientation(jpeg, orientation) {
  const tiff = Buffer.from('4d4d002a00000008000101120003000000010000000000000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const data = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const marker = Buffer.from([0xff, 0xe1, 0, data.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), marker, data, jpeg.subarray(2)]);
}

/** The same JPEG, with another size in its frame header. */
export function claimingSize(jpeg, width, height) {
  const copy = Buffer.from(jpeg);
  let at = 2;
  while (copy[at + 1] < 0xc0 || copy[at + 1] > 0xc2) at += 2 + copy.readUInt16BE(at + 2);
  copy.writeUInt16BE(height, at + 5);
  copy.writeUInt16BE(width, at + 7);
  return copy;
}

/** Width and height that a PNG states. */
export function sizeOf(bytes) {
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

/** The cat as large as pictures may be, with noise. The JPEG is of the costliest kind, 4:4:4. */
export async function largePictures() {
  const { decodePicture, encodePng } = await import('fastcam/node');
  const { encode } = await import('jpeg-js');
  const source = await decodePicture(cat, 'cat');
  const width = 1280;
  const height = 1024;
  const data = Buffer.alloc(4 * width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * source.height) / height) * source.width;
    for (let x = 0; x < width; x++) {
      const from = 4 * (row + Math.floor((x * source.width) / width));
      const to = 4 * (y * width + x);
      for (let c = 0; c < 4; c++) data[to + c] = source.data[from + c] - ((7 * x + 13 * y) % 5);
    }
  }
  const picture = { data, width, height };
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { png: await encodePng(picture), jpeg: encode(picture, 80).data };
}
