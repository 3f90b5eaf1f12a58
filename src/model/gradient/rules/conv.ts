/**
 * The gradient of a convolution with respect to its input, by one of two ways:
 *
 *   stride 1    a convolution with flipped weights. Winograd's algorithm and the sparse kernel serve it, too
 *   otherwise   a matrix product: for each output pixel a number for each tap, and then their sums (col2im)
 *
 * A linear layer, or a convolution as large as its map, is the second without sums. It reads its weights as they are. A
 * depthwise convolution with a stride is the first, after zeros are inserted between the gradient's pixels.
 */

import {
  type Arrangement,
  col2im,
  col2imNumbers,
  linearGradient,
  renewWeights,
  type TransposedLayer,
  transposedShape,
} from '../../../kernels/gradient/index.js';
import { type Conv2dShape, gather, isConv2d, isDepthwise } from '../../../kernels/operators.js';
import type { Operator, ValueShape } from '../../graph/node.js';
import { type Conv, plainConv } from '../../graph/operators/conv.js';
import { backward, type Differentiated, type Rule, stepsOf } from '../rule.js';

/** An operator that reads the weights of a layer in another arrangement. */
export interface TransposedOperator extends Operator {
  readonly transposed: TransposedLayer;
  /** Key of the arrangement, and of the layer's own weights. */
  readonly layer: string;
  readonly own: string;
}

export function isTransposed(operator: Operator): operator is TransposedOperator {
  return 'transposed' in operator;
}

export const convRule: Rule = (node) => {
  const { operator, append, inputs, gradient } = node;
  const { layer, extents } = operator as Conv;
  const shape = shapeOf(node, 1);
  const { kH, kW, groups, Hout, Wout } = shape;
  const isWholeMap = Hout * Wout === 1 && groups === 1 && kH === shape.H && kW === shape.W;
  if (isWholeMap && shape.padY + shape.padX === 0) return append(linear(node), [gradient]);
  const hasBorder = flippedPads(shape).every((pad) => pad >= 0);
  if (hasBorder && (isFlippable(shape) || isDepthwise(shape))) {
    const from = isStrided(shape) ? append(inserted(node, shape), [gradient]) : gradient;
    const transposed: TransposedLayer = { shape: extents, arrangement: 'flipped' };
    return withWeights(node, layer, transposed, flippedPads(shape), from);
  }
  const transposed: TransposedLayer = { shape: extents, arrangement: 'columns' };
  const columns = withWeights(node, layer, transposed, [0, 0, 0, 0], gradient);
  const sums = backward(inputs[0]!, (N) => {
    const own = shapeOf(node, N);
    return { op: 'col2im', numbers: col2imNumbers(own), kernel: (y, [g]) => col2im(y, g!, own) };
  });
  return append(sums, [columns]);
};

/** Two nodes may share a layer, and need it in different arrangements. */
function keyOf(layer: string, arrangement: Arrangement): string {
  return `∂${layer} ${arrangement}`;
}

function linear({ operator, inputs }: Differentiated): TransposedOperator {
  const { layer: own, extents } = operator as Conv;
  const layer = keyOf(own, 'linear');
  const step = () => ({
    op: 'linearGradient',
    numbers: [],
    weights: layer,
    kernel: linearGradient,
  });
  return {
    ...backward(inputs[0]!, step),
    transposed: { shape: extents, arrangement: 'linear' },
    layer,
    own,
  };
}

/** The step that rearranges the weights, and the convolution with them. */
function withWeights(
  { append, operator }: Differentiated,
  layer: string,
  transposed: TransposedLayer,
  pads: readonly [number, number, number, number],
  from: number,
): number {
  const { dilationY, dilationX } = operator as Conv;
  const isFlipped = transposed.arrangement === 'flipped';
  const key = keyOf(layer, transposed.arrangement);
  const one: ValueShape = { H: 1, W: 1, C: 1 };
  append(
    backward(one, () => ({ op: 'renew', numbers: [], kernel: renewWeights, weights: key })),
    [],
  );
  const plain = plainConv({
    layer: key,
    weight: { name: key, shape: [] },
    extents: transposedShape(transposed),
    pads,
    ...(isFlipped && { dilationY, dilationX }),
  });
  // `own` and `transposed` tell which weights are needed; fusing keeps them.
  const made: TransposedOperator = { ...plain, transposed, own: layer };
  return append(made, [from]);
}

function shapeOf(node: Differentiated, N: number): Conv2dShape {
  const step = stepsOf(node, N)[0]!;
  if (isConv2d(step)) return step.shape;
  throw new TypeError('conv: no convolution');
}

function isStrided({ strideY, strideX }: Conv2dShape): boolean {
  return strideY * strideX > 1;
}

/**
 * Whether a convolution with flipped weights is at most half as much work again as the matrix product: it computes
 * every input pixel from every output pixel and the border.
 */
function isFlippable(shape: Conv2dShape): boolean {
  const { H, W, Hout, Wout } = shape;
  return !isStrided(shape) && H * W <= 1.5 * Hout * Wout;
}

/** The border with which a flipped convolution at stride 1 gives the extents of the input. */
function flippedPads(shape: Conv2dShape): [number, number, number, number] {
  const { H, W, kH, kW, strideY, strideX, dilationY, dilationX, padY, padX, Hout, Wout } = shape;
  const top = dilationY * (kH - 1) - padY;
  const left = dilationX * (kW - 1) - padX;
  // The last rows and columns that the kernel reaches at its stride; what is beyond has the gradient 0.
  const bottom = H - 1 - (Hout - 1) * strideY + padY;
  const right = W - 1 - (Wout - 1) * strideX + padX;
  return [top, left, bottom, right];
}

/** Zeros between the pixels of the gradient, as many as the stride left out. */
function inserted(
  { shape: { C, H, W } }: Differentiated,
  { strideY, strideX }: Conv2dShape,
): Operator {
  const rows = spread(H, strideY);
  const columns = spread(W, strideX);
  const channels = Int32Array.from({ length: C }, (_, c) => c);
  const tables = { H, W, C, rows, columns, channels };
  return backward({ H: rows.length, W: columns.length, C }, (N) => ({
    op: 'insert',
    numbers: [N, H, W, C, strideY, strideX],
    kernel: (y, [g]) => gather(y, g!, N, tables, 0),
  }));
}

/** Where each element comes from; −1 for zeros. */
function spread(extent: number, stride: number): Int32Array {
  return Int32Array.from({ length: (extent - 1) * stride + 1 }, (_, i) =>
    i % stride === 0 ? i / stride : -1,
  );
}
