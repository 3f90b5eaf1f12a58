/**
 * How similarly two maps rank their pixels. Only the order of the values counts: nothing here changes
 * when a map goes through a strictly increasing function.
 *
 *   Kendall's τ-b    (alike − opposed)/√((pairs − tied in a)·(pairs − tied in b))
 *   Spearman's ρ     correlation of the ranks, equal values sharing the mean of theirs
 *   top overlap      |top of a ∩ top of b| / count
 *
 * NaN marks a pixel that was not seen: a pixel that is NaN in one map is left out of both.
 *
 * A constant map has no order. Two constant maps agree: 1. A constant map and one that varies have
 * nothing in common: 0. Maps with fewer than two pixels are constant.
 *
 * Source: M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945) 239–251, for
 * τ-b; W. R. Knight, "A computer method for calculating Kendall's tau with ungrouped data", Journal of
 * the American Statistical Association 61 (1966) 436–439, for counting pairs by a merge sort.
 */

import { ShapeError } from '../errors.js';
import type { MapValues } from '../viz/normalize.js';

/** Rounding of N·share for the N of any picture, in pixels. */
const COUNT_SLACK = 1e-6;

/**
 * Kendall's τ-b of two maps: (pairs of pixels in the same order − pairs in the opposite order) divided
 * by the pairs that are tied in neither map.
 *
 * Pairs are whole numbers below 2⁵³ up to 130 million pixels, so that only the last line rounds.
 * O(n log n): after sorting by `a`, a pair is opposed if a merge sort by `b` swaps it.
 *
 * @param a values of one map.
 * @param b values of the other, as many.
 * @returns −1…1; for constant maps 1 if both are constant and 0 if one is.
 * @throws ShapeError where the lengths differ.
 */
export function kendallTau(a: MapValues, b: MapValues): number {
  const order = seenPixels('kendallTau', a, b);
  order.sort((i, j) => compare(a[i]!, a[j]!) || compare(b[i]!, b[j]!));
  const pairs = pairsAmong(order.length);
  const tiedInA = tiedPairs(order, (i, j) => a[i] === a[j]);
  const tiedInBoth = tiedPairs(order, (i, j) => a[i] === a[j] && b[i] === b[j]);
  const opposed = sortCountingSwaps(order, b);
  const tiedInB = tiedPairs(order, (i, j) => b[i] === b[j]);

  const untiedInA = pairs - tiedInA;
  const untiedInB = pairs - tiedInB;
  if (untiedInA === 0 || untiedInB === 0) return untiedInA === untiedInB ? 1 : 0;
  const alike = pairs - tiedInA - tiedInB + tiedInBoth - opposed;
  return (alike - opposed) / Math.sqrt(untiedInA * untiedInB);
}

/**
 * Spearman's ρ of two maps: the correlation of their pixels' ranks. Equal values share the mean of
 * their ranks.
 *
 * @param a values of one map.
 * @param b values of the other, as many.
 * @returns −1…1; for constant maps 1 if both are constant and 0 if one is.
 * @throws ShapeError where the lengths differ.
 */
export function spearmanRho(a: MapValues, b: MapValues): number {
  const pixels = seenPixels('spearmanRho', a, b);
  return rankCorrelation(centredRanks(a, pixels), centredRanks(b, pixels), pixels);
}

function rankCorrelation(a: Float64Array, b: Float64Array, pixels: Uint32Array): number {
  let squaresA = 0;
  let squaresB = 0;
  let products = 0;
  for (const i of pixels) {
    squaresA += a[i]! * a[i]!;
    squaresB += b[i]! * b[i]!;
    products += a[i]! * b[i]!;
  }
  if (squaresA === 0 || squaresB === 0) return squaresA === squaresB ? 1 : 0;
  return Math.max(-1, Math.min(1, products / Math.sqrt(squaresA * squaresB)));
}

/**
 * The share of the most salient pixels that two maps have in common. The top of a map is ⌈share·n⌉ of
 * n seen pixels; of equal values the lower index comes first.
 *
 * @param a values of one map.
 * @param b values of the other, as many.
 * @param share the top part of the pixels, above 0 and up to 1.
 * @returns 0…1; 1 if no pixel was seen.
 * @throws ShapeError where the lengths differ or the share is outside of (0, 1].
 */
export function topOverlap(a: MapValues, b: MapValues, share: number): number {
  checkShare('topOverlap', share);
  const pixels = seenPixels('topOverlap', a, b);
  const count = topCount(pixels.length, share);
  return overlapOf(topMask(a, pixels, count), topMask(b, pixels, count), count);
}

function checkShare(operation: string, share: number): void {
  if (share > 0 && share <= 1) return;
  throw new ShapeError(`${operation}: share expected above 0 and up to 1, got ${share}`);
}

function topCount(seen: number, share: number): number {
  return Math.min(seen, Math.max(1, Math.ceil(seen * share - COUNT_SLACK)));
}

/** 1 for each of the `count` most salient pixels. */
function topMask(map: MapValues, pixels: Uint32Array, count: number): Uint8Array {
  const mask = new Uint8Array(map.length);
  for (const i of sortedFromTop(map, pixels).subarray(0, count)) mask[i] = 1;
  return mask;
}

function overlapOf(a: Uint8Array, b: Uint8Array, count: number): number {
  if (count === 0) return 1;
  let common = 0;
  for (let i = 0; i < a.length; i++) common += a[i]! & b[i]!;
  return common / count;
}

