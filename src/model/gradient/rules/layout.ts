/** What only moves elements. */

import { flatten } from '../../../kernels/operators.js';
import { backward, type Rule } from '../rule.js';

export const flattenRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { H, W, C } = inputs[0]!;
  const back = backward(inputs[0]!, (N) => {
    const numbers = [N, C, H * W] as const;
    return { op: 'flatten', numbers, kernel: (y, [g]) => flatten(y, g!, numbers) };
  });
  return append(back, [gradient]);
};
