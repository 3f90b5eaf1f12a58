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
 * Each output pixel is the mean of the area that it covers; a source pixel that two share counts for each by the part
 * that it covers. Rows are summed as they come, so that no array of the source's size is held.
 *
 * @param picture opaque, no smaller than `size`
 */
export function shrinkPicture(picture: Picture, size: Size): Picture {
  if (picture.width === size.width && picture.height === size.height) return picture;
  const pixels = pixelsOf(picture);
  const across = stretchesOf(picture.width, size.width);
  const down = stretchesOf(picture.height, size.height);
  const shrunk = createPicture(size.width, size.height);
  const bytes = new Uint8Array(shrunk.data.buffer);
  const sums = new Float64Array(4 * size.width);
  for (let oy = 0; oy < size.height; oy++) {
    sums.fill(0);
    const [first, last] = [down.first[oy]!, down.last[oy]!];
    for (let iy = first; iy <= last; iy++) {
      const weight = iy === first ? down.firstWeight[oy]! : iy === last ? down.lastWeight[oy]! : 1;
      addRow(sums, pixels, iy * picture.width, across, weight / (across.length * down.length));
    }
    const row = 4 * oy * size.width;
    for (let i = 0; i < sums.length; i++) bytes[row + i] = sums[i]! + 0.5;
  }
  return shrunk;
}

/** What output pixels cover along an axis. */
interface Stretches {
  /** The pixels that are touched, first … last. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** The covered part of the first and of the last; those between are whole. */
  readonly firstWeight: Float64Array;
  readonly lastWeight: Float64Array;
  /** Of each, in source pixels. */
  readonly length: number;
}

function stretchesOf(from: number, to: number): Stretches {
  const length = from / to;
  const first = new Int32Array(to);
  const last = new Int32Array(to);
  const firstWeight = new Float64Array(to);
  const lastWeight = new Float64Array(to);
  for (let o = 0; o < to; o++) {
    const left = o * length;
    const right = Math.min(from, left + length);
    first[o] = Math.floor(left);
    last[o] = Math.max(first[o]!, Math.ceil(right) - 1);
    firstWeight[o] = Math.min(right, first[o]! + 1) - left;
    // Where the first is the last, it is all there is.
    lastWeight[o] = last[o] === first[o] ? 0 : right - last[o]!;
  }
  return { first, last, firstWeight, lastWeight, length };
}

/** One source row, from pixel `row` on, onto one row of sums [w, 4]. */
function addRow(
  sums: Float64Array,
  pixels: Uint32Array,
  row: number,
  { first, last, firstWeight, lastWeight }: Stretches,
  weight: number,
): void {
  for (let o = 0, out = 0; o < first.length; o++, out += 4) {
    const begin = row + first[o]!;
    const end = row + last[o]!;
    let pixel = pixels[begin]!;
    let share = firstWeight[o]!;
    let r = share * (pixel & 255);
    let g = share * ((pixel >> 8) & 255);
    let b = share * ((pixel >> 16) & 255);
    for (let i = begin + 1; i < end; i++) {
      pixel = pixels[i]!;
      r += pixel & 255;
      g += (pixel >> 8) & 255;
      b += (pixel >> 16) & 255;
    }
    pixel = pixels[end]!;
    share = lastWeight[o]!;
    sums[out]! += weight * (r + share * (pixel & 255));
    sums[out + 1]! += weight * (g + share * ((pixel >> 8) & 255));
    sums[out + 2]! += weight * (b + share * ((pixel >> 16) & 255));
    sums[out + 3] = 255;
  }
}
