/** The picture: [H, W, C]. */

import type { Operator } from '../node.js';

export interface Input extends Operator {
  readonly kind: 'input';
  readonly C: number;
}

export function input(C: number): Input {
  return { kind: 'input', C, shape: ([picture]) => ({ ...picture!, C }), steps: () => [] };
}
