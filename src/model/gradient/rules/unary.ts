/** Functions of one element that are not activation functions, powers, and PReLU. */

import { powerGradient, preluGradient, unaryGradient } from '../../../kernels/gradient/index.js';
import { UNARY, type UnaryName } from '../../../kernels/operators.js';
import { backward, type Rule, stepOf } from '../rule.js';

export const UNARY_NAMES = Object.keys(UNARY) as UnaryName[];

export const unaryRule: Rule = (node) => {
  const name = stepOf(node, 1).op as UnaryName;
  const product = backward(
    node.shape,
    (N) => ({
      op: `${name}Gradient`,
      numbers: stepOf(node, N).numbers,
      kernel: (y, [g, x]) => unaryGradient(y, g!, x!, name),
    }),
    { inPlace: true },
  );
  return node.append(product, [node.gradient, node.input(0)]);
};

export const powerRule: Rule = (node) => {
  const product = backward(
    node.shape,
    (N) => {
      const { numbers } = stepOf(node, N);
      const exponent = numbers[1]!;
      return {
        op: 'powerGradient',
        numbers,
        kernel: (y, [g, x]) => powerGradient(y, g!, x!, exponent),
      };
    },
    { inPlace: true },
  );
  return node.append(product, [node.gradient, node.input(0)]);
};

export const preluRule: Rule = (node) => {
  const product = backward(
    node.shape,
    (N) => {
      const { weights, numbers } = stepOf(node, N);
      const extents = numbers as readonly [number, number];
      return {
        op: 'preluGradient',
        numbers,
        weights,
        kernel: (y, [g, x], vectors) => preluGradient(y, g!, x!, vectors!.scale, extents),
      };
    },
    { inPlace: true },
  );
  return node.append(product, [node.gradient, node.input(0)]);
};
