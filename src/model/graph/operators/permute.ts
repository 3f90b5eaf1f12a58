/**
 * Reads a value as an array of any rank, transposes it, and reads the result as [H, W, C] again: reshapes,
 * transpositions, channel shuffles, space to depth. A reshape alone leaves the bytes where they are.
 */

import { ShapeError } from '../../../errors.js';
import { permutationOf, permute as permuteKernel } from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf, type ValueShape } from '../node.js';

/**
 * @param extents the shape as which [H, W, C], row-major, is read
 * @param order axis k of the result is axis order[k] of `extents`
 * @param to the shape as which the result, row-major, is read
 */
export function permute(
  extents: readonly number[],
  order: readonly number[],
  to: ValueShape,
): Operator {
  const permutation = permutationOf(extents, order);
  return {
    kind: 'permute',
    shape([x]) {
      const { H, W, C } = x!;
      const { size } = permutation;
      if (H * W * C !== size || to.H * to.W * to.C !== size) {
        throw new ShapeError(
          `permute: expected ${extentsText(x!)} and ${extentsText(to)} to have the elements of [${extents}]`,
        );
      }
      if (`${[...order].sort((a, b) => a - b)}` !== `${extents.map((_, i) => i)}`) {
        throw new ShapeError(`permute: order expected each axis of [${extents}], got [${order}]`);
      }
      return to;
    },
    range: ([x]) => x!,
    isIdentity: () => permutation.counts.length === 0,
    steps: (context) => {
      const { N } = context;
      const step = stepOf('permute', context, [N, ...extents, ...order], (y, [x]) =>
        permuteKernel(y, x!, N, permutation),
      );
      return [step];
    },
  };
}
