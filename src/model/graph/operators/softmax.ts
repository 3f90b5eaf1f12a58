/** Softmax, or its logarithm, over the channels of each pixel or over the pixels of each channel. */

import { softmax as softmaxKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export function softmax(axis: 'C' | 'HW', log = false): Operator {
  const overPixels = axis === 'HW';
  return {
    kind: log ? 'logSoftmax' : 'softmax',
    inPlace: true,
    shape: ([x]) => x!,
    range: () => ({ nonNegative: !log, sparse: false }),
    steps(context) {
      const { H, W, C } = context.shape;
      const extents = [context.N, H * W, C] as const;
      const numbers = [...extents, Number(overPixels)];
      const op = log ? 'logSoftmax' : 'softmax';
      return [
        stepOf(op, context, numbers, (y, [x]) => softmaxKernel(y, x!, extents, overPixels, log)),
      ];
    },
  };
}
