/**
 * Activation functions of each element, by PyTorch's names; ReLU is in columns.ts:
 *
 *   clip         min(max(x, least), most)
 *   relu6        min(max(x, 0), 6)                      arXiv 1704.04861
 *   leaky_relu   x > 0 ? x : slope·x
 *   thresholded_relu   x > α ? x : 0                    arXiv 1402.3337
 *   elu          x > 0 ? x : α·(eˣ − 1)                 arXiv 1511.07289
 *   celu         x > 0 ? x : α·(e^(x/α) − 1)            arXiv 1704.07483
 *   selu         λ·(x > 0 ? x : α·(eˣ − 1))             arXiv 1706.02515
 *   silu         x·σ(x)                                 arXiv 1702.03118; swish
 *   gelu         x·Φ(x)                                 arXiv 1606.08415
 *   gelu_tanh    x·½(1 + tanh(√(2/π)·(x + 0.044715x³)))   likewise: an approximation
 *   quick_gelu   x·σ(1.702x)                            likewise: a coarser one
 *   hardswish    x·relu6(x + 3)/6                       arXiv 1905.02244
 *   hardsigmoid  min(max(α·x + β, 0), 1)                likewise, with α = 1/6, β = 1/2
 *   sigmoid      σ(x) = 1/(1 + e⁻ˣ)
 *   tanh         tanh(x)
 *   softplus     ln(1 + eˣ)
 *   mish         x·tanh(softplus(x))                    arXiv 1908.08681
 *
 * Each is computed in doubles, in a form without cancellation, and rounded once: within half a unit of
 * float32's last place, and 2⁻⁴³. Each function has its own loop. One shared loop that calls a function for
 * each element costs 1.5 to 3 times as much (measured): V8 inlines a call only if it has one target.
 */

import { erfc } from '../../math/index.js';
import type { ActivationName } from '../activation.js';

/**
 * NaN stays NaN. −∞ becomes NaN where the function multiplies it by 0 (silu, mish, hardswish, the GELUs), as
 * in PyTorch.
 *
 * @param out as long as `x`; may be `x`
 * @param parameters for the functions that have some: the letters of the formula, in order
 */
export type ActivationKernel = (
  out: ActivationValues,
  x: ActivationValues,
  ...parameters: readonly number[]
) => void;

/** Float64Array is for the oracles of tests. */
export type ActivationValues = Float32Array | Float64Array;

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

export const ACTIVATIONS: Readonly<Record<ActivationName, ActivationKernel>> = {
  clip(out, x, least, most) {
    for (let i = 0; i < x.length; i++) {
      const value = x[i]! < least! ? least! : x[i]!;
      out[i] = value > most! ? most! : value;
    }
  },
  relu6(out, x) {
    for (let i = 0; i < x.length; i++) {
      // No branch on the sign, as in `relu` (columns.ts).
      const value = x[i]!;
      const positive = value === -Infinity ? 0 : 0.5 * (value + Math.abs(value));
      out[i] = positive > 6 ? 6 : positive;
    }
  },
  leaky_relu(out, x, slope = Number.NaN) {
    // The factor comes from a table, so there is no branch here either.
    const factors = [slope, 1];
    for (let i = 0; i < x.length; i++) out[i] = x[i]! * factors[Number(x[i]! > 0)]!;
  },
  thresholded_relu(out, x, alpha) {
    // Comparisons with NaN are false, so NaN stays.
    for (let i = 0; i < x.length; i++) out[i] = x[i]! <= alpha! ? 0 : x[i]!;
  },
  elu(out, x, alpha = Number.NaN) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! > 0 ? x[i]! : alpha * Math.expm1(x[i]!);
  },
  celu(out, x, alpha = Number.NaN) {
    for (let i = 0; i < x.length; i++) {
      out[i] = x[i]! > 0 ? x[i]! : alpha * Math.expm1(x[i]! / alpha);
    }
  },
  selu(out, x) {
    for (let i = 0; i < x.length; i++) {
      out[i] = SELU_SCALE * (x[i]! > 0 ? x[i]! : SELU_ALPHA * Math.expm1(x[i]!));
    }
  },
  silu(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! / (1 + Math.exp(-x[i]!));
  },
  gelu(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = 0.5 * x[i]! * erfc(-x[i]! * Math.SQRT1_2);
  },
  gelu_tanh(out, x) {
    for (let i = 0; i < x.length; i++) {
      // ½(1 + tanh(u)) = σ(2u), and 2√(2/π) = 1.59576912160573
      const u2 = 1.5957691216057308 * x[i]! * (1 + 0.044715 * x[i]! * x[i]!);
      out[i] = x[i]! / (1 + Math.exp(-u2));
    }
  },
  quick_gelu(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! / (1 + Math.exp(-1.702 * x[i]!));
  },
  hardswish(out, x) {
    for (let i = 0; i < x.length; i++) {
      out[i] = (x[i]! * Math.min(Math.max(x[i]! + 3, 0), 6)) / 6;
    }
  },
  hardsigmoid(out, x, alpha, beta) {
    // α·x + β would cancel near the lower end.
    const most = 1 / alpha!;
    const shift = beta! * most;
    for (let i = 0; i < x.length; i++) out[i] = Math.min(Math.max((x[i]! + shift) / most, 0), 1);
  },
  sigmoid(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = 1 / (1 + Math.exp(-x[i]!));
  },
  tanh(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = Math.tanh(x[i]!);
  },
  softplus(out, x) {
    for (let i = 0; i < x.length; i++) {
      out[i] = Math.max(x[i]!, 0) + Math.log1p(Math.exp(-Math.abs(x[i]!)));
    }
  },
  mish(out, x) {
    for (let i = 0; i < x.length; i++) {
      // tanh(ln(1 + e)) = e(e + 2)/(e(e + 2) + 2), which is 1 in doubles from x = 20 on.
      const e = Math.exp(Math.min(x[i]!, 20));
      const odds = e * (e + 2);
      out[i] = (x[i]! * odds) / (odds + 2);
    }
  },
};
