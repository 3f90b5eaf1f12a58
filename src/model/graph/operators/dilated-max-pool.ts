/** The largest value of a window whose elements lie apart; any other max pool is pool.ts. */

import { ShapeError } from '../../../errors.js';
import { dilatedMaxPool as dilatedMaxPoolKernel, poolShape } from '../../../kernels/index.js';
import { type Operator, stepOf, type ValueShape } from '../node.js';
import type { PoolAttributes } from './pool.js';

/**
 * @param attributes `kernel` counts the elements of the window
 * @param dilation from one of them to the next, in rows and in columns
 */
export function dilatedMaxPool(
  attributes: PoolAttributes,
  dilation: readonly [number, number],
): Operator {
  const { kernel, stride, pads = [0, 0, 0, 0], ceil = false } = attributes;
  const [kH, kW] = kernel.map((k, i) => (k - 1) * dilation[i]! + 1) as [number, number];
  const shapeOf = (N: number, x: ValueShape) => {
    if (!dilation.every((d) => Number.isInteger(d) && d >= 1)) {
      throw new ShapeError(`dilatedMaxPool: dilation expected whole numbers ≥ 1, got ${dilation}`);
    }
    const [strideY, strideX] = stride;
    const [padY, padX, padBottom, padRight] = pads;
    const border = { padY, padX, padBottom, padRight, ceil };
    return poolShape('dilatedMaxPool', { N, ...x, kH, kW, strideY, strideX, ...border });
  };
  return {
    kind: 'dilatedMaxPool',
    stride: Math.max(...stride),
    shape([x]) {
      const { Hout, Wout, C } = shapeOf(1, x!);
      return { H: Hout, W: Wout, C };
    },
    range: ([x]) => x!,
    steps(context) {
      const { N, inputs } = context;
      const shape = shapeOf(N, inputs[0]!);
      const { H, W, C, strideY, strideX, padY, padX, Hout, Wout } = shape;
      const extents = [N, H, W, C, ...kernel, strideY, strideX, padY, padX, Hout, Wout];
      return [
        stepOf('dilatedMaxPool', context, [...extents, ...dilation], (y, [x]) =>
          dilatedMaxPoolKernel(y, x!, shape, dilation),
        ),
      ];
    },
  };
}
