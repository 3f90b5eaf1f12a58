/** PReLU: leaky ReLU with a separate slope for each channel (arXiv 1502.01852). */

import { ShapeError } from '../../../errors.js';
import { prelu as preluKernel } from '../../../kernels/operators.js';
import { stepOf } from '../node.js';
import type { VectorLayer } from './affine.js';

export interface Prelu extends VectorLayer {
  readonly kind: 'prelu';
}

/**
 * @param layer key of the layer's weights
 * @param slopeTensor name of a tensor [C]
 */
export function prelu(layer: string, slopeTensor: string, C: number): Prelu {
  return {
    kind: 'prelu',
    layer,
    channels: C,
    batchNorms: [{ gamma: slopeTensor }],
    isActivation: true,
    inPlace: true,
    shape([x]) {
      if (x!.C === C) return x!;
      throw new ShapeError(`prelu: x expected ${C} channels, got ${x!.C}`);
    },
    // Values ≥ 0 do not change.
    range: ([x]) => x!,
    steps(context) {
      const { H, W } = context.shape;
      const numbers = [context.N * H * W, C] as const;
      const step = stepOf('prelu', context, numbers, (y, [x], vectors) =>
        preluKernel(y, x!, vectors!.scale, numbers),
      );
      return [{ ...step, weights: layer }];
    },
  };
}
