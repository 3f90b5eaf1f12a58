/**
 * Normal distributions that follow the maps of a stream, one for each scale: constants of the Gaussian normaliser
 * that change slowly, so that the maps of successive frames can be compared. A map's own constants would hide that a
 * scene becomes more or less salient, and they jump when a small part of it changes.
 *
 * With mean m and variance v (N − 1) of the newest map, and momentum α as in batch norm, weights of older frames fall
 * by (1 − α) with each frame:
 *
 *   δ = m − M,   M ← M + α·δ,   V ← (1 − α)·(V + α·δ²) + α·v
 *
 * These are the mean and the variance of all values together, weighted.
 * Source: T. Finch, "Incremental calculation of weighted mean and variance", 2009, §9.
 */

import { type MapValues, placeInNormal } from './normalize.js';
import type { NormalizerConstants } from './normalizer-constants.js';

/** Constants that change in place: nothing is allocated for a frame. */
interface Running {
  readonly gaussian: { mean: number; sd: number };
  variance: number;
  isEmpty: boolean;
}

export class RunningNormal {
  readonly #momentum: number;
  readonly #scales: Running[];

  /**
   * @param momentum α, the share of the newest frame, 0…1
   * @param start constants to begin with; default: those of the first frame
   */
  constructor(scales: number, momentum: number, start?: readonly NormalizerConstants[]) {
    this.#momentum = momentum;
    this.#scales = Array.from({ length: scales }, (_, i) => {
      const { mean, sd } = start?.[i]?.gaussian ?? { mean: 0.5, sd: 0.5 };
      return { gaussian: { mean, sd }, variance: sd * sd, isEmpty: start === undefined };
    });
  }

  /** The constants now, of each scale: a copy. None before the first frame, if there is no start. */
  get constants(): NormalizerConstants[] | undefined {
    if (this.#scales.some(({ isEmpty }) => isEmpty)) return undefined;
    return this.#scales.map(({ gaussian }) => ({ gaussian: { ...gaussian } }));
  }

  /**
   * Takes the map of a scale into its constants, and normalises it with them.
   *
   * @param out [h, w], overwritten
   * @param x raw values of the newest map, [h, w], finite
   */
  normalize(out: MapValues, x: MapValues, scale: number): void {
    const running = this.#scales[scale]!;
    const share = running.isEmpty ? 1 : this.#momentum;
    running.isEmpty = false;
    takeIn(running, x, share);
    placeInNormal(out, x, running.gaussian);
  }
}

function takeIn(running: Running, x: MapValues, share: number): void {
  // Deviations from a value of the map: exactly 0 if the map is constant.
  const pivot = x[0]!;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! - pivot;
  const shift = sum / x.length;
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const deviation = x[i]! - pivot - shift;
    squares += deviation * deviation;
  }
  const variance = x.length > 1 ? squares / (x.length - 1) : 0;
  const { gaussian } = running;
  const change = pivot + shift - gaussian.mean;
  // With a share of 1 nothing of the old mean is left, not even by rounding.
  gaussian.mean = share === 1 ? pivot + shift : gaussian.mean + share * change;
  running.variance = (1 - share) * (running.variance + share * change * change) + share * variance;
  // Maps that were all constant have the deviation 0, which would make 0/0 of a value in the middle.
  gaussian.sd = Math.max(Math.sqrt(running.variance), Number.MIN_VALUE);
}
