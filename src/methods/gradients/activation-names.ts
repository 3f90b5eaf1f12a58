/** The values after every activation function: the authors' automatic mode measures at all of them. */

import { shapesOf } from '../../model/graph/node.js';
import type { Network } from '../../model/index.js';

/**
 * Names of the values that an activation function makes, in the order of the pass: for `taps` of `explain`, or `at` of
 * `attribute`. Values of 1×1 pixel have no map and are left out.
 */
export function activationNames(net: Network): string[] {
  const { graph } = net.prepared;
  const shapes = shapesOf(graph, ...net.ownSize);
  return graph.nodes
    .filter(({ operator }, i) => operator.isActivation && shapes[i]!.H * shapes[i]!.W > 1)
    .map(({ name }) => name);
}
