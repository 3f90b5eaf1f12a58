/** The bytes of a picture file → its pixels. What they are is told by the bytes, not by a header. */

import type { Picture } from 'fastcam';
import { type Orientation, orient, orientationOf, overWhite } from 'fastcam/model';
import { decodeJpeg } from './jpeg.js';
import { damaged } from './picture-problems.js';
import { decodePng } from './png.js';
import { Problem } from './problem.js';
import { textAt } from './views.js';
import { decodeWebp, exifOfWebp } from './webp.js';

/** A kind of file. */
interface Format {
  decode(bytes: Uint8Array): Picture;
  orientation(bytes: Uint8Array): Orientation;
}

const PNG: Format = { decode: decodePng, orientation: orientationOf };
const JPEG: Format = { decode: decodeJpeg, orientation: orientationOf };
const WEBP: Format = {
  decode: decodeWebp,
  orientation(bytes) {
    const exif = exifOfWebp(bytes);
    return exif === undefined ? 1 : orientationOf(exif);
  },
};

/**
 * Decodes a picture, turned the way its EXIF orientation says, opaque: transparent pixels show white,
 * as they do to the network.
 *
 * @throws {Problem} 413 for too many pixels, 415 for another kind of file, 422 for a damaged one
 */
export function decodePicture(bytes: Uint8Array): Picture {
  const { decode, orientation } = formatOf(bytes);
  try {
    return overWhite(orient(decode(bytes), orientation(bytes)));
  } catch (error) {
    if (error instanceof Problem) throw error;
    // Decoders throw Errors, strings and RangeErrors of the arrays they overran.
    const message = error instanceof Error ? error.message : String(error);
    throw damaged(message.replace(/\s+/g, ' ').slice(0, 120));
  }
}

function formatOf(bytes: Uint8Array): Format {
  if (textAt(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return PNG;
  if (textAt(bytes, 0, 3) === '\xff\xd8\xff') return JPEG;
  if (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP') return WEBP;
  throw new Problem(415, 'not-a-picture', 'expected the bytes of a PNG, a JPEG or a WebP');
}
