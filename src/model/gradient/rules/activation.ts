/** Activation functions. */

import {
  activationGradient,
  type CurvedName,
  clipGradient,
  gradientWords,
} from '../../../kernels/gradient/index.js';
import { limitsOf } from '../../../kernels/operators.js';
import { backward, type Rule, stepOf } from '../rule.js';

export const activationRule: Rule = (node) => {
  const { append, gradient, guided, inputs } = node;
  const { name, parameters } = stepOf(node, 1).activation!;
  const limits = limitsOf({ name, parameters });
  const length = (N: number): number => stepOf(node, N).numbers[0]!;
  if (limits) {
    const [least, most] = limits;
    const isRelu = least === 0;
    const floor = guided && isRelu ? 0 : Number.NEGATIVE_INFINITY;
    const mask = backward(
      inputs[0]!,
      (N) => ({
        op: 'clipGradient',
        numbers: [length(N), least, most, floor],
        kernel: (y, [g, value]) => clipGradient(y, g!, value!, [least, most], floor),
      }),
      { inPlace: true, sparse: isRelu },
    );
    return append(mask, [gradient, node.value()]);
  }
  const product = backward(
    inputs[0]!,
    (N) => ({
      op: 'activationGradient',
      numbers: [length(N), ...gradientWords(name, parameters)],
      kernel: (y, [g, x]) => activationGradient(y, g!, x!, name as CurvedName, parameters),
    }),
    { inPlace: true },
  );
  return append(product, [gradient, node.input(0)]);
};
