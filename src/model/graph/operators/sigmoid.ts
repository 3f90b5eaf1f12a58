/** 1/(1 + e⁻ˣ). */

import { sigmoid as sigmoidKernel } from '../../../kernels/index.js';
import type { Operator } from '../node.js';
import { elementwise } from './elementwise.js';

export function sigmoid(): Operator {
  const range = () => ({ nonNegative: true, sparse: false });
  return { ...elementwise('sigmoid', sigmoidKernel), range };
}
