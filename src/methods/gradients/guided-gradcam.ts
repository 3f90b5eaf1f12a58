/** Guided Grad-CAM: guided backpropagation times the Grad-CAM of the same input (Selvaraju et al., arXiv 1610.02391). */

import { classActivationMap } from './class-activation.js';
import type { GradientRecipe } from './gradient-maps.js';
import type { Passes } from './passes.js';

/**
 * @param at names of the values where Grad-CAM is made
 * @param samples number of inputs
 * @param next gives the input of each sample
 */
export function guidedGradcam(
  passes: Passes,
  at: readonly string[],
  samples: number,
  next: () => Float32Array,
): GradientRecipe {
  const { data, H, W } = passes.input;
  const C = data.length / (H * W);
  // All of them first: a network keeps only its latest pass.
  const maps = Array.from({ length: samples }, () =>
    classActivationMap(passes, at, 'gradcam', next()),
  );
  const factors = new Float32Array(data.length);
  return {
    guided: true,
    steps: 1,
    factor: (_, sample) => {
      for (let i = 0; i < factors.length; i++) factors[i] = maps[sample]!.data[Math.floor(i / C)]!;
      return factors;
    },
  };
}
