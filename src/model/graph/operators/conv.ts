/**
 * Convolution, with the batch norms that were folded into it, and its epilogue:
 *
 *   value = activation( affine(conv(x) + bias) (+ residual) )
 *
 * A linear layer is a 1×1 convolution of a single pixel; after a flatten it is a convolution as large as the map.
 */

import { ShapeError } from '../../../errors.js';
import {
  type ActivationFunction,
  type Conv2dShape,
  type Conv2dWeightShape,
  conv2dShape,
} from '../../../kernels/operators.js';
import { extentsText, type Operator, type ValueShape } from '../node.js';
import { rangeOf } from './activation.js';
import type { BatchNorm } from './affine.js';

export interface ConvAttributes {
  /** Key of the layer's weights, and its name for people. */
  readonly layer: string;
  /** OIHW, or [Cout, Cin] for a linear layer. */
  readonly weight: TensorInfo;
  /** With weight norm: the name of the tensor with the lengths to which the rows of the weight are scaled. */
  readonly magnitude?: string;
  /** Name of the tensor [Cout]. */
  readonly bias?: string | undefined;
  /** Batch norms that were folded in, in their order. */
  readonly batchNorms: readonly BatchNorm[];
  readonly extents: Conv2dWeightShape;
  readonly strideY: number;
  readonly strideX: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly dilationY: number;
  readonly dilationX: number;
  /** Whether the second input is added. */
  readonly residual: boolean;
  /** The activation function in the epilogue. */
  readonly followedBy?: ActivationFunction;
}

/** A tensor of a file. */
export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Conv extends Operator, ConvAttributes {
  readonly kind: 'conv';
}

export function isConv(operator: Operator): operator is Conv {
  return operator.kind === 'conv';
}

/** The operator for these attributes. */
export function conv(attributes: ConvAttributes): Conv {
  const { layer, extents, residual, followedBy } = attributes;
  return {
    ...attributes,
    kind: 'conv',
    stride: Math.max(attributes.strideY, attributes.strideX),
    shape([x, added]) {
      const { Hout, Wout } = shapeOf(attributes, 1, x!);
      const shape = { H: Hout, W: Wout, C: extents.Cout };
      if (added && extentsText(added) !== extentsText(shape)) {
        throw new ShapeError(
          `conv2d: residual expected ${extentsText(shape)}, got ${extentsText(added)}`,
        );
      }
      return shape;
    },
    range: ([, ...added]) => rangeOf(followedBy, added),
    withActivation: (activation) =>
      followedBy ? undefined : conv({ ...attributes, followedBy: activation }),
    steps({ N, inputs, buffers, out, sparse }) {
      const shape = shapeOf(attributes, N, inputs[0]!);
      const [x, added] = buffers;
      const epilogue = {
        ...(residual && { residual: added! }),
        ...(followedBy && { activation: followedBy }),
      };
      return [{ op: 'conv2d', weights: layer, shape, x: x!, out, ...epilogue, sparse }];
    },
  };
}

/** A convolution without an epilogue. Default: stride 1, no border. */
export function plainConv(
  given: Pick<ConvAttributes, 'layer' | 'weight' | 'extents'> & Partial<ConvAttributes>,
): Conv {
  return conv({
    batchNorms: [],
    strideY: 1,
    strideX: 1,
    pads: [0, 0, 0, 0],
    dilationY: 1,
    dilationX: 1,
    residual: false,
    ...given,
  });
}

function shapeOf(
  { extents, strideY, strideX, pads, dilationY, dilationX }: ConvAttributes,
  N: number,
  { H, W, C }: ValueShape,
): Conv2dShape {
  if (C !== extents.Cin) {
    throw new ShapeError(`conv2d: x expected ${extents.Cin} channels, got ${C}`);
  }
  const [padY, padX, padBottom, padRight] = pads;
  const border = { padY, padX, padBottom, padRight, dilationY, dilationX };
  return conv2dShape({ N, H, W, ...extents, strideY, strideX, ...border });
}