/** How similarly several maps rank their pixels: symmetric tables, [map][map]. */
export interface OrderTable {
  /** Spearman's ρ. */
  readonly rho: readonly (readonly number[])[];
  /** The share of the top that two maps have in common. */
  readonly overlap: readonly (readonly number[])[];
}

/**
 * `spearmanRho` and `topOverlap` of every pair of maps, over the pixels that are seen in all of them. Each map is
 * sorted once, not once for each pair.
 *
 * @param share as of `topOverlap`
 * @throws ShapeError as `topOverlap`, and without maps.
 */
export function orderTable(maps: readonly MapValues[], share: number): OrderTable {
  checkShare('orderTable', share);
  const [first, ...rest] = maps;
  if (!first) throw new ShapeError('orderTable: maps expected at least 1, got 0');
  const pixels = seenPixels('orderTable', first, ...rest);
  const count = topCount(pixels.length, share);
  const ranks = maps.map((map) => centredRanks(map, pixels));
  const tops = maps.map((map) => topMask(map, pixels, count));
  return {
    rho: ranks.map((a) => ranks.map((b) => rankCorrelation(a, b, pixels))),
    overlap: tops.map((a) => tops.map((b) => overlapOf(a, b, count))),
  };
}

/**
 * Whether the most salient pixel is the same in both maps; of equal values the lowest index counts.
 *
 * @param a values of one map.
 * @param b values of the other, as many.
 * @returns true also if no pixel was seen.
 * @throws ShapeError where the lengths differ.
 */
export function sameMaximum(a: MapValues, b: MapValues): boolean {
  const pixels = seenPixels('sameMaximum', a, b);
  let maximumA = pixels[0];
  let maximumB = pixels[0];
  for (const i of pixels) {
    if (a[i]! > a[maximumA!]!) maximumA = i;
    if (b[i]! > b[maximumB!]!) maximumB = i;
  }
  return maximumA === maximumB;
}

/** The pixels that are NaN in no map. */
function seenPixels(operation: string, ...maps: readonly [MapValues, ...MapValues[]]): Uint32Array {
  const { length } = maps[0];
  for (const [m, map] of maps.entries()) {
    if (map.length === length) continue;
    const name = maps.length === 2 ? 'b' : `map ${m}`;
    throw new ShapeError(`${operation}: ${name} expected length ${length}, got ${map.length}`);
  }
  const pixels = new Uint32Array(length);
  let seen = 0;
  for (let i = 0; i < length; i++) {
    if (!maps.some((map) => Number.isNaN(map[i]))) pixels[seen++] = i;
  }
  return pixels.subarray(0, seen);
}

/**
 * All pixels, the most salient first. Of equal values the lower index comes first. Pixels that are NaN come last, in
 * the order of their indices.
 */
export function pixelOrder(map: MapValues): Uint32Array {
  const order = new Uint32Array(map.length);
  const seen = sortedFromTop(map, seenPixels('pixelOrder', map, map));
  order.set(seen);
  let at = seen.length;
  for (let i = 0; i < map.length; i++) if (Number.isNaN(map[i])) order[at++] = i;
  return order;
}

/** Number of pairs that are `tied`, if tied pixels are neighbours in the order. */
function tiedPairs(order: Uint32Array, tied: (i: number, j: number) => boolean): number {
  let pairs = 0;
  let run = 1;
  for (let n = 1; n <= order.length; n++) {
    if (n < order.length && tied(order[n - 1]!, order[n]!)) {
      run++;
    } else {
      pairs += pairsAmong(run);
      run = 1;
    }
  }
  return pairs;
}

/**
 * Sorts `order` by the map's values, and counts the pairs that were in the opposite order. Runs of
 * 1, 2, 4, … are merged; an element from the right run passes all the remaining ones of the left run.
 */
function sortCountingSwaps(order: Uint32Array, map: MapValues): number {
  const n = order.length;
  let from: Uint32Array = order;
  let to: Uint32Array = new Uint32Array(n);
  let swaps = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let begin = 0; begin < n; begin += 2 * width) {
      const middle = Math.min(begin + width, n);
      const end = Math.min(begin + 2 * width, n);
      let left = begin;
      let right = middle;
      for (let k = begin; k < end; k++) {
        if (right === end || (left < middle && map[from[left]!]! <= map[from[right]!]!)) {
          to[k] = from[left++]!;
        } else {
          to[k] = from[right++]!;
          swaps += middle - left;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
  return swaps;
}

/**
 * Twice the rank of each pixel, minus the mean: whole numbers around 0, so that their sums of
 * squares are exact for maps of up to 200 000 pixels.
 */
function centredRanks(map: MapValues, pixels: Uint32Array): Float64Array {
  const n = pixels.length;
  const order = pixels.slice().sort((i, j) => compare(map[i]!, map[j]!));
  const ranks = new Float64Array(map.length);
  for (let begin = 0; begin < n; ) {
    let end = begin + 1;
    while (end < n && map[order[end]!] === map[order[begin]!]) end++;
    // Ranks begin + 1 … end: twice their mean is begin + 1 + end; twice the mean of all is n + 1.
    for (let k = begin; k < end; k++) ranks[order[k]!] = begin + end - n;
    begin = end;
  }
  return ranks;
}

/** The most salient pixels first; of equal values the lower index comes first. */
function sortedFromTop(map: MapValues, pixels: Uint32Array): Uint32Array {
  return pixels.slice().sort((i, j) => compare(map[j]!, map[i]!) || i - j);
}

/** n·(n − 1)/2. */
function pairsAmong(n: number): number {
  return (n * (n - 1)) / 2;
}

/** Numerical order; unlike a difference it knows ∞ − ∞. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
