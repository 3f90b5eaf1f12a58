/** Multiplies each channel of a map by its own factor: [H, W, C] · [1, 1, C]. */

import { ShapeError } from '../../../errors.js';
import { mulColumns } from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf } from '../node.js';

export function mul(): Operator {
  return {
    kind: 'mul',
    inPlace: true,
    shape([x, factor]) {
      if (factor!.H * factor!.W === 1 && factor!.C === x!.C) return x!;
      throw new ShapeError(`mul: factor expected 1×1×${x!.C}, got ${extentsText(factor!)}`);
    },
    range: ([x, factor]) => ({
      nonNegative: x!.nonNegative && factor!.nonNegative,
      sparse: x!.sparse,
    }),
    steps: (context) => {
      const { H, W, C } = context.shape;
      const numbers = [context.N, H * W, C] as const;
      return [stepOf('mul', context, numbers, (y, [x, f]) => mulColumns(y, x!, f!, numbers))];
    },
  };
}
