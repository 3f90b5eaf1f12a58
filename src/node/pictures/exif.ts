/** EXIF data where the format wraps it. */

import { textAt } from './header.js';

/** The TIFF file that EXIF data is, without the six bytes that JPEG puts before it and others copy. */
export function exifBody(data: Uint8Array): Uint8Array {
  return textAt(data, 0, 6) === 'Exif\0\0' ? data.subarray(6) : data;
}
