/** EXIF orientation: read from a picture's header, applied to its pixels. */

import type { Picture } from 'fastcam';
import { viewOf } from './views.js';

/**
 * How the stored rows and columns stand to the picture: 1 as stored, 2 mirrored, 3 turned by 180°,
 * 4 upside down, 5 transposed, 6 to be turned clockwise, 7 transposed across the other diagonal, 8 to
 * be turned anticlockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x112;
const ENTRY_BYTES = 12;

/**
 * The orientation that EXIF data states, 1 where it states none or cannot be read. The data is a TIFF
 * file: byte order, 42, offset of the directory; there a count and entries of 12 bytes.
 */
export function exifOrientation(exif: Uint8Array): Orientation {
  const view = viewOf(exif);
  try {
    const littleEndian = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, littleEndian);
    const count = view.getUint16(directory, littleEndian);
    for (let i = 0; i < count; i++) {
      const entry = directory + 2 + i * ENTRY_BYTES;
      if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
      const value = view.getUint16(entry + 8, littleEndian);
      return value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
  } catch {
    // It ends early: cameras write such data, and the picture is none the worse.
  }
  return 1;
}

/** The picture as it is to be seen. */
export function orient(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  // 5…8 swap rows and columns; which of the two then runs backwards tells the four apart.
  const swapped = orientation >= 5;
  const width = swapped ? picture.height : picture.width;
  const height = swapped ? picture.width : picture.height;
  const flipRows = [3, 4, 7, 8].includes(orientation);
  const flipColumns = [2, 3, 6, 7].includes(orientation);
  const source = pixelsOf(picture);
  const out = new Uint32Array(source.length);
  for (let y = 0; y < height; y++) {
    const row = flipRows ? height - 1 - y : y;
    for (let x = 0; x < width; x++) {
      const column = flipColumns ? width - 1 - x : x;
      out[y * width + x] = source[swapped ? column * height + row : row * width + column]!;
    }
  }
  return { data: new Uint8Array(out.buffer), width, height };
}

/** Four bytes as one: they move together. */
function pixelsOf({ data }: Picture): Uint32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
