/**
 * Integrated gradients (Sundararajan et al., arXiv 1703.01365) by the midpoint rule, for a baseline b:
 *
 *   A(x) = (x − b) ⊙ mean over i of g(b + (i + ½)/n · (x − b)),   i < n
 *
 * Completeness: ΣA = score(x) − score(b) within the rule's error, which shrinks with n.
 */

import type { NamedBaseline } from './attribution.js';
import type { GradientRecipe } from './gradient-maps.js';
import type { NetworkInput } from './passes.js';

/** @param baseline [H, W, channels] */
export function integratedGradients(baseline: Float32Array, steps: number): GradientRecipe {
  const at = new Float32Array(baseline.length);
  const difference = new Float64Array(baseline.length);
  return {
    guided: false,
    steps,
    point(x, i) {
      const share = (i + 0.5) / steps;
      for (let e = 0; e < at.length; e++) at[e] = baseline[e]! + share * (x[e]! - baseline[e]!);
      return at;
    },
    factor(x) {
      for (let e = 0; e < at.length; e++) difference[e] = x[e]! - baseline[e]!;
      return difference;
    },
  };
}

/** Names of the baselines, the usual one first. */
export const BASELINES: readonly NamedBaseline[] = ['zero', 'mean', 'blurred'];

/** The baseline of a picture, [H, W, channels]. */
export function baselineOf(name: NamedBaseline, input: NetworkInput): Float32Array {
  if (name === 'zero') return new Float32Array(input.data.length);
  return name === 'mean' ? meanColor(input) : blurred(input);
}

function meanColor({ data, H, W }: NetworkInput): Float32Array {
  const C = data.length / (H * W);
  const sums = new Float64Array(C);
  for (let i = 0; i < data.length; i++) sums[i % C]! += data[i]!;
  return data.map((_, i) => sums[i % C]! / (H * W));
}

/** The standard deviation of the blur is the short side over this: 11 pixels of 224. */
const SIDES_PER_DEVIATION = 20;

/** Blurred by a Gaussian, which is cut at 3 standard deviations; pixels beyond an edge are those of the edge. */
function blurred({ data, H, W }: NetworkInput): Float32Array {
  const C = data.length / (H * W);
  const sd = Math.min(H, W) / SIDES_PER_DEVIATION;
  const across = blurredAlong(data, { length: W, stride: C }, sd);
  return blurredAlong(across, { length: H, stride: W * C }, sd);
}

/** Blurs along one axis, whose elements are `stride` apart. */
function blurredAlong(
  x: Float32Array,
  { length, stride }: { readonly length: number; readonly stride: number },
  sd: number,
): Float32Array {
  const reach = Math.ceil(3 * sd);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-(((i - reach) / sd) ** 2) / 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const out = new Float32Array(x.length);
  const sums = new Float64Array(stride);
  for (let begin = 0; begin < x.length; begin += length * stride) {
    for (let place = 0; place < length; place++) {
      sums.fill(0);
      for (let j = 0; j < weights.length; j++) {
        const near = Math.max(0, Math.min(length - 1, place + j - reach));
        const from = begin + near * stride;
        const share = weights[j]! / total;
        for (let i = 0; i < stride; i++) sums[i]! += share * x[from + i]!;
      }
      out.set(sums, begin + place * stride);
    }
  }
  return out;
}
