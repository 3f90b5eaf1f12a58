/**
 * ROAD, remove and debias (Rong et al., arXiv 2202.00449). Some pixels are removed and filled by noisy linear imputation,
 * which gives away less of their shape than one color does:
 *
 *   MoRF  the most relevant pixels are removed. Good maps make the probability fall soon
 *   LeRF  the least relevant pixels are removed, so that the most relevant ones are kept. Good maps keep it up
 *   score mean over the shares of (LeRF − MoRF)/2, −½…½; 0 for chance
 *
 * The score is that of the program pytorch-grad-cam, of the probability. The paper follows the accuracy, which is the mean
 * of `isTop` over pictures.
 */

import { ShapeError } from '../errors.js';
import { normalGenerator } from '../math/normal-generator.js';
import type { NetworkInput } from '../methods/gradients/passes.js';
import type { ClassProbe, ClassScore } from './class-probe.js';
import { linearImputation } from './linear-imputation.js';

export interface RoadOptions {
  /** Shares of the pixels that are removed, each between 0 and 1. */
  readonly shares: readonly number[];
  /** Standard deviation of the noise for each channel, in the units of the network's input. */
  readonly noise: readonly number[];
  /** Of the noise. */
  readonly seed: number;
}

export interface Road {
  /** What the network says at each share. */
  readonly morf: readonly ClassScore[];
  readonly lerf: readonly ClassScore[];
  /** −½…½. */
  readonly score: number;
}

/**
 * @param order all pixels, the most relevant first; see `pixelOrder`
 * @throws {ShapeError} for a share that is not between 0 and 1
 */
export function road(probe: ClassProbe, order: Uint32Array, options: RoadOptions): Road {
  const { shares } = options;
  const bad = shares.find((share) => !(share > 0 && share < 1));
  if (bad !== undefined || shares.length === 0) {
    throw new ShapeError(`road: shares expected between 0 and 1, got ${bad ?? 'none'}`);
  }
  const scores = probe.scores(
    (function* () {
      for (const share of shares) {
        const count = Math.round(share * order.length);
        yield withoutPixels(probe.input, order.subarray(0, count), options);
        yield withoutPixels(probe.input, order.subarray(order.length - count), options);
      }
    })(),
  );
  const morf = scores.filter((_, i) => i % 2 === 0);
  const lerf = scores.filter((_, i) => i % 2 === 1);
  const differences = lerf.map(({ probability }, i) => probability - morf[i]!.probability);
  const score = differences.reduce((sum, difference) => sum + difference, 0) / (2 * shares.length);
  return { morf, lerf, score };
}

/**
 * The picture with some pixels removed and filled.
 *
 * @param pixels their indices, in any order
 * @returns [H, W, channels]
 */
export function withoutPixels(
  { data, H, W }: NetworkInput,
  pixels: Uint32Array,
  { noise, seed }: Pick<RoadOptions, 'noise' | 'seed'>,
): Float32Array {
  const C = data.length / (H * W);
  const removed = new Uint8Array(H * W);
  for (const p of pixels) removed[p] = 1;
  const x = new Float32Array(data.length);
  linearImputation(x, data, removed, [H, W, C]);
  const next = normalGenerator(seed);
  for (let p = 0; p < removed.length; p++) {
    if (!removed[p]) continue;
    for (let c = 0; c < C; c++) x[p * C + c]! += noise[c % noise.length]! * next();
  }
  return x;
}
