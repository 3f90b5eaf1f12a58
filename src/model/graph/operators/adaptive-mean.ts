/** Mean pooling from any extents to given ones. To 1×1 it is the global mean. */

import { adaptiveMeanPool } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

export interface AdaptiveMean extends Operator {
  readonly kind: 'adaptiveMean';
  readonly H: number;
  readonly W: number;
}

export function adaptiveMean(H: number, W: number): AdaptiveMean {
  return {
    kind: 'adaptiveMean',
    H,
    W,
    shape: ([x]) => ({ H, W, C: x!.C }),
    range: ([x]) => ({ nonNegative: x!.nonNegative, sparse: false }),
    isIdentity: ([x]) => x!.H === H && x!.W === W,
    steps(context) {
      const { H: fromH, W: fromW, C } = context.inputs[0]!;
      const extents = [context.N, fromH, fromW, C, H, W] as const;
      const isGlobal = H * W === 1;
      const numbers = isGlobal ? [context.N, fromH * fromW, C] : extents;
      const op = isGlobal ? 'globalMean' : 'adaptiveMean';
      return [stepOf(op, context, numbers, (y, [x]) => adaptiveMeanPool(y, x!, extents))];
    },
  };
}

export function isGlobalMean(operator: Operator): boolean {
  const { kind, H, W } = operator as AdaptiveMean;
  return kind === 'adaptiveMean' && H * W === 1;
}
