/** The sum of two values of the same extents. If one comes from a convolution, the other can be its residual. */

import { ShapeError } from '../../../errors.js';
import { type ActivationFunction, add as addKernel, limitsOf } from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf } from '../node.js';
import { rangeOf } from './activation.js';

/** @param followedBy a function that clips */
export function add(followedBy?: ActivationFunction): Operator {
  const limits = limitsOf(followedBy)!;
  return {
    kind: 'add',
    inPlace: true,
    shape([a, b]) {
      if (a!.H === b!.H && a!.W === b!.W && a!.C === b!.C) return a!;
      throw new ShapeError(
        `add: ${extentsText(a!)} and ${extentsText(b!)} are not of the same extents`,
      );
    },
    range: (inputs) => {
      const range = rangeOf(followedBy, inputs);
      const isKept = limits[1] >= 0 && inputs.every(({ nonNegative }) => nonNegative);
      return { ...range, nonNegative: range.nonNegative || isKept };
    },
    withActivation: (activation) =>
      followedBy === undefined && limitsOf(activation) ? add(activation) : undefined,
    steps: (context) => {
      const { H, W, C } = context.shape;
      const numbers = [context.N * H * W * C, ...limits];
      return [stepOf('add', context, numbers, (y, [a, b]) => addKernel(y, a!, b!, limits))];
    },
  };
}

export function isAdd({ kind }: Operator): boolean {
  return kind === 'add';
}
