/** RGBA pixels → PNG files, with jimp. */

import { writeFile } from 'node:fs/promises';
import { FormatError } from '../errors.js';
import type { Picture } from '../viz/picture.js';
import { systemReason } from './file-bytes.js';

/** The bytes of a PNG file, 8-bit RGB: alpha is dropped, since nothing here draws see-through. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { Jimp, PNGColorType } = await import('jimp');
  const { data, width, height } = picture;
  const image = new Jimp({
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    width,
    height,
  });
  return image.getBuffer('image/png', { colorType: PNGColorType.COLOR });
}

/** Writes a file, with a one-line reason where that fails. */
export async function writeBytes(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    throw new FormatError(`${path}: cannot be written: ${systemReason(error)}`, { cause: error });
  }
}
