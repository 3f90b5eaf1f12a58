/** Picture files → RGBA pixels: jpeg, png, bmp, gif (first frame), tiff (first page), with jimp. */

import { FormatError } from '../errors.js';
import { orient, orientationOf } from '../image/orientation.js';
import type { Picture } from '../image/picture.js';
import { readFileBytes } from './file-bytes.js';
import { readBmpHeader } from './headers/bmp.js';
import { readGifHeader } from './headers/gif.js';
import { checkSize, type PictureHeader } from './headers/header.js';
import { readJpegHeader } from './headers/jpeg.js';
import { readPngHeader } from './headers/png.js';
import { type PictureType, sniffOther, sniffPicture } from './headers/sniff.js';
import { readTiffHeader } from './headers/tiff.js';

const HEADERS: Record<PictureType, (bytes: Uint8Array) => PictureHeader> = {
  'image/png': readPngHeader,
  'image/jpeg': readJpegHeader,
  'image/gif': readGifHeader,
  'image/bmp': readBmpHeader,
  'image/tiff': readTiffHeader,
};

/** Decoders' messages that mean no more than that the data stops early. */
const TRUNCATED =
  /unexpected end|marker was not found|shorter than expected|ran out of data|out of (range|bounds)|outside.*bounds|offset is outside|read requests wait|invalid block size|unrecognised content/i;

/**
 * Reads a picture file and turns it the way its EXIF orientation says.
 *
 * @throws {FormatError} in one line that names the file and the cause
 */
export async function readPicture(path: string): Promise<Picture> {
  return decodePicture(await readFileBytes(path, 'a picture'), path);
}

/**
 * Decodes the bytes of a picture file. What the pixels are is told by the bytes, not by the name.
 *
 * @param name what error messages call it
 * @throws {FormatError} in one line that names the file and the cause: not a picture, a kind that is
 * not supported, truncated or damaged, no pixels, or more than 100 megapixels (checked in the header,
 * before any pixel is decoded)
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  const type = sniffPicture(bytes);
  if (type === undefined) throw new FormatError(`${name}: ${whatElse(bytes)}`);
  const kind = type.slice('image/'.length).toUpperCase();
  try {
    const header = HEADERS[type](bytes);
    checkSize(header.width, header.height);
    const picture = await decodeWithJimp(type, header);
    return orient(picture, orientationOf(bytes));
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name}: ${error.message}`);
    // Decoders throw Errors, strings and RangeErrors of the arrays they overran.
    const message = error instanceof Error ? error.message : String(error);
    const cause = TRUNCATED.test(message) ? 'truncated or damaged' : 'damaged';
    throw new FormatError(`${name}: ${cause} ${kind} picture (${oneLine(message)})`, {
      cause: error,
    });
  }
}

async function decodeWithJimp(type: PictureType, header: PictureHeader): Promise<Picture> {
  const { defaultFormats } = await import('jimp');
  const format = defaultFormats.map((make) => make()).find(({ mime }) => mime === type);
  if (format === undefined) throw new FormatError(`jimp has no decoder for ${type}`);
  const { bytes, options } = header;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decode = format.decode as (data: Buffer, options?: object) => Picture | Promise<Picture>;
  const { data, width, height } = await quietly(() => decode(buffer, options));
  if (width * height * 4 !== data.length) {
    throw new FormatError(`${data.length} bytes of pixels for ${width}×${height}`);
  }
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height };
}

/**
 * Runs a decoder without letting it write on standard output: two of them tell what they find there.
 * A GIF that stops early is only told in this way, and decoded to noise.
 */
function quietly<T>(decode: () => T): T {
  const log = console.log;
  const said: string[] = [];
  console.log = (...words: unknown[]) => said.push(words.join(' '));
  try {
    const result = decode();
    const warning = said.find((words) => TRUNCATED.test(words));
    if (warning !== undefined) throw new Error(warning);
    return result;
  } finally {
    console.log = log;
  }
}

function whatElse(bytes: Uint8Array): string {
  const supported = 'PNG, JPEG, BMP, GIF or TIFF';
  const other = sniffOther(bytes);
  return other === undefined
    ? `not a picture (expected ${supported})`
    : `${other} cannot be read; convert it to ${supported}`;
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').slice(0, 120);
}
