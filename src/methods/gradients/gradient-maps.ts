/**
 * The methods whose attribution is a gradient with respect to the input, or is made of such gradients. For an input x
 * of a picture, noisy or not:
 *
 *   A(x) = factor(x) ⊙ mean over i of g(point(x, i)),   i < steps
 *
 *   gradient              g = ∂score/∂x                    (Simonyan et al., arXiv 1312.6034)
 *   input-x-gradient      factor x                         (Shrikumar et al., arXiv 1605.01713)
 *   guided-backprop       g cut off below 0 at each ReLU   (Springenberg et al., arXiv 1412.6806)
 *   guided-gradcam        the same, factor Grad-CAM        (Selvaraju et al., arXiv 1610.02391)
 *   integrated-gradients  points between a baseline and x  (integrated-gradients.ts)
 *
 * A smoothing (smoothing.ts) makes one attribution from those of noisy inputs.
 */

import { finite, nearestFloat } from './finite.js';
import type { Passes } from './passes.js';
import { Moments, noisyInputs, type SmoothingOptions } from './smoothing.js';

/** How a method makes an attribution from gradients. Arrays are [H, W, channels]. */
export interface GradientRecipe {
  /** Whether gradients below 0 are cut off at each ReLU. */
  readonly guided: boolean;
  /** Gradients for one input. */
  readonly steps: number;
  /** The point of step i; default: x itself. It is valid until the next call. */
  readonly point?: (x: Float32Array, i: number) => Float32Array;
  /** Factor of the mean gradient of x, the input of a sample; default: 1. It is valid until the next call. */
  readonly factor?: (x: Float32Array, sample: number) => ArrayLike<number>;
}

/** The attribution, [H, W, channels]. Sums are in doubles; an element of a gradient that is not finite counts as 0. */
export function gradientAttribution(
  passes: Passes,
  { guided, steps, point = (x) => x, factor }: GradientRecipe,
  options: SmoothingOptions,
): Float32Array {
  const { smoothing, samples } = options;
  const x = passes.input.data;
  const nextInput = noisyInputs(x, options);
  /** Inputs of the samples of which not all gradients are known. */
  const open = new Map<number, Float32Array>();
  const sum = new Float64Array(x.length);
  const moments = new Moments(x.length, smoothing);
  const total = smoothing === 'none' ? 1 : samples;
  passes.each(
    total * steps,
    guided,
    (i) => {
      const [sample, step] = [Math.floor(i / steps), i % steps];
      if (step === 0) open.set(sample, nextInput());
      return point(open.get(sample)!, step);
    },
    (gradient, i) => {
      for (let e = 0; e < sum.length; e++) sum[e]! += finite(gradient[e]!);
      if ((i + 1) % steps > 0) return;
      const sample = Math.floor(i / steps);
      const factors = factor?.(open.get(sample)!, sample);
      for (let e = 0; e < sum.length; e++) sum[e]! *= (factors ? factors[e]! : 1) / steps;
      moments.add(sum);
      sum.fill(0);
      open.delete(sample);
    },
  );
  return Float32Array.from(moments.result(), nearestFloat);
}
