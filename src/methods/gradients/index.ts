/** The methods that need gradients, by name: a network and an input in, an attribution out. */

import { type SaliencyMap, toNdArray } from '../../viz/index.js';
import {
  type Attribution,
  type AttributionMethod,
  type ChannelReduction,
  type GradientMethod,
  isGradientMethod,
} from './attribution.js';
import { type BidicamOptions, bidicam } from './bidicam.js';
import { classActivationMap } from './class-activation.js';
import { type GradientRecipe, gradientAttribution } from './gradient-maps.js';
import { guidedGradcam } from './guided-gradcam.js';
import { integratedGradients } from './integrated-gradients.js';
import type { Passes } from './passes.js';
import { reduceChannels } from './reduction.js';
import { noisyInputs, type SmoothingOptions } from './smoothing.js';

/** What is asked for, with all defaults filled in. */
export interface AttributionRequest extends SmoothingOptions, BidicamOptions {
  readonly method: AttributionMethod;
  readonly reduction: ChannelReduction;
  /** Integrated gradients: where they begin, [H, W, channels], and in how many steps. */
  readonly baseline: Float32Array;
  readonly steps: number;
  /** Names of the values of class activation maps, or of the scales of BiDiCAM. */
  readonly at: readonly string[];
}

/** Map and attribution, as `Attribution` describes them. */
export type Attributed = Pick<Attribution, 'map' | 'attribution'>;

export function attributed(passes: Passes, request: AttributionRequest): Attributed {
  const { method, at } = request;
  if (method === 'bidicam') return ofMap(bidicam(passes, at, request));
  if (!isGradientMethod(method)) return ofMap(classActivationMap(passes, at, method));
  const { H, W } = passes.input;
  const recipe = recipeOf(method, passes, request);
  const data = gradientAttribution(passes, recipe, request);
  const C = data.length / (H * W);
  const map = toNdArray(reduceChannels(data, C, request.reduction), [H, W]);
  return { map, attribution: { data, shape: [H, W, C] } };
}

/** The inputs whose gradients a request needs. */
export function inputsOf({
  method,
  smoothing,
  samples,
  steps,
}: Pick<AttributionRequest, 'method' | 'smoothing' | 'samples' | 'steps'>): number {
  const inputs = smoothing === 'none' ? 1 : samples;
  if (method === 'integrated-gradients') return inputs * steps;
  return method === 'guided-gradcam' ? 2 * inputs : inputs;
}

function recipeOf(
  method: GradientMethod,
  passes: Passes,
  request: AttributionRequest,
): GradientRecipe {
  switch (method) {
    case 'gradient':
      return { guided: false, steps: 1 };
    case 'input-x-gradient':
      return { guided: false, steps: 1, factor: (x) => x };
    case 'guided-backprop':
      return { guided: true, steps: 1 };
    case 'integrated-gradients':
      return integratedGradients(request.baseline, request.steps);
    case 'guided-gradcam': {
      const next = noisyInputs(passes.input.data, request);
      const samples = inputsOf({ ...request, method: 'gradient' });
      return guidedGradcam(passes, request.at, samples, next);
    }
  }
}

function ofMap(map: SaliencyMap): Attributed {
  const [H, W] = map.shape as [number, number];
  return { map, attribution: { data: map.data, shape: [H, W, 1] } };
}
