/** The extents of a convolution: checks them, and computes those of the output. */

import { expectWhole, ShapeError } from '../errors.js';
import type { Window } from './window.js';

/** Extents of a convolution's weight; the picture is not known yet. */
export interface Conv2dWeightShape {
  readonly Cin: number;
  readonly Cout: number;
  readonly kH: number;
  readonly kW: number;
  readonly groups: number;
}

/** Padding is filled with zeros. */
export interface Conv2dParameters extends Conv2dWeightShape, Window {
  /** Distance from one tap of the kernel to the next, in rows and in columns; default 1. */
  readonly dilationY?: number;
  readonly dilationX?: number;
}

export interface Conv2dShape extends Conv2dParameters {
  readonly dilationY: number;
  readonly dilationX: number;
  readonly Hout: number;
  readonly Wout: number;
}

/**
 * Checks the parameters and computes the output's height and width.
 *
 * @throws {ShapeError} for extents that are not whole or too small, channels that the groups do not
 * divide, or a kernel larger than the padded input
 */
export function conv2dShape(p: Conv2dParameters): Conv2dShape {
  const { N, Cin, Cout, kH, kW, groups, strideY, strideX, dilationY = 1, dilationX = 1 } = p;
  const { padY, padX, padBottom = padY, padRight = padX } = p;
  const counts = { N, H: p.H, W: p.W, Cin, Cout, kH, kW, groups };
  expectWhole('conv2d', { ...counts, strideY, strideX, dilationY, dilationX });
  expectWhole('conv2d', { padY, padX, padBottom, padRight }, 0);
  if (Cin % groups !== 0 || Cout % groups !== 0) {
    throw new ShapeError(`conv2d: ${groups} groups do not divide ${Cin} → ${Cout} channels`);
  }
  const H = p.H + padY + padBottom;
  const W = p.W + padX + padRight;
  const Hout = Math.floor((H - dilationY * (kH - 1) - 1) / strideY) + 1;
  const Wout = Math.floor((W - dilationX * (kW - 1) - 1) / strideX) + 1;
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(`conv2d: kernel ${kH}×${kW} is larger than the padded input ${H}×${W}`);
  }
  return { ...p, padBottom, padRight, dilationY, dilationX, Hout, Wout };
}

/** Whether each output channel reads only one of several input channels. */
export function isDepthwise({ Cin, groups }: Conv2dWeightShape): boolean {
  return groups > 1 && groups === Cin;
}

/**
 * The extents that decide the layout of packed weights. Depthwise weights are packed as if all outputs read the
 * same channel.
 */
export function packingShape(shape: Conv2dWeightShape): Conv2dWeightShape {
  return isDepthwise(shape) ? { ...shape, Cin: 1, groups: 1 } : shape;
}

/** Multiply–accumulates of direct convolution. */
export function conv2dMacs({ N, Hout, Wout, Cout, kH, kW, Cin, groups }: Conv2dShape): number {
  return (N * Hout * Wout * Cout * kH * kW * Cin) / groups;
}
