/**
 * A map as one vector, in the order of NCHW, which the weights after it expect. Before a linear layer it
 * is folded away (../fold.ts).
 */

import { flatten as flattenKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export function flatten(): Operator {
  return {
    kind: 'flatten',
    shape: ([x]) => ({ H: 1, W: 1, C: x!.H * x!.W * x!.C }),
    range: ([x]) => x!,
    isIdentity: ([x]) => x!.H * x!.W === 1,
    steps(context) {
      const { H, W, C } = context.inputs[0]!;
      const numbers = [context.N, H * W, C] as const;
      return [stepOf('flatten', context, numbers, (y, [x]) => flattenKernel(y, x!, numbers))];
    },
  };
}

export function isFlatten({ kind }: Operator): boolean {
  return kind === 'flatten';
}
