/**
 * A PNG's orientation: in its eXIf chunk, or in the text chunk that ImageMagick and others use for
 * EXIF. Source: W3C PNG, 3rd edition, §11.3.3; for the text chunk ImageMagick's coders/png.c: a line break,
 * the profile's name, its length, and the bytes as hexadecimal digits.
 */

import { type Orientation, orientationOf } from '../../image/orientation.js';
import { exifBody } from './exif.js';
import { inflateAtMost } from './inflate.js';
import { type PngChunk, pngChunks } from './png-chunks.js';

const PROFILE = /^Raw profile type (exif|APP1)\0/;
/** In a JPEG, the usual source, EXIF data has at most 64 KB; as digits it has twice that. */
const MOST_TEXT_BYTES = 1 << 18;

export function orientationOfPng(bytes: Uint8Array): Orientation {
  const own = orientationOf(bytes);
  if (own !== 1) return own;
  for (const chunk of pngChunks(bytes)) {
    const text = textOf(chunk);
    if (text !== undefined) return orientationOf(exifBody(fromDigits(text)));
  }
  return 1;
}

/** The text of a chunk with EXIF. */
function textOf({ type, data }: PngChunk): string | undefined {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 32));
  const begin = PROFILE.exec(head.toString('latin1'))?.[0].length;
  if (begin === undefined) return undefined;
  const body = data.subarray(begin);
  const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  try {
    if (type === 'tEXt') return latin1(body.subarray(0, MOST_TEXT_BYTES));
    // Compression method, then the text.
    if (type === 'zTXt') return latin1(inflateAtMost(body.subarray(1), MOST_TEXT_BYTES));
    if (type !== 'iTXt') return undefined;
    // Whether it is compressed, the method, the language, the keyword in that language.
    const text = body.subarray(body.indexOf(0, body.indexOf(0, 2) + 1) + 1);
    return latin1(body[0] === 1 ? inflateAtMost(text, MOST_TEXT_BYTES) : text);
  } catch {
    // Broken EXIF is no reason to refuse a picture.
    return undefined;
  }
}

function fromDigits(text: string): Uint8Array {
  const digits = /^\n[^\n]*\n\s*\d+\n([\da-f\s]*)/i.exec(text)?.[1] ?? '';
  return Buffer.from(digits.replace(/\s/g, ''), 'hex');
}
