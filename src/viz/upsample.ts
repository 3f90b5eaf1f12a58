/**
 * Bilinear upsampling of a map to the pixels of a picture: half-pixel centres (`align_corners = False`
 * of other frameworks), edges clamped. With map position u(o) = (o + ½ − start)·n/extent − ½, limited to
 * [0, n − 1], on each axis:
 *
 *   out[oy, ox] = Σ_{a,b ∈ {0,1}} |1 − a − ty|·|1 − b − tx| · map[iy + a, ix + b],    i = ⌊u⌋, t = u − i
 *
 *      map    |     0     |     1     |     2     |        n = 3
 *      out    |  0  |  1  |  2  |  3  |  4  |  5  |        u = −¼→0  ¼  ¾  1¼  1¾  2¼→2
 *
 * `start` and `extent` come from the region of the picture that the map covers. A pixel whose centre is
 * outside it was not seen, and becomes NaN.
 *
 * Versions: `upsampleBilinearReference`, the four taps of each pixel; `upsampleBilinear`, separable,
 * row by row (`RowUpsampler`). LOVI and the combination also work row by row, so that n maps of
 * a large picture are never in memory upsampled.
 */

import { ShapeError } from '../errors.js';
import type { Region } from '../image/picture.js';
import { checkMap, checkSize, type SaliencyMap } from './ndarray.js';

/**
 * Upsampling by the formula, with no tricks. Arguments as for `upsampleBilinear`.
 */
export function upsampleBilinearReference(
  out: Float32Array,
  size: readonly [number, number],
  map: SaliencyMap,
  region: Region = wholeOf(size),
): void {
  const [H, W] = size;
  const { data, stride, offset } = map;
  const [mapH, mapW] = map.shape as [number, number];
  const at = (iy: number, ix: number) => data[offset + iy * stride[0]! + ix * stride[1]!]!;
  for (let oy = 0; oy < H; oy++) {
    for (let ox = 0; ox < W; ox++) {
      const seenY = oy + 0.5 >= region.y && oy + 0.5 < region.y + region.height;
      const seenX = ox + 0.5 >= region.x && ox + 0.5 < region.x + region.width;
      const uy = clamp(((oy + 0.5 - region.y) * mapH) / region.height - 0.5, 0, mapH - 1);
      const ux = clamp(((ox + 0.5 - region.x) * mapW) / region.width - 0.5, 0, mapW - 1);
      const iy = Math.max(Math.min(Math.floor(uy), mapH - 2), 0);
      const ix = Math.max(Math.min(Math.floor(ux), mapW - 2), 0);
      const nextY = Math.min(iy + 1, mapH - 1);
      const nextX = Math.min(ix + 1, mapW - 1);
      const ty = uy - iy;
      const tx = ux - ix;
      const top = (1 - tx) * at(iy, ix) + tx * at(iy, nextX);
      const bottom = (1 - tx) * at(nextY, ix) + tx * at(nextY, nextX);
      out[oy * W + ox] = seenY && seenX ? (1 - ty) * top + ty * bottom : NaN;
    }
  }
}

/**
 * Upsamples one map: bilinear, half-pixel centres, edges clamped (formula above). Sums are kept in
 * double precision, so that no value leaves the range of the map.
 *
 * @param out float32 [H, W], row-major, overwritten.
 * @param size [H, W] of the picture, in pixels.
 * @param map [h, w], finite; a NaN in it spreads to every pixel next to it.
 * @param region the part of the picture that the map covers, in pixels; all of it by default.
 *   Pixels with their centre outside become NaN.
 * @throws ShapeError if extents, `out` or `region` do not fit.
 */
export function upsampleBilinear(
  out: Float32Array,
  size: readonly [number, number],
  map: SaliencyMap,
  region: Region = wholeOf(size),
): void {
  const [H, W] = size;
  const rows = new RowUpsampler('upsampleBilinear', size, map, region);
  if (out.length !== H * W) {
    throw new ShapeError(
      `upsampleBilinear: out expected length ${H * W} for [${H}, ${W}], got ${out.length}`,
    );
  }
  const row = new Float64Array(W);
  for (let oy = 0; oy < H; oy++) {
    row.fill(0);
    rows.add(row, oy);
    out.set(row, oy * W);
  }
}

/** The whole of a picture of `size` [H, W]. */
export function wholeOf(size: readonly [number, number]): Region {
  return { x: 0, y: 0, width: size[1], height: size[0] };
}

/**
 * One map, upsampled row by row; rows are cheapest if requested from top to bottom. A map row
 * is stretched to the picture's width once, and kept while output rows are between it and its
 * neighbour, or until the first row is requested again. Nothing is allocated after construction.
 */
export class RowUpsampler {
  readonly #map: SaliencyMap;
  readonly #x: AxisSamples;
  readonly #y: AxisSamples;
  readonly #weight: number;
  /** The stretched map rows #upperIy and its successor, as [W]. */
  #upper: Float64Array;
  #lower: Float64Array;
  #upperIy = -2; // neither row 0 nor its predecessor

