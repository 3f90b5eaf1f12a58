/** A network with everything that needs gradients. */

import { type AttributeOptions, attribute, usualValues } from './attribute.js';
import type { ExplainingNetwork, FloatTensor } from './explain.js';
import type { Picture } from './image/index.js';
import type { Attribution } from './methods/gradients/attribution.js';
import { classActivationOf } from './methods/gradients/class-activation.js';
import type { CamMethod } from './methods/index.js';
import { gradientPass } from './model/gradient/pass.js';
import { usualScore } from './model/gradient/score.js';
import type { Network } from './model/index.js';

/** A network with methods that need gradients. */
export interface GradientNetwork extends ExplainingNetwork {
  /** See the function `attribute`. */
  attribute(image: Picture | FloatTensor, options?: AttributeOptions): Attribution;
}

/**
 * Adds `attribute` to a network, and lets `explain` make class activation maps if its classifier is not linear. These
 * are made from the last scale, with the usual score.
 */
export function withGradients<Net extends ExplainingNetwork>(net: Net): Net & GradientNetwork {
  const at = net.labels.length === 0 ? undefined : usualValues(net).at(-1);
  const own: Pick<GradientNetwork, 'attribute'> & Pick<Network, 'classActivation'> = {
    attribute: (image, options) => attribute(net, image, options),
    ...(at !== undefined && {
      classActivation: {
        at,
        make(out, features, [H, W], index, method) {
          const score = usualScore(net.labels.length);
          const pass = gradientPass(net, [1, H, W], { score, from: at });
          pass.input.set(features);
          pass.targets[0] = [index];
          pass.run();
          const gradients = pass.gradients[0]!;
          classActivationOf(out, features, gradients, pass.shapes[0]!, method as CamMethod);
        },
      },
    }),
  };
  return Object.assign(net, own) as Net & GradientNetwork;
}
