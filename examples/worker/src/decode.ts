/** The bytes of a picture file → its pixels. What they are is told by the bytes, not by a header. */

import type { Picture } from 'fastcam';
import { orient, orientationOf, overWhite } from 'fastcam/model';
import { decodeJpeg } from './jpeg.js';
import { damaged } from './picture-problems.js';
import { decodePng } from './png.js';
import { Problem } from './problem.js';
import { textAt } from './views.js';

/**
 * Decodes a picture, turned the way its EXIF orientation says, opaque: transparent pixels show white,
 * as they do to the network.
 *
 * @throws {Problem} 413 for too many pixels, 415 for another kind of file, 422 for a damaged one
 */
export function decodePicture(bytes: Uint8Array): Picture {
  const decode = decoderOf(bytes);
  try {
    return overWhite(orient(decode(bytes), orientationOf(bytes)));
  } catch (error) {
    if (error instanceof Problem) throw error;
    // Decoders throw Errors, strings and RangeErrors of the arrays they overran.
    const message = error instanceof Error ? error.message : String(error);
    throw damaged(message.replace(/\s+/g, ' ').slice(0, 120));
  }
}

function decoderOf(bytes: Uint8Array): (bytes: Uint8Array) => Picture {
  if (textAt(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return decodePng;
  if (textAt(bytes, 0, 3) === '\xff\xd8\xff') return decodeJpeg;
  throw new Problem(415, 'not-a-picture', 'expected the bytes of a PNG or a JPEG');
}
