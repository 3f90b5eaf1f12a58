/** The largest value of each channel: a max pool whose window is the whole map. */

import type { Operator } from '../node.js';
import { maxPool } from './pool.js';

export function globalMax(): Operator {
  return {
    kind: 'globalMax',
    shape: ([x]) => ({ H: 1, W: 1, C: x!.C }),
    range: ([x]) => x!,
    steps(context) {
      const { H, W } = context.inputs[0]!;
      return maxPool({ kernel: [H, W], stride: [1, 1] }).steps(context);
    },
  };
}
