/**
 * The gradient of local response normalisation across channels, y = x·d^−beta with
 * d_c = bias + alpha/size · Σⱼ xⱼ² over the window of c (../js/lrn.ts):
 *
 *   out_i = g_i·d_i^−beta − 2·beta·alpha/size · x_i · Σ g_c·x_c·d_c^(−beta − 1)
 *
 * over the channels c whose windows contain i: from i − ⌈(size − 1)/2⌉ to i + ⌊(size − 1)/2⌋.
 */

import type { ActivationValues } from '../js/activation.js';
import type { LrnParameters } from '../js/lrn.js';

/**
 * @param out [pixels, C], overwritten; may be `gradient`
 * @param x [pixels, C], as `gradient`
 * @param scratch [2·C]
 */
export function lrnGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  [pixels, C]: readonly [number, number],
  { size, alpha, beta, bias }: LrnParameters,
  scratch: Float64Array,
): void {
  const before = Math.floor((size - 1) / 2);
  const behind = size - 1 - before;
  const share = alpha / size;
  for (let p = 0; p < pixels; p++) {
    const base = p * C;
    // g·d^−beta, and g·x·d^(−beta − 1)
    for (let c = 0; c < C; c++) {
      let sum = 0;
      const end = Math.min(c + behind + 1, C);
      for (let i = Math.max(c - before, 0); i < end; i++) sum += x[base + i]! * x[base + i]!;
      const divisor = bias + share * sum;
      const scaled = gradient[base + c]! * divisor ** -beta;
      scratch[c] = scaled;
      scratch[C + c] = (scaled * x[base + c]!) / divisor;
    }
    for (let i = 0; i < C; i++) {
      let sum = 0;
      const end = Math.min(i + before + 1, C);
      for (let c = Math.max(i - behind, 0); c < end; c++) sum += scratch[C + c]!;
      out[base + i] = scratch[i]! - 2 * beta * share * x[base + i]! * sum;
    }
  }
}
