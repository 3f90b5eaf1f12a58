/** Local response normalisation, as AlexNet and the first Inception have it. */

import { ShapeError } from '../../../errors.js';
import { lrn as lrnKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

/** @param size channels of the window */
export function lrn(size: number, alpha: number, beta: number, bias: number): Operator {
  return {
    kind: 'lrn',
    shape([x]) {
      if (Number.isInteger(size) && size >= 1) return x!;
      throw new ShapeError(`lrn: size expected a whole number ≥ 1, got ${size}`);
    },
    // With a positive bias and factor, as in every network, signs stay and 0 stays 0.
    range: ([x]) => (bias > 0 && alpha >= 0 ? x! : { nonNegative: false, sparse: false }),
    steps(context) {
      const { H, W, C } = context.shape;
      const extents = [context.N * H * W, C] as const;
      const parameters = { size, alpha, beta, bias };
      const numbers = [...extents, size, alpha, beta, bias];
      return [stepOf('lrn', context, numbers, (y, [x]) => lrnKernel(y, x!, extents, parameters))];
    },
  };
}
