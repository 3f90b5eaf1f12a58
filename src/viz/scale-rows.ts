/** The maps of all scales, upsampled a row at a time: γ of scale l = 0 … n − 1 at every pixel of a row. */

import { ShapeError } from '../errors.js';
import type { Region } from '../image/picture.js';
import type { SaliencyMap } from './ndarray.js';
import { RowUpsampler } from './upsample.js';

export class ScaleRows {
  /** The number of scales. */
  readonly n: number;
  readonly #maps: RowUpsampler[];
  readonly #row: Float64Array;

  /** @throws ShapeError, in the name of `operation`, where there is no map or an extent does not fit. */
  constructor(
    operation: string,
    maps: readonly SaliencyMap[],
    size: readonly [number, number],
    region: Region | undefined,
  ) {
    if (maps.length === 0) throw new ShapeError(`${operation}: maps expected at least 1, got 0`);
    this.n = maps.length;
    this.#maps = maps.map((map) => new RowUpsampler(operation, size, map, region));
    this.#row = new Float64Array(size[1]);
  }

  /**
   * γ of scale `l` along row `y`, NaN where the maps do not cover the pixel. The array is this object's,
   * and overwritten by the next call.
   */
  gamma(l: number, y: number): Float64Array {
    const row = this.#row.fill(0);
    this.#maps[l]!.add(row, y, 1);
    return row;
  }
}

/** γ, held in [0, 1]; NaN stays. */
export function clamped(gamma: number): number {
  return Math.max(0, Math.min(1, gamma));
}
