/** max(x, 0). Most ReLUs are fused into the node before them. */

import { type ActivationFunction, relu as reluKernel } from '../../../kernels/operators.js';
import type { Operator } from '../node.js';
import { elementwise } from './elementwise.js';

const RELU: ActivationFunction = { name: 'clip', parameters: [0, Number.POSITIVE_INFINITY] };

export function relu(): Operator {
  return {
    ...elementwise('relu', RELU, (out, x) => reluKernel(out, x)),
    range: () => ({ nonNegative: true, sparse: true }),
  };
}

export function isRelu({ kind }: Operator): boolean {
  return kind === 'relu';
}
