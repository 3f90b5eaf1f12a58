/** Sums, factors of channels, concatenations: what keeps columns together. */

import { split } from '../../../kernels/gradient/index.js';
import { mulColumns } from '../../../kernels/operators.js';
import { backward, type Rule, stepOf } from '../rule.js';

export const addRule: Rule = ({ gradient }) => gradient;

/** Batch norms that were not folded: only the factors matter. */
export const affineRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { H, W, C } = inputs[0]!;
  const factors = backward(
    inputs[0]!,
    (N) => {
      const numbers = [1, N * H * W, C] as const;
      return {
        op: 'mul',
        numbers,
        weights: stepOf(node, N).weights,
        kernel: (y, [g], vectors) => mulColumns(y, g!, vectors!.scale, numbers),
      };
    },
    { inPlace: true },
  );
  return append(factors, [gradient]);
};

/** Concatenation along any axis, and zeros for channels: part i is copied out. */
export const concatRule: Rule = (node, i) => {
  const part = backward(node.inputs[i]!, (N) => {
    const numbers = stepOf(node, N, i).numbers as readonly [number, number, number, number];
    return { op: 'split', numbers, kernel: (y, [g]) => split(y, g!, numbers) };
  });
  return node.append(part, [node.gradient]);
};