  /**
   * @param weight that of the map in the sum
   * @throws ShapeError, in the name of `operation`, if an extent or the region does not fit.
   */
  constructor(
    operation: string,
    size: readonly [number, number],
    map: SaliencyMap,
    region: Region = wholeOf(size),
    weight = 1,
  ) {
    checkUpsampling(operation, size, map, region);
    const [H, W] = size;
    this.#map = map;
    this.#weight = weight;
    this.#y = sampleAxis(H, map.shape[0]!, region.y, region.height);
    this.#x = sampleAxis(W, map.shape[1]!, region.x, region.width, map.stride[1]!);
    this.#upper = new Float64Array(W);
    this.#lower = new Float64Array(W);
  }

  /**
   * row[ox] += weight · up(map)[oy, ox] for all ox; NaN if the map does not cover the pixel.
   *
   * @param row float64 [W].
   */
  add(row: Float64Array, oy: number): void {
    const { first, last } = this.#x;
    // From the top again: the map may have changed.
    if (oy === this.#y.first) this.#upperIy = -2;
    if (oy < this.#y.first || oy >= this.#y.last) {
      row.fill(NaN);
      return;
    }
    this.#seek(this.#y.index[oy]!);
    const t = this.#y.fraction[oy]!;
    const upper = this.#upper;
    const lower = this.#lower;
    const ofUpper = this.#weight * (1 - t);
    const ofLower = this.#weight * t;
    // Most of the time is spent here; four at a time make the whole combination a fifth faster (measured, Node 20).
    let ox = first;
    for (; ox + 3 < last; ox += 4) {
      row[ox]! += ofUpper * upper[ox]! + ofLower * lower[ox]!;
      row[ox + 1]! += ofUpper * upper[ox + 1]! + ofLower * lower[ox + 1]!;
      row[ox + 2]! += ofUpper * upper[ox + 2]! + ofLower * lower[ox + 2]!;
      row[ox + 3]! += ofUpper * upper[ox + 3]! + ofLower * lower[ox + 3]!;
    }
    for (; ox < last; ox++) row[ox]! += ofUpper * upper[ox]! + ofLower * lower[ox]!;
    row.fill(NaN, 0, first);
    row.fill(NaN, last);
  }

  /** Makes `#upper` the map row `iy`, and `#lower` the next. */
  #seek(iy: number): void {
    if (iy === this.#upperIy) return;
    if (iy === this.#upperIy + 1) {
      const upper = this.#upper;
      this.#upper = this.#lower;
      this.#lower = upper;
    } else {
      this.#stretch(this.#upper, iy);
    }
    this.#stretch(this.#lower, Math.min(iy + 1, this.#map.shape[0]! - 1));
    this.#upperIy = iy;
  }

  /** Map row `iy` at the picture's width. */
  #stretch(out: Float64Array, iy: number): void {
    const { data, stride, offset, shape } = this.#map;
    const { first, last, index, fraction } = this.#x;
    const rowBase = offset + iy * stride[0]!;
    // A pixel's two neighbours are this far apart.
    const toNext = shape[1]! > 1 ? stride[1]! : 0;
    for (let ox = first; ox < last; ox++) {
      const left = rowBase + index[ox]!;
      const t = fraction[ox]!;
      // Two products instead of a + t(b − a): the result stays within [a, b] for any magnitudes.
      out[ox] = (1 - t) * data[left]! + t * data[left + toNext]!;
    }
  }
}

/** The positions of one axis's output pixels between those of the map. */
interface AxisSamples {
  /** Output pixels first … last − 1 are covered. */
  readonly first: number;
  readonly last: number;
  /** The map pixel before, times its stride; if there are two or more, at most the last but one. */
  readonly index: Int32Array;
  /** The share of the pixel after it, in [0, 1]. */
  readonly fraction: Float64Array;
}

function sampleAxis(
  outExtent: number,
  n: number,
  start: number,
  extent: number,
  stride = 1,
): AxisSamples {
  const first = clamp(Math.ceil(start - 0.5), 0, outExtent);
  const last = clamp(Math.ceil(start + extent - 0.5), first, outExtent);
  const index = new Int32Array(outExtent);
  const fraction = new Float64Array(outExtent);
  for (let o = first; o < last; o++) {
    const u = clamp(((o + 0.5 - start) * n) / extent - 0.5, 0, n - 1);
    const i = Math.max(Math.min(Math.floor(u), n - 2), 0);
    index[o] = i * stride;
    fraction[o] = u - i;
  }
  return { first, last, index, fraction };
}

/** @throws ShapeError, in the name of `operation`, if an extent or the region does not fit. */
export function checkUpsampling(
  operation: string,
  size: readonly [number, number],
  map: SaliencyMap,
  { x, y, width, height }: Region,
): void {
  checkSize(operation, size);
  checkMap(operation, map);
  if (!(Number.isFinite(x + y + width + height) && width > 0 && height > 0)) {
    throw new ShapeError(
      `${operation}: region expected finite numbers and a positive extent, got ${width}×${height} at (${x}, ${y})`,
    );
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
