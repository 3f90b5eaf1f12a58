/** EXIF data inside a format's own wrapper. */

import { textAt } from './header.js';

/** The TIFF file inside EXIF data, without the six bytes that JPEG, and others like it, put before it. */
export function exifBody(data: Uint8Array): Uint8Array {
  return textAt(data, 0, 6) === 'Exif\0\0' ? data.subarray(6) : data;
}
