/** What functions of one element have in common. */

import { type Operator, stepOf } from '../node.js';

/** @param kernel of any shape; `out` may be `x` */
export function elementwise(
  kind: string,
  kernel: (out: Float32Array, x: Float32Array) => void,
): Operator {
  return {
    kind,
    shape: ([x]) => x!,
    inPlace: true,
    steps: (context) => {
      const { H, W, C } = context.shape;
      return [stepOf(kind, context, [context.N * H * W * C], (y, [x]) => kernel(y, x!))];
    },
  };
}
