/**
 * `fastcam/gradients`: the methods that need a backward pass, and class activation maps of networks whose classifier
 * is not linear. `fastcam` alone does not contain it.
 */

import { type AttributeOptions, attribute } from './attribute.js';
import type { ExplainingNetwork, FloatTensor } from './explain.js';
import type { Picture } from './image/index.js';
import type { Attribution } from './methods/gradients/attribution.js';
import { attributionMap } from './methods/gradients/attribution-map.js';

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
export { BASELINES } from './methods/gradients/integrated-gradients.js';
export { REDUCTIONS } from './methods/gradients/reduction.js';
export { SCORES, type Score } from './model/gradient/score.js';
export { type AttributeOptions, attribute, attributionMap };

/** A network with methods that need gradients. */
export interface GradientNetwork extends ExplainingNetwork {
  /** See the function `attribute`. */
  attribute(image: Picture | FloatTensor, options?: AttributeOptions): Attribution;
}

/** Adds `attribute` to a network. */
export function withGradients<Net extends ExplainingNetwork>(net: Net): Net & GradientNetwork {
  const own: Pick<GradientNetwork, 'attribute'> = {
    attribute: (image, options) => attribute(net, image, options),
  };
  return Object.assign(net, own) as Net & GradientNetwork;
}
