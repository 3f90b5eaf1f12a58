/** Which rows of its input a row of a value depends on. */

import { ShapeError } from '../errors.js';
import { UNARY } from '../kernels/operators.js';
import type { Operator, ValueShape } from '../model/graph/node.js';
import { conv, isConv } from '../model/graph/operators/conv.js';
import { type MeanPool, maxPool, meanPool, type Pool } from '../model/graph/operators/pool.js';

/**
 * Row o reads rows o·stride − pad … o·stride − pad + reach of the first input; beyond the ends there is padding. Other
 * inputs, such as the residual of a convolution, are read at row o.
 */
export interface Window {
  readonly stride: number;
  readonly pad: number;
  /** The last row of the window, counted from its first. */
  readonly reach: number;
  /** The same operator for a part of the picture, with this padding above and below. */
  padded(top: number, bottom: number): Operator;
  readonly padBottom: number;
}

/** Operators that compute each row from the same row of their inputs. */
const ROW_BY_ROW: readonly string[] = [
  ...['affine', 'prelu', 'add', 'mul', 'arithmetic', 'concat', 'padChannels'],
  ...['lrn', 'power', 'tap', ...Object.keys(UNARY)],
];

/** @returns undefined for an operator that computes each row from the same row */
export function windowOf(operator: Operator): Window | undefined {
  if (isConv(operator)) {
    const { extents, strideY, dilationY, pads } = operator;
    return {
      ...{ stride: strideY, pad: pads[0], padBottom: pads[2] },
      reach: (extents.kH - 1) * dilationY,
      padded: (top, bottom) => conv({ ...operator, pads: [top, pads[1], bottom, pads[3]] }),
    };
  }
  if (!isPool(operator)) return undefined;
  const { attributes } = operator;
  const { kernel, stride, pads = [0, 0, 0, 0] } = attributes;
  return {
    ...{ stride: stride[0], pad: pads[0], padBottom: pads[2], reach: kernel[0] - 1 },
    padded(top, bottom) {
      const moved = { ...attributes, pads: [top, pads[1], bottom, pads[3]] as const };
      const { kind, includePad } = operator as MeanPool;
      return kind === 'maxPool' ? maxPool(moved) : meanPool(moved, includePad);
    },
  };
}

function isPool(operator: Operator): operator is Pool {
  return operator.kind === 'maxPool' || operator.kind === 'meanPool';
}

/** Whether rows of the value depend on a few rows of its inputs, whatever the height of the picture. */
export function isByRows(operator: Operator, inputs: readonly ValueShape[]): boolean {
  const { kind } = operator;
  if (windowOf(operator) || operator.isActivation || ROW_BY_ROW.includes(kind)) return true;
  if (kind === 'slice' || kind === 'pad') return keepsHeight(operator, inputs[0]!);
  if (kind !== 'softmax' && kind !== 'logSoftmax' && kind !== 'normalize') return false;
  const shape = inputs[0]!;
  const [step] = operator.steps({
    ...{ N: 1, inputs, shape, buffers: [0], out: 0, sparse: false },
  });
  const numbers = step && 'numbers' in step ? step.numbers : [];
  // Over the channels of a pixel: softmax says so by a 0, and a norm has one pixel in each group.
  return kind === 'normalize' ? numbers[1] === 1 : numbers[3] === 0;
}

/** Whether the operator works on pictures of any height, and does not change it. */
function keepsHeight(operator: Operator, shape: ValueShape): boolean {
  try {
    return [shape.H, shape.H - 1].every((H) => operator.shape([{ ...shape, H }]).H === H);
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}
