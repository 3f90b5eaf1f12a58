/**
 * Pictures and maps at a size for looking at: shrunk by averaging, or enlarged by whole pixels.
 * Neither invents detail. (What the *network* sees is resized elsewhere, as its training did.)
 */

import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import type { Picture } from '../../image/picture.js';
import { type FlatArray, type SaliencyMap, toNdArray } from '../../viz/ndarray.js';

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

/** Each output pixel is the mean of the area that it covers. `size` must not exceed the picture's. */
export function shrinkPicture(picture: Picture, size: Size): Picture {
  if (picture.width === size.width && picture.height === size.height) return picture;
  const { buffer, byteOffset, length } = picture.data;
  // One kind of array, whichever the picture has: the engine makes its code for one.
  const mean = areaMeans(new Uint8Array(buffer, byteOffset, length), picture, 4, size);
  return { data: Uint8ClampedArray.from(mean), ...size };
}

/** As `shrinkPicture`. An output pixel that touches a NaN is NaN: what was not seen stays unseen. */
export function shrinkMap(map: SaliencyMap, size: Size): SaliencyMap {
  const [height, width] = map.shape as [number, number];
  if (width === size.width && height === size.height) return map;
  const mean = areaMeans(map.data, { width, height }, 1, size);
  return toNdArray(mean, [size.height, size.width]);
}

/** Every pixel becomes a square of `factor`² pixels: one strided assignment for each of them. */
export function enlargePicture(picture: Picture, factor: number): Picture {
  if (factor === 1) return picture;
  const { width, height } = picture;
  const size = { width: width * factor, height: height * factor };
  const data = new Uint8Array(4 * size.width * size.height);
  const source = ndarray(picture.data, [height, width, 4]);
  const out = ndarray(data, [size.height, size.width, 4]);
  for (let dy = 0; dy < factor; dy++) {
    for (let dx = 0; dx < factor; dx++) {
      ops.assign(out.lo(dy, dx, 0).step(factor, factor, 1), source);
    }
  }
  return { data, ...size };
}

/**
 * Area means of interleaved channels [H, W, C] → [h, w, C]. A source pixel that two output pixels
 * share counts for each by the part that it covers. Rows are summed down first, so that no more than one
 * row of sums is held.
 */
function areaMeans(x: FlatArray, from: Size, channels: number, to: Size): Float32Array {
  const rowLength = from.width * channels;
  const step = from.height / to.height;
  const sums = new Float32Array(rowLength);
  const out = new Float32Array(to.width * to.height * channels);
  for (let oy = 0; oy < to.height; oy++) {
    const top = oy * step;
    const bottom = Math.min(from.height, top + step);
    sums.fill(0);
    for (let iy = Math.floor(top); iy < bottom; iy++) {
      const weight = (Math.min(bottom, iy + 1) - Math.max(top, iy)) / step;
      addRow(sums, x, iy * rowLength, weight);
    }
    const outRow = oy * to.width * channels;
    for (let c = 0; c < channels; c++) {
      meanAcross(out, outRow + c, sums, c, channels, from.width, to.width);
    }
  }
  return out;
}

function addRow(sums: Float32Array, x: FlatArray, row: number, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += weight * x[row + i]!;
}

/** One channel of one row: each output pixel takes its stretch of it. */
function meanAcross(
  out: Float32Array,
  outBegin: number,
  sums: Float32Array,
  begin: number,
  channels: number,
  width: number,
  outWidth: number,
): void {
  const step = width / outWidth;
  for (let ox = 0; ox < outWidth; ox++) {
    const left = ox * step;
    const right = Math.min(width, left + step);
    const first = Math.floor(left);
    // What the edges have too much is taken off, and an edge that is not touched is none.
    const last = Math.ceil(right) - 1;
    let sum = 0;
    for (let i = first; i <= last; i++) sum += sums[begin + i * channels]!;
    sum -= (left - first) * sums[begin + first * channels]!;
    sum -= (last + 1 - right) * sums[begin + last * channels]!;
    out[outBegin + ox * channels] = sum / step;
  }
}
