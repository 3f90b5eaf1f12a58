/** Adds channels of zeros before and after: the shortcut of CIFAR's ResNets, which has no weights. */

import { concat, type OperatorKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export function padChannels(before: number, behind: number): Operator {
  return {
    kind: 'padChannels',
    shape: ([x]) => ({ ...x!, C: before + x!.C + behind }),
    range: ([x]) => x!,
    steps(context) {
      const { H, W, C } = context.inputs[0]!;
      const numbers = [context.N * H * W, C, context.shape.C, before] as const;
      const kernel: OperatorKernel = (y, [x]) => {
        y.fill(0);
        concat(y, x!, numbers);
      };
      return [stepOf('padChannels', context, numbers, kernel)];
    },
  };
}
