/**
 * Pictures at a size for looking at: shrunk by averaging, or enlarged by whole pixels (enlarge.ts).
 * Neither invents detail. (What the *network* sees is resized elsewhere, as its training did.)
 */

import { createPicture, type Picture, pixelsOf } from '../../image/picture.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest size of the same aspect inside `box`², at least one pixel, never larger than given. */
export function fitInside({ width, height }: Size, box: number): Size {
  const scale = Math.min(1, box / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** The whole factor by which a small picture is enlarged so that its long side nears `box`. */
export function enlargement({ width, height }: Size, box: number): number {
  return Math.max(1, Math.floor(box / Math.max(width, height)));
}

/**
 * Each output pixel is the mean of the area that it covers, to a level; a source pixel that two share counts for each
 * by the part that it covers.
 *
 * Rows are summed first, red and blue in the halves of one number: of 12 megapixels to 2 that takes a third of the time
 * of sums for each channel. So what a row counts is a whole number, of which a sum has 256 in all.
 *
 * @param picture opaque, no smaller than `size`, and less than 256 times as high
 */
export function shrinkPicture(picture: Picture, size: Size): Picture {
  const { width, height } = picture;
  if (width === size.width && height === size.height) return picture;
  const pixels = pixelsOf(picture);
  const shrunk = createPicture(size.width, size.height);
  const redBlue = new Uint32Array(width);
  const green = new Uint32Array(width);
  const step = height / size.height;
  const unit = Math.floor(MOST_WEIGHT / step);
  for (let oy = 0; oy < size.height; oy++) {
    const top = oy * step;
    const bottom = Math.min(height, top + step);
    redBlue.fill(0);
    green.fill(0);
    let total = 0;
    for (let y = Math.floor(top); y < bottom; y++) {
      const weight = Math.round(unit * (Math.min(bottom, y + 1) - Math.max(top, y)));
      addRow(redBlue, green, pixels, y * width, weight);
      total += weight;
    }
    meansAcross(shrunk, oy, redBlue, green, total);
  }
  return shrunk;
}

/** Times 255 it fits into 16 bits. */
const MOST_WEIGHT = 256;

function addRow(
  redBlue: Uint32Array,
  green: Uint32Array,
  pixels: Uint32Array,
  row: number,
  weight: number,
): void {
  for (let x = 0; x < redBlue.length; x++) {
    const pixel = pixels[row + x]!;
    redBlue[x]! += Math.imul(pixel & 0xff00ff, weight);
    green[x]! += Math.imul((pixel >> 8) & 0xff, weight);
  }
}

/** Row `oy` of means: each pixel takes its stretch of the sums, whose rows count `total`. */
function meansAcross(
  { data, width }: Picture,
  oy: number,
  redBlue: Uint32Array,
  green: Uint32Array,
  total: number,
): void {
  const out = new Uint8Array(data.buffer, data.byteOffset, data.length);
  const step = redBlue.length / width;
  const share = 1 / (step * total);
  for (let ox = 0, o = 4 * oy * width; ox < width; ox++, o += 4) {
    const left = ox * step;
    const right = Math.min(redBlue.length, left + step);
    let r = 0.5;
    let g = 0.5;
    let b = 0.5;
    for (let x = Math.floor(left); x < right; x++) {
      const weight = share * (Math.min(right, x + 1) - Math.max(left, x));
      const both = redBlue[x]!;
      r += weight * (both & 0xffff);
      g += weight * green[x]!;
      b += weight * (both >>> 16);
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
    out[o + 3] = 255;
  }
}
