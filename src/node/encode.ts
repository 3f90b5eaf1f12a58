/** RGBA pixels → PNG files, with jimp. */

import { writeFile } from 'node:fs/promises';
import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import { FormatError } from '../errors.js';
import type { Picture } from '../image/picture.js';
import { systemReason } from './file-bytes.js';

/**
 * How PNGs are packed. Row differences (filter `UP`) and a middling compression take a quarter of the
 * time of the encoder's defaults, which try all filters on each row, at about the same size.
 */
const PACKING = { filterType: 2, deflateLevel: 4, deflateStrategy: 0 } as const;

/** The bytes of a PNG file, 8-bit RGB: alpha is dropped, since nothing here draws see-through. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { Jimp, PNGColorType } = await import('jimp');
  const { data, width, height } = picture;
  const rgb = Buffer.allocUnsafe(3 * width * height);
  const source = ndarray(data, [height, width, 4]).hi(height, width, 3);
  ops.assign(ndarray(rgb, [height, width, 3]), source);
  const { COLOR } = PNGColorType;
  const image = new Jimp({ data: rgb, width, height });
  const options = { ...PACKING, colorType: COLOR, inputColorType: COLOR, inputHasAlpha: false };
  return image.getBuffer('image/png', options);
}

/** Writes a file, with a one-line reason where that fails. */
export async function writeBytes(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'its folder does not exist' : systemReason(error);
    throw new FormatError(`${path}: cannot be written: ${reason}`, { cause: error });
  }
}
