/**
 * Which pixels an experiment keeps. KAR keeps the most salient ones, ROAR the least salient ones: what is left after the most
 * salient ones are removed. There is always at least one.
 */

import { uniformGenerator } from '../../math/normal-generator.js';
import { keepMask, toNdArray } from '../../viz/index.js';

export type Mode = 'kar' | 'roar';

/** Both experiments. */
export const MODES: readonly Mode[] = ['kar', 'roar'];

/**
 * 1 where a pixel is kept, 0 elsewhere. Of equal values the lower index is taken first.
 *
 * @param map [H, W], the higher the more salient; NaN and −∞ count as least salient
 * @param fraction of the pixels to keep, 0 … 1; rounded as by `keepMask`, but at least one pixel
 */
export function keptPixels(
  map: Float32Array,
  [H, W]: readonly [number, number],
  mode: Mode,
  fraction: number,
): Uint8Array {
  const least = Number.NEGATIVE_INFINITY;
  const values = map.map((value) => (Number.isNaN(value) ? least : value));
  const signed = mode === 'kar' ? values : values.map((value) => -value);
  // `keepMask` keeps one pixel of N at a fraction of 2/N.
  const atLeastOne = Math.min(1, Math.max(fraction, 2 / (H * W)));
  return keepMask(toNdArray(signed, [H, W]), atLeastOne).data;
}

/** A map of random numbers: the baseline of every experiment. The same seed and picture give the same map. */
export function randomMap(length: number, seed: number, picture: number): Float32Array {
  const random = uniformGenerator(Math.imul(seed + 1, 0x9e3779b1) ^ picture);
  return Float32Array.from({ length }, random);
}

/** Sets the columns of x [H·W, C] to 0 where the mask is 0. */
export function maskColumns(x: Float32Array, mask: Uint8Array): void {
  const C = x.length / mask.length;
  for (const [p, isKept] of mask.entries()) {
    if (isKept === 0) x.fill(0, p * C, (p + 1) * C);
  }
}
