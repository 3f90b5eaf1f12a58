/** Sums, means, extremes … along some axes, whose extents become 1. The mean of a map is adaptive-mean.ts. */

import { type Reduction, reduce as reduceKernel } from '../../../kernels/index.js';
import { type Operator, stepOf } from '../node.js';

const NON_NEGATIVE: readonly Reduction[] = ['l1', 'l2', 'sumsquare'];
/** Nowhere below 0, where x is not. */
const SIGN_KEEPING: readonly Reduction[] = ['mean', 'sum', 'max', 'min'];

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
      nonNegative: NON_NEGATIVE.includes(kind) || (x!.nonNegative && SIGN_KEEPING.includes(kind)),
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
