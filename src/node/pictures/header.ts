/**
 * The facts that are read from a picture's header before any pixel is decoded. They are enough to refuse
 * a file that does not fit in memory, that a decoder reads wrong, or that it would read past its end.
 */

import { FormatError } from '../../errors.js';

/** Stored size in pixels, before any orientation is applied. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A file that may be valid, of a kind that no decoder here reads. */
export class UnreadableKindError extends FormatError {}

/** A picture with more pixels than the limit. */
export class TooManyPixelsError extends FormatError {
  override readonly name: string = 'TooManyPixelsError';
}

/**
 * The most pixels that are decoded, 100 megapixels: 400 MB as RGBA. A file of a hundred bytes can claim
 * any size in its header.
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

/** A view that throws RangeError at the end of the file. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `length` bytes from `at` as Latin-1 text; shorter at the end of the file. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
