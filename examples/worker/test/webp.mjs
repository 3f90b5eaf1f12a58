/** WebP files for the tests. */

import { readFileSync } from 'node:fs';
import encode, { init } from '@jsquash/webp/encode.js';

const codec = import.meta.resolve('@jsquash/webp/codec/enc/webp_enc.wasm');
await init(new WebAssembly.Module(readFileSync(new URL(codec))));

/** @param options of jSquash, as `{ lossless: 1 }` */
export async function webp({ data, width, height }, options = {}) {
  return Buffer.from(await encode({ data: new Uint8ClampedArray(data), width, height }, options));
}

/** The same picture with an EXIF orientation: the file becomes an extended one. */
export function withOrientation(file, { width, height }, orientation) {
  const tiff = Buffer.from('49492a00080000000100120103000100000000000000000000000000', 'hex');
  tiff.writeUInt16LE(orientation, 18);
  const canvas = Buffer.alloc(10);
  canvas[0] = 0x08;
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  return riff([chunk('VP8X', canvas), file.subarray(12), chunk('EXIF', tiff)]);
}

/** A file that says that it is an animation. */
export function animation() {
  const canvas = Buffer.alloc(10);
  canvas[0] = 0x02;
  return riff([chunk('VP8X', canvas), chunk('ANIM', Buffer.alloc(6))]);
}

/**
 * A valid lossless picture, black, of 330 KB, whose Huffman codes, one set for each of 65,536 blocks of
 * 4×4 pixels, take 900 MB in libwebp. Source: RFC 9649, §3.
 */
export function greedy(width, height) {
  const bits = bitWriter();
  bits.put(0x2f, 8);
  bits.put(width - 1, 14);
  bits.put(height - 1, 14);
  bits.put(0, 4); // no alpha, version 0
  bits.put(0, 2); // no transform, no color cache
  bits.put(1, 1); // several sets of codes,
  bits.put(0, 3); // for blocks of 4×4, by a picture of their numbers:
  bits.put(0, 1); // no color cache,
  putByteCode(bits, true); // the low byte as green,
  putByteCode(bits, false); // the high one as red,
  for (let i = 0; i < 3; i++) bits.put(1, 4); // and nothing else.
  const blocks = Math.ceil(width / 4) * Math.ceil(height / 4);
  for (let i = 0; i < blocks; i++) bits.put(i, 16);
  for (let i = 0; i < 5 * 65_536; i++) bits.put(1, 4); // Each code has one symbol, 0.
  return riff([chunk('VP8L', bits.bytes())]);
}

/** A code in which 256 symbols have 8 bits each. @param hasMore whether the alphabet has more symbols */
function putByteCode(bits, hasMore) {
  bits.put(0, 1);
  // Lengths of the code that the lengths are written in: one symbol, 8, the twelfth in its order.
  bits.put(12 - 4, 4);
  for (let i = 0; i < 12; i++) bits.put(i === 11 ? 1 : 0, 3);
  bits.put(hasMore ? 1 : 0, 1);
  if (!hasMore) return;
  bits.put(3, 3); // How many lengths follow is written in 2 + 2·3 bits, less 2.
  bits.put(254, 8);
}

function bitWriter() {
  const bytes = [];
  let count = 0;
  return {
    /** The `length` low bits of `value`, the lowest first. */
    put(value, length) {
      for (let i = 0; i < length; i++, count++) {
        if (count % 8 === 0) bytes.push(0);
        bytes[count >> 3] |= ((value >> i) & 1) << (count & 7);
      }
    },
    bytes: () => Buffer.from(bytes),
  };
}

function riff(chunks) {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  return chunk('RIFF', body);
}

function chunk(type, data) {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
}
