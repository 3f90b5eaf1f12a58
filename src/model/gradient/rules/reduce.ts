/** Sums, means, extremes along axes. */

import { reduceGradient } from '../../../kernels/gradient/index.js';
import type { Reduction } from '../../../kernels/operators.js';
import { backward, type Rule, stepOf } from '../rule.js';

export const REDUCTIONS: readonly Reduction[] = ['sum', 'mean', 'max', 'min'];

export const reduceRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { op } = stepOf(node, 1);
  const kind = op.slice('reduce-'.length) as Reduction;
  const isExtreme = kind === 'max' || kind === 'min';
  const spread = backward(inputs[0]!, (N) => {
    const { numbers } = stepOf(node, N);
    const extents = numbers.slice(0, 4) as [number, number, number, number];
    const [H, W, C] = numbers.slice(4).map(Boolean) as [boolean, boolean, boolean];
    return {
      op: `${op}Gradient`,
      numbers,
      kernel: (out, [g, x, y]) => reduceGradient(out, g!, x, y, kind, extents, { H, W, C }),
    };
  });
  return append(spread, isExtreme ? [gradient, node.input(0), node.value()] : [gradient]);
};
