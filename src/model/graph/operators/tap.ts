/** A statistic of a value's columns: [H, W, C] → [H, W]. SMOE Scale of a convolution is fused into the convolution. */

import { STATISTICS, type Statistic } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export interface Tap extends Operator {
  readonly kind: 'tap';
  readonly statistic: Statistic;
}

export function isTap(operator: Operator): operator is Tap {
  return operator.kind === 'tap';
}

export function tap(statistic: Statistic): Tap {
  return {
    kind: 'tap',
    statistic,
    shape: ([x]) => ({ H: x!.H, W: x!.W, C: 1 }),
    steps(context) {
      const { H, W, C } = context.inputs[0]!;
      const { compute } = STATISTICS[statistic];
      return [stepOf(statistic, context, [context.N * H * W, C], (y, [x]) => compute(y, x!, C))];
    },
  };
}
