/** Concatenates maps along their rows or their columns. For channels see concat.ts. */

import { ShapeError } from '../../../errors.js';
import { concat as concatKernel } from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf } from '../node.js';

export function concatAlong(axis: 'H' | 'W'): Operator {
  const other = axis === 'H' ? 'W' : 'H';
  return {
    kind: 'concatAlong',
    shape(inputs) {
      const first = inputs[0]!;
      const odd = inputs.find((shape) => shape[other] !== first[other] || shape.C !== first.C);
      if (odd) {
        throw new ShapeError(
          `concat along ${axis}: ${extentsText(first)} and ${extentsText(odd)} differ elsewhere, too`,
        );
      }
      return { ...first, [axis]: inputs.reduce((sum, shape) => sum + shape[axis], 0) };
    },
    range: (inputs) => ({
      nonNegative: inputs.every((range) => range.nonNegative),
      sparse: inputs.every((range) => range.sparse),
    }),
    // Uses the kernel of concat.ts: each picture (or each row) is treated as one wide column.
    steps(context) {
      const { N, inputs, shape } = context;
      const inner = axis === 'H' ? shape.W * shape.C : shape.C;
      const rows = axis === 'H' ? N : N * shape.H;
      let end = 0;
      return inputs.map((input, i) => {
        const length = input[axis] * inner;
        end += length;
        const part = { ...context, inputs: [input], buffers: [context.buffers[i]!] };
        const numbers = [rows, length, shape[axis] * inner, end - length] as const;
        return stepOf('concat', part, numbers, (y, [x]) => concatKernel(y, x!, numbers));
      });
    },
  };
}
