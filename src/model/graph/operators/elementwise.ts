/** What functions of one element have in common. */

import { type Operator, stepOf } from '../node.js';

/**
 * @param kernel of any shape; `out` may be `x`
 * @param numbers what a backend's own kernel takes behind the length
 */
export function elementwise(
  kind: string,
  kernel: (out: Float32Array, x: Float32Array) => void,
  numbers: readonly number[] = [],
): Operator {
  return {
    kind,
    shape: ([x]) => x!,
    inPlace: true,
    steps: (context) => {
      const { H, W, C } = context.shape;
      const length = context.N * H * W * C;
      return [stepOf(kind, context, [length, ...numbers], (y, [x]) => kernel(y, x!))];
    },
  };
}
