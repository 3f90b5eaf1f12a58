/**
 * Insertion and deletion (Petsiuk et al., RISE, arXiv 1806.07421). The pixels of a start picture are replaced by those of
 * an end picture, the most salient first, and the probability of the class is followed:
 *
 *   deletion   from the picture to its mean color as the network takes it, 0. A small area is good
 *   insertion  from the blurred picture to the picture. A large area is good
 *   area       under the curve over the share of replaced pixels, by the trapezoidal rule, 0…1
 *
 * RISE's program blurs ImageNet's 224 × 224 pixels by a window of 11 × 11. Here the blur is the one of integrated
 * gradients' baseline, which leaves less of the picture.
 */

import { expectWhole } from '../errors.js';
import { baselineOf } from '../methods/gradients/integrated-gradients.js';
import type { NetworkInput } from '../methods/gradients/passes.js';
import type { ClassProbe } from './class-probe.js';

export interface PixelCurve {
  /** Share of replaced pixels, from 0 to 1. */
  readonly shares: readonly number[];
  /** Probability of the class at each of them. */
  readonly probabilities: readonly number[];
  /** Under the curve, 0…1. */
  readonly area: number;
}

/** How a curve begins and ends, [H, W, channels]. */
export interface CurveEnds {
  readonly start: Float32Array;
  readonly end: Float32Array;
}

export function deletionEnds(input: NetworkInput): CurveEnds {
  return { start: input.data, end: baselineOf('zero', input) };
}

export function insertionEnds(input: NetworkInput): CurveEnds {
  return { start: baselineOf('blurred', input), end: input.data };
}

/**
 * @param order all pixels, in the order in which they are replaced; see `pixelOrder`
 * @param steps from one end to the other; each replaces about as many pixels
 * @throws {ShapeError} for steps below 1
 */
export function pixelCurve(
  probe: ClassProbe,
  { start, end }: CurveEnds,
  order: Uint32Array,
  steps: number,
): PixelCurve {
  expectWhole('pixelCurve', { steps });
  const C = start.length / order.length;
  const shares = Array.from({ length: steps + 1 }, (_, k) => k / steps);
  function* pictures(): Generator<Float32Array> {
    const x = start.slice();
    let replaced = 0;
    for (const share of shares) {
      const count = Math.round(share * order.length);
      for (; replaced < count; replaced++) {
        const at = order[replaced]! * C;
        for (let c = at; c < at + C; c++) x[c] = end[c]!;
      }
      yield x;
    }
  }
  const probabilities = probe.scores(pictures()).map(({ probability }) => probability);
  return { shares, probabilities, area: areaUnder(shares, probabilities) };
}

/** By the trapezoidal rule. */
export function areaUnder(x: readonly number[], y: readonly number[]): number {
  let area = 0;
  for (let k = 1; k < x.length; k++) area += ((x[k]! - x[k - 1]!) * (y[k]! + y[k - 1]!)) / 2;
  return area;
}
