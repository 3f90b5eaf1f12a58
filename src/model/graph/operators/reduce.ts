/** Sums, means, extremes … along some axes; their extents become 1. For the mean of a map see adaptive-mean.ts. */

import { type Reduction, reduce as reduceKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export function reduce(kind: Reduction, axes: readonly ('H' | 'W' | 'C')[]): Operator {
  const reduced = { H: axes.includes('H'), W: axes.includes('W'), C: axes.includes('C') };
  return {
    kind: 'reduce',
    shape: ([x]) => ({
      H: reduced.H ? 1 : x!.H,
      W: reduced.W ? 1 : x!.W,
      C: reduced.C ? 1 : x!.C,
    }),
    range: ([x]) => ({
      nonNegative: x!.nonNegative,
      sparse: false,
    }),
    steps(context) {
      const { H, W, C } = context.inputs[0]!;
      const extents = [context.N, H, W, C] as const;
      const numbers = [...extents, ...Object.values(reduced).map(Number)];
      return [
        stepOf(`reduce-${kind}`, context, numbers, (y, [x]) =>
          reduceKernel(y, x!, kind, extents, reduced),
        ),
      ];
    },
  };
}
