/** What activation functions have in common. */

import type { ActivationFunction } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

/** @param kernel of any shape; `out` may be `x` */
export function elementwise(
  kind: string,
  activation: ActivationFunction,
  kernel: (out: Float32Array, x: Float32Array) => void,
): Operator {
  return {
    kind,
    isActivation: true,
    activation,
    shape: ([x]) => x!,
    inPlace: true,
    steps: (context) => {
      const { H, W, C } = context.shape;
      const numbers = [context.N * H * W * C];
      return [{ ...stepOf(kind, context, numbers, (y, [x]) => kernel(y, x!)), activation }];
    },
  };
}
