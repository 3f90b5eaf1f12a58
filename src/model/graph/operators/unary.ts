/** Functions of one element that are not activation functions: no scale ends at them. */

import { power as powerKernel, UNARY, type UnaryName } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

/** Functions that are never below 0; functions that are ≥ 0 for x ≥ 0; and functions that keep 0. */
const NON_NEGATIVE: readonly UnaryName[] = ['abs', 'exp', 'sqrt', 'square'];
const SIGN_KEEPING: readonly UnaryName[] = ['reciprocal', 'erf', 'softsign'];
const ZERO_KEEPING: readonly UnaryName[] = ['abs', 'sqrt', 'square', 'erf', 'softsign'];

export function unary(name: UnaryName): Operator {
  return {
    ...elementwise(name, UNARY[name], []),
    range: ([x]) => ({
      nonNegative: NON_NEGATIVE.includes(name) || (x!.nonNegative && SIGN_KEEPING.includes(name)),
      sparse: x!.sparse && ZERO_KEEPING.includes(name),
    }),
  };
}

/** x ** exponent. For x < 0 the result is NaN unless the exponent is whole. */
export function power(exponent: number): Operator {
  return {
    ...elementwise('power', (out, x) => powerKernel(out, x, exponent), [exponent]),
    range: ([x]) => ({
      nonNegative: x!.nonNegative || exponent % 2 === 0,
      sparse: x!.sparse && exponent > 0,
    }),
  };
}

/** @param numbers the step's numbers, besides the function's name */
function elementwise(
  kind: string,
  kernel: (out: Float32Array, x: Float32Array) => void,
  numbers: readonly number[],
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
