/**
 * `fastcam/gradients`: the methods that need a backward pass, and class activation maps of networks whose classifier
 * is not linear. `fastcam` alone does not contain it.
 */

import { type AttributeOptions, attribute, inputOf } from './attribute.js';
import type { ExplainOptions, FloatTensor } from './explain.js';
import type { Picture } from './image/index.js';
import { type SaliencyVector, saliencyVectorOf } from './methods/gradients/saliency-vector.js';
import type { Network } from './model/index.js';

export { activationNames } from './methods/gradients/activation-names.js';
export {
  ATTRIBUTION_METHODS,
  type Attribution,
  type AttributionMethod,
  type ChannelReduction,
  GRADIENT_METHODS,
  type GradientMethod,
  type NamedBaseline,
  SMOOTHINGS,
  type Smoothing,
} from './methods/gradients/attribution.js';
export { attributionMap } from './methods/gradients/attribution-map.js';
export { GRADIENT_POOLINGS, type GradientPooling } from './methods/gradients/bidicam.js';
export {
  COMPARED_METHODS,
  type ComparedMethod,
  METHOD_GROUPS,
  METHOD_TITLES,
  type MethodGroup,
} from './methods/gradients/comparison.js';
export {
  type ConditionalMaps,
  conditionalMaps,
  type ScaledMaps,
} from './methods/gradients/conditional.js';
export { BASELINES } from './methods/gradients/integrated-gradients.js';
export { REDUCTIONS } from './methods/gradients/reduction.js';
export type { PeakColumn } from './methods/gradients/saliency-vector.js';
export { type GradientGraph, type GradientOptions, gradient } from './model/gradient/gradient.js';
export { type GradientPass, type GradientRequest, gradientPass } from './model/gradient/pass.js';
export { SCORES, type Score, scoreOperator, usualScore } from './model/gradient/score.js';
export { type GradientNetwork, withGradients } from './with-gradients.js';
export { type AttributeOptions, attribute, type SaliencyVector };

/**
 * Where a picture is most salient, and the activations there at every scale: a short description of what the network
 * saw. One forward pass; SMOE Scale with the Gaussian normaliser.
 *
 * @param image as for `attribute`
 * @throws {ShapeError} as `explain`
 */
export function saliencyVector(
  net: Network,
  image: Picture | FloatTensor,
  options: Pick<ExplainOptions, 'fit' | 'size' | 'taps' | 'scaleWeights'> = {},
): SaliencyVector {
  const { taps = net.scales, scaleWeights = 'equal' } = options;
  return saliencyVectorOf(net, inputOf(net, image, options).input, taps, scaleWeights);
}
