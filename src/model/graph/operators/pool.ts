/** The largest value or the mean of each window; with padding on four sides. */

import {
  maxPool as maxPoolKernel,
  meanPool as meanPoolKernel,
  type OperatorStep,
  type PoolShape,
  poolShape,
} from '../../../kernels/operators.js';
import { type Operator, stepOf, type ValueShape } from '../node.js';

export interface PoolAttributes {
  /** Height and width of the window. */
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads?: readonly [number, number, number, number];
  /** Whether a window that begins inside and ends outside counts too; default no. */
  readonly ceil?: boolean;
}

export interface Pool extends Operator {
  readonly attributes: PoolAttributes;
}

export interface MeanPool extends Pool {
  /** Whether padding counts as zeros. */
  readonly includePad: boolean;
}

export function maxPool(attributes: PoolAttributes): Pool {
  return {
    ...pool('maxPool', attributes, (shape) => ({
      numbers: numbersOf(shape),
      kernel: (out, [x]) => maxPoolKernel(out, x!, shape),
    })),
    range: ([x]) => x!,
  };
}

export function meanPool(attributes: PoolAttributes, includePad = false): MeanPool {
  return {
    includePad,
    ...pool('meanPool', attributes, (shape) => ({
      numbers: [...numbersOf(shape), shape.padBottom, shape.padRight, includePad ? 1 : 0],
      kernel: (out, [x]) => meanPoolKernel(out, x!, shape, includePad),
    })),
    range: ([x]) => ({ nonNegative: x!.nonNegative, sparse: false }),
  };
}

function pool(
  op: string,
  attributes: PoolAttributes,
  computed: (shape: PoolShape) => Pick<OperatorStep, 'numbers' | 'kernel'>,
): Pool {
  const { kernel, stride } = attributes;
  return {
    kind: op,
    attributes,
    stride: Math.max(...stride),
    shape([x]) {
      const { Hout, Wout, C } = shapeOf(op, attributes, 1, x!);
      return { H: Hout, W: Wout, C };
    },
    steps(context) {
      const { numbers, kernel: compute } = computed(
        shapeOf(op, attributes, context.N, context.inputs[0]!),
      );
      const step = stepOf(op, context, numbers, compute);
      const by = Math.max(...stride) > 1 ? `/${Math.max(...stride)}` : '';
      return [{ ...step, shape: `${kernel.join('×')}${by}, ${step.shape}` }];
    },
  };
}

function shapeOf(
  op: string,
  { kernel, stride, pads = [0, 0, 0, 0], ceil = false }: PoolAttributes,
  N: number,
  { H, W, C }: ValueShape,
): PoolShape {
  const [kH, kW] = kernel;
  const [strideY, strideX] = stride;
  const [padY, padX, padBottom, padRight] = pads;
  const border = { padY, padX, padBottom, padRight, ceil };
  return poolShape(op, { N, H, W, C, kH, kW, strideY, strideX, ...border });
}

function numbersOf(shape: PoolShape): number[] {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  return [N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout];
}
