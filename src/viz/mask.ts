/**
 * Masks: the most salient pixels of a map. The reference keeps map > t, with the threshold
 * t = sorted(map ascending)[⌊N·(1 − p)⌋]. That is N − 1 − ⌊N·(1 − p)⌋ pixels if no values are equal, and fewer
 * if some are: none for a constant map. Here the count is always this number, because equal values are
 * taken in index order.
 */

import { ShapeError } from '../errors.js';
import { checkMap, type NdArray, type SaliencyMap, toNdArray } from './ndarray.js';

/** Larger than the rounding error of N·p for the N of any picture, in pixels: 1e8 · 2⁻⁵³ is far below. */
const COUNT_SLACK = 1e-6;

/**
 * How many of `N` pixels a mask of `fraction` keeps: N − 1 − ⌊N·(1 − p)⌋, which is ⌈N·p⌉ − 1; none for 0,
 * and all for 1. So it keeps none if N ≤ 1/p: for a 1×1 picture any p < 1 keeps nothing.
 *
 * @throws ShapeError if the fraction is outside [0, 1].
 */
export function keptCount(N: number, fraction: number): number {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new ShapeError(`keepMask: fraction expected 0…1, got ${fraction}`);
  }
  if (fraction === 1) return N;
  return Math.max(0, Math.ceil(N * fraction - COUNT_SLACK) - 1);
}

/**
 * Marks the `keptCount` most salient pixels. Of equal values, the lower index (row-major) is
 * kept first. NaN, the mark of a pixel that was not seen, is neither counted nor kept.
 *
 * Method: the bits of float32 numbers, as integers, have the order of the numbers, once those of negative
 * numbers are flipped. A histogram of the upper 16 bits finds the bin of the threshold. A second one of the
 * lower 16 bits inside that bin finds the threshold itself. Three passes, no sort.
 *
 * @param map [H, W].
 * @param fraction p, the part of the pixels to keep, 0…1.
 * @returns uint8 [H, W], 1 where kept and 0 elsewhere.
 * @throws ShapeError if the fraction is outside [0, 1] or the map has no pixels.
 */
export function keepMask(map: SaliencyMap, fraction: number): NdArray<Uint8Array> {
  checkMap('keepMask', map);
  const [H, W] = map.shape as [number, number];
  const keys = sortableBits(map);
  const kept = new Uint8Array(H * W);

  const histogram = new Uint32Array(1 << 16);
  let seen = 0;
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === NOT_SEEN) continue;
    histogram[keys[i]! >>> 16]!++;
    seen++;
  }
  let wanted = keptCount(seen, fraction);
  if (wanted === 0) return toNdArray(kept, [H, W]);

  const bin = binFromTop(histogram, wanted);
  wanted -= bin.above;
  histogram.fill(0);
  for (let i = 0; i < keys.length; i++) {
    if (keys[i]! >>> 16 === bin.index) histogram[keys[i]! & 0xffff]!++;
  }
  const within = binFromTop(histogram, wanted);
  wanted -= within.above;

  // All pixels above the threshold, and as many equal to it as are still needed.
  const threshold = bin.index * 0x10000 + within.index;
  for (let i = 0; i < keys.length; i++) {
    if (keys[i]! > threshold || (keys[i] === threshold && wanted-- > 0)) kept[i] = 1;
  }
  return toNdArray(kept, [H, W]);
}

/** The key of NaN: below that of −∞, 0x007fffff. */
const NOT_SEEN = 0;

/** Unsigned integers in the order of the map's values, row-major; −0 counts as 0. */
function sortableBits(map: SaliencyMap): Uint32Array {
  const { data, stride, offset } = map;
  const [H, W] = map.shape as [number, number];
  const values = new Float32Array(H * W);
  const keys = new Uint32Array(values.buffer);
  for (let y = 0; y < H; y++) {
    const rowBase = offset + y * stride[0]!;
    for (let x = 0; x < W; x++) values[y * W + x] = data[rowBase + x * stride[1]!]! + 0;
  }
  for (let i = 0; i < keys.length; i++) {
    const bits = keys[i]!;
    const flipped = bits >>> 31 ? ~bits : bits | 0x80000000;
    keys[i] = (bits & 0x7fffffff) > 0x7f800000 ? NOT_SEEN : flipped;
  }
  return keys;
}

/** The bin of the `wanted`-th value from the top, and how many values are in the bins above. */
function binFromTop(histogram: Uint32Array, wanted: number): { index: number; above: number } {
  let above = 0;
  let index = histogram.length - 1;
  while (above + histogram[index]! < wanted) above += histogram[index--]!;
  return { index, above };
}
