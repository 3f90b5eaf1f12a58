/**
 * Normalizes to mean 0 and variance 1 with the value's own statistics: for each pixel's column, or for groups of
 * channels over the whole map. The factors and summands of such a norm are a separate node (affine.ts).
 */

import { ShapeError } from '../../../errors.js';
import { normalize as normalizeKernel } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

/** @param eps added to the variance */
export function normalize(over: 'column' | { readonly groups: number }, eps: number): Operator {
  const groups = over === 'column' ? 1 : over.groups;
  return {
    kind: 'normalize',
    inPlace: true,
    shape([x]) {
      const { C } = x!;
      if (Number.isInteger(groups) && groups >= 1 && C % groups === 0) return x!;
      throw new ShapeError(`normalize: ${groups} groups do not divide ${C} channels`);
    },
    steps(context) {
      const { N } = context;
      const { H, W, C } = context.shape;
      const maps = over === 'column' ? ([N * H * W, 1, C] as const) : ([N, H * W, C] as const);
      return [
        stepOf('normalize', context, [...maps, groups, eps], (y, [x]) =>
          normalizeKernel(y, x!, maps, groups, eps),
        ),
      ];
    },
  };
}
