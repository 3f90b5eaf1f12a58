/** max(x, 0). Most are fused into what is before them. */

import { relu as reluKernel } from '../../../kernels/index.js';
import type { Operator } from '../node.js';
import { elementwise } from './elementwise.js';

export function relu(): Operator {
  const range = () => ({ nonNegative: true, sparse: true });
  return { ...elementwise('relu', (out, x) => reluKernel(out, x)), isActivation: true, range };
}

export function isRelu({ kind }: Operator): boolean {
  return kind === 'relu';
}
