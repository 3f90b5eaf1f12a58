/**
 * Mean 0 and variance 1, by the value's own statistics: of each pixel's column, or of groups of channels over the
 * whole map. Factors and summands that come with such a norm are affine.ts.
 */

import { ShapeError } from '../../../errors.js';
import { normalizeColumns, normalizeGroups } from '../../../kernels/index.js';
import { type Operator, stepOf } from '../node.js';

/** @param eps added to the variance */
export function normalize(over: 'column' | { readonly groups: number }, eps: number): Operator {
  return {
    kind: 'normalize',
    inPlace: true,
    shape([x]) {
      const { C } = x!;
      if (over === 'column') return x!;
      if (Number.isInteger(over.groups) && over.groups >= 1 && C % over.groups === 0) return x!;
      throw new ShapeError(`normalize: ${over.groups} groups do not divide ${C} channels`);
    },
    steps(context) {
      const { N } = context;
      const { H, W, C } = context.shape;
      if (over === 'column') {
        const columns = [N * H * W, C] as const;
        return [
          stepOf('normalizeColumns', context, [...columns, eps], (y, [x]) =>
            normalizeColumns(y, x!, columns, eps),
          ),
        ];
      }
      const { groups } = over;
      const maps = [N, H * W, C] as const;
      return [
        stepOf('normalizeGroups', context, [...maps, groups, eps], (y, [x]) =>
          normalizeGroups(y, x!, maps, groups, eps),
        ),
      ];
    },
  };
}
