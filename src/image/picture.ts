/**
 * Pictures: RGBA bytes with a width and a height. `ImageData` and the bitmap of a jimp image can be
 * used directly.
 */

import { expectWhole, kindOf, refuseKind, ShapeError } from '../errors.js';

/** RGBA, 4 bytes a pixel, row-major, alpha not premultiplied. */
export interface Picture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest size of the same aspect ratio inside `box`²: at least one pixel, and never larger than the given size. */
export function fitInside({ width, height }: Size, box: number): Size {
  const scale = Math.min(1, box / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** A picture with its own bytes, not shared: `new ImageData(data, width, height)` accepts them. */
export interface DrawnPicture extends Picture {
  /** Written so that newer TypeScript sees `Uint8ClampedArray<ArrayBuffer>`, and older TypeScript still compiles. */
  readonly data: ReturnType<Uint8ClampedArrayConstructor['of']>;
}

/**
 * A rectangle in pixels of the source picture; edges may be fractional. It is the part of the
 * picture that a network saw. Pixel (x, y) is inside if its centre (x + ½, y + ½) is.
 */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A black, transparent picture. Its bytes round and clamp values that are written. */
export function createPicture(width: number, height: number): DrawnPicture {
  return { data: new Uint8ClampedArray(4 * width * height), width, height };
}

/**
 * Makes sure that `picture` has as many bytes as its extents need.
 *
 * @throws TypeError if it is not a picture, ShapeError if its extents do not fit.
 */
export function checkPicture(operation: string, picture: Picture): void {
  const kind = kindOf(picture?.data);
  if (kind !== 'Uint8Array' && kind !== 'Uint8ClampedArray') {
    const expected = '{ data, width, height } of RGBA bytes, or a tensor { data, shape } of floats';
    refuseKind(`${operation}: picture`, expected, picture?.data ?? picture);
  }
  const { data, width, height } = picture;
  expectWhole(operation, { width, height });
  if (data.length !== 4 * width * height) {
    throw new ShapeError(
      `${operation}: picture expected ${4 * width * height} bytes for ${width}×${height} RGBA, got ${data.length}`,
    );
  }
}

/**
 * A picture's pixels as one number each, red in the lowest byte on all current machines. For many pixels this takes a
 * third of the time of four bytes. They share the picture's memory, or are a copy if its bytes are not aligned.
 */
export function pixelsOf({ data }: Picture): Uint32Array {
  const { buffer, byteOffset } = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Uint32Array(buffer, byteOffset, data.length / 4);
}

/**
 * The grey of a pixel that the network did not see: diagonal stripes, 112 and 144, 4 pixels wide.
 * Stripes, because an even grey is a colour of cividis, and in LOVI means "all scales alike".
 */
export function unseenGrey(x: number, y: number): number {
  return (x + y) & 4 ? 144 : 112;
}

/** The picture itself if it is opaque, else a copy over white. */
export function overWhite(picture: Picture): Picture {
  const { data, width, height } = picture;
  const pixels = pixelsOf(picture);
  let p = 0;
  // Do not read past the end: the engine would then drop its fast code.
  while (p < pixels.length && pixels[p]! >>> 24 === 255) p++;
  if (p === pixels.length) return picture;
  const flat = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]! / 255;
    for (let c = 0; c < 3; c++) flat[i + c] = Math.round(255 + (data[i + c]! - 255) * alpha);
    flat[i + 3] = 255;
  }
  return { data: flat, width, height };
}
