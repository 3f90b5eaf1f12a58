/**
 * The maps of all scales, upsampled a row at a time and, if asked for, range-normalised together: γ of
 * scale l = 0 … n − 1 at every pixel of a row.
 */

import { ShapeError } from '../errors.js';
import type { Region } from '../image/picture.js';
import type { SaliencyMap } from './ndarray.js';
import { RowUpsampler } from './upsample.js';

/**
 * `none` takes the maps as they are, as the paper does. `joint` range-normalises the upsampled stack
 * first, one minimum and one maximum for all scales, as the authors' code does.
 */
export type Stretch = 'none' | 'joint';

/** The smallest span that `joint` divides by, as in the authors' code. */
const SMALLEST_SPAN = 1e-9;

export class ScaleRows {
  /** The number of scales. */
  readonly n: number;
  readonly #maps: RowUpsampler[];
  readonly #row: Float64Array;
  /** γ = (value − #low)·#scale. */
  #low = 0;
  #scale = 1;

  /**
   * @throws ShapeError, in the name of `operation`, where there is no map or an extent does not fit;
   *   TypeError for an unknown `stretch`.
   */
  constructor(
    operation: string,
    maps: readonly SaliencyMap[],
    size: readonly [number, number],
    region: Region | undefined,
    stretch: Stretch,
  ) {
    if (maps.length === 0) throw new ShapeError(`${operation}: maps expected at least 1, got 0`);
    if (stretch !== 'none' && stretch !== 'joint') {
      throw new TypeError(`${operation}: stretch expected 'none' or 'joint', got ${stretch}`);
    }
    this.n = maps.length;
    this.#maps = maps.map((map) => new RowUpsampler(operation, size, map, region));
    this.#row = new Float64Array(size[1]);
    if (stretch === 'joint') this.#stretchOver(size[0]);
  }

  /**
   * γ of scale `l` along row `y`, in [0, 1], NaN where the maps do not cover the pixel. The array is
   * this object's, and overwritten by the next call.
   */
  gamma(l: number, y: number): Float64Array {
    const row = this.#upsample(l, y);
    const low = this.#low;
    const scale = this.#scale;
    for (let x = 0; x < row.length; x++) {
      row[x] = Math.max(0, Math.min(1, (row[x]! - low) * scale));
    }
    return row;
  }

  /** Sets `#low` and `#scale` so that the upsampled stack spans [0, 1]. */
  #stretchOver(H: number): void {
    let min = Infinity;
    let max = -Infinity;
    for (let l = 0; l < this.n; l++) {
      for (let y = 0; y < H; y++) {
        const row = this.#upsample(l, y);
        for (let x = 0; x < row.length; x++) {
          const value = row[x]!;
          if (value < min) min = value;
          if (value > max) max = value;
        }
      }
    }
    this.#low = min;
    this.#scale = 1 / Math.max(max - min, SMALLEST_SPAN);
  }

  #upsample(l: number, y: number): Float64Array {
    this.#row.fill(0);
    this.#maps[l]!.add(this.#row, y, 1);
    return this.#row;
  }
}
