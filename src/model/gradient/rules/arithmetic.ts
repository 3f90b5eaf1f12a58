/** Arithmetic of two values, with broadcasting. */

import {
  arithmeticGradient,
  factorGradient,
  type Operand,
} from '../../../kernels/gradient/index.js';
import { type Arithmetic, broadcastOf } from '../../../kernels/operators.js';
import { mul } from '../../graph/operators/mul.js';
import { reduce } from '../../graph/operators/reduce.js';
import { backward, type Differentiated, type Rule, stepOf } from '../rule.js';

export const ARITHMETIC: readonly Arithmetic[] = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'];

/** A factor for each channel. */
export const mulRule: Rule = (node, i) => {
  const { append, gradient, inputs } = node;
  if (i === 0) return append(mul(), [gradient, node.input(1)]);
  const sums = backward(inputs[1]!, (N) => {
    const numbers = stepOf(node, N).numbers as readonly [number, number, number];
    const op = 'factorGradient';
    return { op, numbers, kernel: (y, [g, x]) => factorGradient(y, g!, x!, numbers) };
  });
  return append(sums, [gradient, node.input(0)]);
};

export const arithmeticRule: Rule = (node, i) => {
  const { append, inputs, shape } = node;
  const whole = wholeGradient(node, i);
  const axes = AXES.filter((axis) => inputs[i]![axis] !== shape[axis]);
  return axes.length > 0 ? append(reduce('sum', axes), [whole]) : whole;
};

const AXES = ['H', 'W', 'C'] as const;

/** The gradient of operand i, before the sum over the axes along which it is repeated. */
function wholeGradient(node: Differentiated, i: number): number {
  const { append, gradient, inputs, shape } = node;
  const { op } = stepOf(node, 1);
  const kind = op.slice('arithmetic-'.length) as Arithmetic;
  if (kind === 'add' || (kind === 'sub' && i === 0)) return gradient;
  const operand: Operand = i === 0 ? 'a' : 'b';
  const [a, b] = inputs.map(({ H, W, C }) => [H, W, C] as const);
  const partial = backward(
    shape,
    (N) => {
      const broadcast = broadcastOf(N, a!, b!);
      return {
        op: `${op}Gradient`,
        numbers: [N, ...a!, ...b!, i],
        kernel: (y, [g, p, q]) => arithmeticGradient(y, g!, p!, q!, kind, operand, broadcast),
      };
    },
    { inPlace: true },
  );
  return append(partial, [gradient, node.input(0), node.input(1)]);
}
