/** Picture files → RGBA pixels. docs/pictures.md says which decoder reads which format. */

import { FormatError, refuseKind, ShapeError, UnsupportedError } from '../../errors.js';
import { orient } from '../../image/orientation.js';
import { readFileBytes } from '../file-bytes.js';
import { AVIF } from './avif.js';
import { BMP } from './bmp.js';
import type { DecodedPicture, DecodeOptions, KnownOfPicture, PictureFormat } from './format.js';
import { GIF } from './gif.js';
import { checkSize, MAX_PIXELS, TooManyPixelsError, UnreadableKindError } from './header.js';
import { JPEG } from './jpeg.js';
import { nameOfKind } from './other-kinds.js';
import { PNG } from './png.js';
import { decodeWithSharp, findSharp, look } from './sharp.js';
import { TIFF } from './tiff.js';
import { WEBP } from './webp.js';

const FORMATS: readonly PictureFormat[] = [JPEG, PNG, WEBP, AVIF, GIF, TIFF, BMP];
const READ = 'JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP';

/** Messages of decoders that only mean that the data stops early. */
const TRUNCATED =
  /unexpected end|marker was not found|shorter than expected|ran out of data|out of (range|bounds)|outside.*bounds|offset is outside|invalid block size|cannot be decoded/i;

/**
 * Reads a picture file and applies its orientation.
 *
 * @throws {FormatError} in one line that names the file and the cause
 */
export async function readPicture(path: string, options?: DecodeOptions): Promise<DecodedPicture> {
  return decodePicture(await readFileBytes(path, 'a picture'), path, options);
}

/**
 * Decodes the bytes of a picture file. The bytes decide the format, not the name.
 *
 * @param name its name in error messages
 * @throws {FormatError} in one line that names the file and the cause: not a picture, an unsupported
 * kind, truncated or damaged, no pixels
 * @throws {TooManyPixelsError}, a FormatError, for more than `maxPixels`: checked in the header, before
 * pixels are decoded
 * @throws {TypeError} if it is not a Uint8Array, or has no name
 * @throws {UnsupportedError} if the decoder is a package that is not installed
 * @throws {ShapeError} for an empty range, or a `maxPixels` that is not a number from 1 to 100 million
 */
export async function decodePicture(
  bytes: Uint8Array,
  name: string,
  options: DecodeOptions = {},
): Promise<DecodedPicture> {
  if (!(bytes instanceof Uint8Array)) refuseKind('decodePicture: bytes', 'a Uint8Array', bytes);
  if (typeof name !== 'string') {
    refuseKind('decodePicture: name', 'what messages call the file', name);
  }
  checkOptions(options);
  const format = FORMATS.find((one) => one.matches(bytes));
  try {
    if (format === undefined) return await decodeOther(bytes, options);
    return await decodeFormat(format, bytes, options);
  } catch (error) {
    throw namedError(error, name, format?.name ?? nameOfKind(bytes));
  }
}

/** The error of a decoder as one line that begins with the name of the file. @param kind of the picture */
export function namedError(error: unknown, name: string, kind: string | undefined): Error {
  if (error instanceof FormatError) {
    const Kind = error instanceof TooManyPixelsError ? TooManyPixelsError : FormatError;
    return new Kind(`${name}: ${oneLine(error.message)}`);
  }
  if (error instanceof UnsupportedError) {
    return new UnsupportedError(`${name}: ${error.message}`, { cause: error.cause });
  }
  // Decoders throw Errors, strings, and RangeErrors of arrays that they overran.
  const message = error instanceof Error ? error.message : String(error);
  const cause = TRUNCATED.test(message) ? 'truncated or damaged' : 'damaged';
  return new FormatError(`${name}: ${cause} ${kind} picture (${oneLine(message).slice(0, 120)})`, {
    cause: error,
  });
}

function checkOptions({ sampleRange, maxPixels = MAX_PIXELS }: DecodeOptions): void {
  if (!(maxPixels >= 1 && maxPixels <= MAX_PIXELS)) {
    throw new ShapeError(`maxPixels: expected 1…${MAX_PIXELS}, got ${maxPixels}`);
  }
  if (sampleRange === undefined || sampleRange === 'min-max') return;
  const [black, white] = sampleRange;
  if (white > black && Number.isFinite(white - black)) return;
  throw new ShapeError(`sampleRange: expected black < white, got ${black}, ${white}`);
}

async function decodeFormat(
  format: PictureFormat,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedPicture> {
  try {
    const header = format.readHeader(bytes);
    checkSize(header.width, header.height, 'the picture', options.maxPixels);
    // If sharp refuses a picture, the decoder here reads it or gives its own error.
    const known = format.forSharp(header);
    const fromSharp = known && (await triedWithSharp(bytes, options, known));
    if (fromSharp !== undefined) return fromSharp;
    const decoded = await format.decode(bytes, header, options);
    return { ...decoded, ...orient(decoded, format.orientationOf(bytes)) };
  } catch (error) {
    if (!(error instanceof UnreadableKindError)) throw error;
    const picture = await triedWithSharp(bytes, options);
    if (picture !== undefined) return picture;
    throw refusal(error.message, (await findSharp()) !== undefined);
  }
}

/** Pictures that only sharp may read. */
async function decodeOther(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedPicture> {
  const kind = nameOfKind(bytes);
  const picture = await triedWithSharp(bytes, options);
  if (picture !== undefined) return picture;
  if (kind === undefined) throw new FormatError(`not a picture (expected ${READ})`);
  throw refusal(kind, (await findSharp()) !== undefined);
}

/** @returns undefined without sharp, or if it refuses. @throws {FormatError} for a size that is not decoded */
async function triedWithSharp(
  bytes: Uint8Array,
  { maxPixels }: DecodeOptions,
  known?: KnownOfPicture,
): Promise<DecodedPicture | undefined> {
  const sharp = await findSharp();
  if (sharp === undefined) return undefined;
  try {
    return await decodeWithSharp(sharp, bytes, known ?? (await look(sharp, bytes, maxPixels)));
  } catch (error) {
    // Too large, or without pixels: reported before sharp decodes it.
    if (error instanceof FormatError) throw error;
    return undefined;
  }
}

function refusal(kind: string, hasSharp: boolean): FormatError {
  const what = hasSharp
    ? 'cannot be read, nor by the sharp that is installed: convert it to PNG or JPEG'
    : 'cannot be read: convert it to PNG or JPEG, or install sharp beside fastcam';
  return new FormatError(`${kind} ${what}`);
}

/** Messages may contain bytes of the file. */
function oneLine(message: string): string {
  return message.replace(/[\s\p{Cc}]+/gu, ' ');
}
