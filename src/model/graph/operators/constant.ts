/** A value from the weights that does not depend on the picture: the same for every picture of a batch. */

import { repeat } from '../../../kernels/operators.js';
import { extentsText, type ValueShape } from '../node.js';
import type { VectorLayer } from './affine.js';

export interface Constant extends VectorLayer {
  readonly kind: 'constant';
}

/**
 * @param layer key of the layer's weights; nodes of the same tensor may share it
 * @param tensor name of a tensor of shape [H, W, C]
 * @param nonNegative whether no element is below 0
 */
export function constant(
  layer: string,
  tensor: string,
  { H, W, C }: ValueShape,
  nonNegative: boolean,
): Constant {
  const shape = { H, W, C };
  const length = H * W * C;
  return {
    kind: 'constant',
    layer,
    // Each element is packed as if it were the factor of a channel.
    channels: length,
    batchNorms: [{ gamma: tensor }],
    tensorShape: [H, W, C],
    shape: () => shape,
    range: () => ({ nonNegative, sparse: false }),
    steps: ({ N, out }) => [
      {
        op: 'repeat',
        inputs: [],
        out,
        weights: layer,
        numbers: [N, length],
        kernel: (y, _, vectors) => repeat(y, vectors!.scale, N),
        shape: extentsText(shape),
      },
    ],
  };
}
