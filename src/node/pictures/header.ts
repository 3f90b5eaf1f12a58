/**
 * What is read from a picture's header before any pixel is decoded: enough to refuse a file that
 * would not fit in memory, that the decoders would get wrong, or that they would read past its end.
 */

import { FormatError } from '../../errors.js';

/** Stored size in pixels, before any orientation is applied. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A file that may be sound, of a kind that no decoder here reads. */
export class UnreadableKindError extends FormatError {}

/** A picture of more pixels than are decoded. */
export class TooManyPixelsError extends FormatError {
  override readonly name: string = 'TooManyPixelsError';
}

/**
 * The most pixels that are decoded, 100 megapixels: 400 MB as RGBA. A header may claim any size in a
 * file of a hundred bytes.
 */
export const MAX_PIXELS = 100_000_000;

/** Throws for a picture without pixels or with more than `most`. `what` names the rectangle. */
export function checkSize(
  width: number,
  height: number,
  what = 'the picture',
  most: number = MAX_PIXELS,
): void {
  if (width === 0 || height === 0) {
    throw new FormatError(`${what} has no pixels (${width}×${height})`);
  }
  if (width * height > most) {
    const megapixels = Number(((width * height) / 1e6).toPrecision(3));
    throw new TooManyPixelsError(
      `${what} is ${width}×${height}, ${megapixels} megapixels; at most ${most / 1e6} are decoded: make it smaller first`,
    );
  }
}

/** A view that throws RangeError where the file ends. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `length` bytes from `at` as Latin-1 text, shorter where the file ends. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
