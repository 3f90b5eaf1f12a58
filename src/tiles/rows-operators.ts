/** The two operators that strips add to a graph: rows that are given from outside, and a selection of rows. */

import { type Operator, stepOf, type ValueRange, type ValueShape } from '../model/graph/node.js';

/** A value that the caller writes before the pass. @param range what is known of its elements */
export function held(shape: ValueShape, range: ValueRange): Operator {
  return { kind: 'held', shape: () => shape, range: () => range, steps: () => [] };
}

/**
 * Rows `begin` … `begin + count − 1` of its inputs, put below each other: [h₀, W, C], [h₁, W, C] → [count, W, C].
 * May be stored in place of the first input.
 */
export function rows(begin: number, count: number): Operator {
  return {
    kind: 'rows',
    inPlace: true,
    isIdentity: (inputs) => inputs.length === 1 && begin === 0 && inputs[0]!.H === count,
    shape: ([x]) => ({ ...x!, H: count }),
    range: (inputs) => ({
      nonNegative: inputs.every((range) => range.nonNegative),
      sparse: inputs.every((range) => range.sparse),
    }),
    steps(context) {
      const { W, C } = context.shape;
      const row = W * C;
      return [
        stepOf('rows', context, [begin, count], (out, inputs) => {
          let above = 0;
          for (const x of inputs) {
            const first = Math.max(begin * row - above, 0);
            const last = Math.min((begin + count) * row - above, x.length);
            // `set` copies as if through a temporary, so the first input may be `out`.
            if (first < last) out.set(x.subarray(first, last), above + first - begin * row);
            above += x.length;
          }
        }),
      ];
    },
  };
}
