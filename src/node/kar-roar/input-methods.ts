/** The fourteen methods of the paper's Table 2. */

import { attribute } from '../../attribute.js';
import { tensorOf } from '../../evaluate/method-maps.js';
import type { ExplainingNetwork, ExplainOptions } from '../../explain.js';
import type { AttributionMethod, Smoothing } from '../../methods/gradients/attribution.js';

export interface InputMethod {
  readonly name: string;
  readonly title: string;
  /** Options of `explain`, and which of its maps; or those of `attribute`. */
  readonly explain?: Pick<ExplainOptions, 'statistic' | 'scaleWeights' | 'cam'>;
  readonly attribute?: { readonly method: AttributionMethod; readonly smoothing: Smoothing };
}

/** The steps of integrated gradients if they are smoothed: 15 samples with 20 steps each would be 300 passes a picture. */
const SMOOTHED_STEPS = 5;

export const INPUT_METHODS: readonly InputMethod[] = [
  gradients('integrated-gradients', 'Integrated Gradients'),
  gradients('gradient', 'Gradient'),
  gradients('guided-backprop', 'Guided Backprop'),
  { name: 'gradcam++', title: 'Grad-CAM++', attribute: { method: 'gradcam++', smoothing: 'none' } },
  maps('truncated-normal-entropy', 'equal', 'Truncated normal entropy, weights 1 1 1 1 1'),
  maps('smoe', 'equal', 'SMOE Scale, weights 1 1 1 1 1'),
  maps('smoe', 'ramp', 'SMOE Scale, weights 1 2 3 4 5'),
  maps('sd', 'prior', 'Standard deviation, prior weights'),
  maps('truncated-normal-entropy', 'prior', 'Truncated normal entropy, prior weights'),
  maps('smoe', 'prior', 'SMOE Scale, prior weights'),
  gradients('integrated-gradients', 'Integrated Gradients, SmoothGrad²', 'smoothgrad-squared'),
  gradients('guided-backprop', 'Guided Backprop, SmoothGrad²', 'smoothgrad-squared'),
  gradients('gradient', 'Gradient, SmoothGrad²', 'smoothgrad-squared'),
  {
    ...{ name: 'fastcam', title: 'SMOE Scale, prior weights, with Grad-CAM++' },
    explain: { statistic: 'smoe', scaleWeights: 'prior', cam: 'gradcam++' },
  },
];

function gradients(
  method: AttributionMethod,
  title: string,
  smoothing: Smoothing = 'none',
): InputMethod {
  const name = smoothing === 'none' ? method : `${method}:${smoothing}`;
  return { name, title, attribute: { method, smoothing } };
}

function maps(
  statistic: NonNullable<ExplainOptions['statistic']>,
  scaleWeights: 'equal' | 'ramp' | 'prior',
  title: string,
): InputMethod {
  return {
    ...{ name: `${statistic}:${scaleWeights}`, title },
    explain: { statistic, scaleWeights, cam: 'none' },
  };
}

/** Whether it uses the paper's prior weights. */
export function needsFiveScales(name: string): boolean {
  return INPUT_METHODS.find((method) => method.name === name)?.explain?.scaleWeights === 'prior';
}

/**
 * How salient the pixels of an input are, for the most likely class.
 *
 * @param input [H, W, channels]
 * @returns [H, W]
 */
export function methodMap(
  net: ExplainingNetwork,
  input: Float32Array,
  [H, W]: readonly [number, number],
  { explain, attribute: passes }: InputMethod,
): Float32Array {
  const tensor = tensorOf({ data: input, H, W });
  if (passes) {
    const { map } = attribute(net, tensor, { ...passes, steps: stepsOf(passes.smoothing) });
    return Float32Array.from(map.data);
  }
  const explanation = net.explain(tensor, explain!);
  const map = explain!.cam === 'none' ? explanation.combinedMap : explanation.fastcamMap!;
  return Float32Array.from(map.data);
}

function stepsOf(smoothing: Smoothing): number {
  return smoothing === 'none' ? 20 : SMOOTHED_STEPS;
}
