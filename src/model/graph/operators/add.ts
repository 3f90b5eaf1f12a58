/** The sum of two values of the same extents. One of them a convolution's: it is that one's residual. */

import { ShapeError } from '../../../errors.js';
import { add as addKernel } from '../../../kernels/index.js';
import { extentsText, type Operator, stepOf } from '../node.js';

export function add(relu = false): Operator {
  return {
    kind: 'add',
    inPlace: true,
    shape([a, b]) {
      if (a!.H === b!.H && a!.W === b!.W && a!.C === b!.C) return a!;
      throw new ShapeError(
        `add: ${extentsText(a!)} and ${extentsText(b!)} are not of the same extents`,
      );
    },
    range: (inputs) => ({
      nonNegative: relu || inputs.every((range) => range.nonNegative),
      sparse: relu,
    }),
    withRelu: () => add(true),
    steps: (context) => {
      const { H, W, C } = context.shape;
      const numbers = [context.N * H * W * C, relu ? 1 : 0];
      return [stepOf('add', context, numbers, (y, [a, b]) => addKernel(y, a!, b!, relu))];
    },
  };
}

export function isAdd({ kind }: Operator): boolean {
  return kind === 'add';
}
