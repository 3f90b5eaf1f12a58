/** The channels of an attribution as one number for each pixel. */

import type { ChannelReduction } from './attribution.js';
import { nearestFloat } from './finite.js';

/** `largest`: the largest |a| (Simonyan et al.); `sum`: the sum of |a|; `squares`: the sum of a². */
const REDUCE: Readonly<Record<ChannelReduction, (sum: number, a: number) => number>> = {
  largest: (most, a) => Math.max(most, Math.abs(a)),
  sum: (sum, a) => sum + Math.abs(a),
  squares: (sum, a) => sum + a * a,
};

/** Names of the reductions, the usual one first. */
export const REDUCTIONS: readonly ChannelReduction[] = ['largest', 'sum', 'squares'];

/**
 * @param attribution [pixels, C]
 * @returns [pixels], ≥ 0
 */
export function reduceChannels(
  attribution: Float32Array,
  C: number,
  reduction: ChannelReduction,
): Float32Array {
  const reduce = REDUCE[reduction];
  const out = new Float32Array(attribution.length / C);
  for (let p = 0; p < out.length; p++) {
    let result = 0;
    for (let c = 0; c < C; c++) result = reduce(result, attribution[p * C + c]!);
    out[p] = nearestFloat(result);
  }
  return out;
}
