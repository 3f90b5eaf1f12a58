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
 * share counts for each by the part that it covers. Rows are summed as they come, so that no array of
 * the source's size is held.
 */
function areaMeans(x: FlatArray, from: Size, channels: number, to: Size): Float32Array {
  const stepX = from.width / to.width;
  const stepY = from.height / to.height;
  const across = stretches(from.width, to.width);
  const sums = channels === 4 ? addPixels : addValues;
  const out = new Float32Array(to.width * to.height * channels);
  for (let oy = 0; oy < to.height; oy++) {
    const top = oy * stepY;
    const bottom = Math.min(from.height, top + stepY);
    const outRow = out.subarray(oy * to.width * channels, (oy + 1) * to.width * channels);
    for (let iy = Math.floor(top); iy < bottom; iy++) {
      const rowWeight = Math.min(bottom, iy + 1) - Math.max(top, iy);
      const rowLength = from.width * channels;
      sums(outRow, x.subarray(iy * rowLength, (iy + 1) * rowLength), across, rowWeight);
    }
  }
  const area = stepX * stepY;
  for (let i = 0; i < out.length; i++) out[i]! /= area;
  return out;
}

/** Which stretch of a source row each output pixel covers. */
interface Stretches {
  /** Pixels first … last are touched. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** The share of the first that is covered, and of the last; those between are whole. */
  readonly firstWeight: Float64Array;
  readonly lastWeight: Float64Array;
}

function stretches(from: number, to: number): Stretches {
  const step = from / to;
  const first = new Int32Array(to);
  const last = new Int32Array(to);
  const firstWeight = new Float64Array(to);
  const lastWeight = new Float64Array(to);
  for (let o = 0; o < to; o++) {
    const left = o * step;
    const right = Math.min(from, left + step);
    first[o] = Math.floor(left);
    last[o] = Math.ceil(right) - 1;
    firstWeight[o] = Math.min(right, first[o]! + 1) - left;
    // Of a stretch within one pixel the first weight is all there is.
    lastWeight[o] = last[o]! > first[o]! ? right - last[o]! : 0;
  }
  return { first, last, firstWeight, lastWeight };
}

type AddRow = (out: Float32Array, row: FlatArray, across: Stretches, rowWeight: number) => void;

/** One source row onto one output row: each output pixel takes its stretch of it. */
const addValues: AddRow = (out, row, { first, last, firstWeight, lastWeight }, rowWeight) => {
  for (let o = 0; o < out.length; o++) {
    const begin = first[o]!;
    const end = last[o]!;
    let sum = firstWeight[o]! * row[begin]!;
    for (let i = begin + 1; i < end; i++) sum += row[i]!;
    if (end > begin) sum += lastWeight[o]! * row[end]!;
    out[o]! += rowWeight * sum;
  }
};

/** The same of RGBA pixels, whose four channels are summed beside each other. */
const addPixels: AddRow = (out, row, { first, last, firstWeight, lastWeight }, rowWeight) => {
  for (let o = 0; o < first.length; o++) {
    const begin = 4 * first[o]!;
    const end = 4 * last[o]!;
    const weight = firstWeight[o]!;
    let r = weight * row[begin]!;
    let g = weight * row[begin + 1]!;
    let b = weight * row[begin + 2]!;
    let a = weight * row[begin + 3]!;
    for (let i = begin + 4; i < end; i += 4) {
      r += row[i]!;
      g += row[i + 1]!;
      b += row[i + 2]!;
      a += row[i + 3]!;
    }
    if (end > begin) {
      const lastOf = lastWeight[o]!;
      r += lastOf * row[end]!;
      g += lastOf * row[end + 1]!;
      b += lastOf * row[end + 2]!;
      a += lastOf * row[end + 3]!;
    }
    out[4 * o]! += rowWeight * r;
    out[4 * o + 1]! += rowWeight * g;
    out[4 * o + 2]! += rowWeight * b;
    out[4 * o + 3]! += rowWeight * a;
  }
};
