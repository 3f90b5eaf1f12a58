/** The extents of a convolution: what they may be, and the output that follows from them. */

import { ShapeError } from '../errors.js';
import type { Window } from './window.js';

/** Extents of a convolution's weight, without the picture it will meet. */
export interface Conv2dWeightShape {
  readonly Cin: number;
  readonly Cout: number;
  readonly kH: number;
  readonly kW: number;
  readonly groups: number;
}

/** Padding is of zeros. */
export interface Conv2dParameters extends Conv2dWeightShape, Window {
  /** From one tap of the kernel to the next, in rows and in columns; default 1. */
  readonly dilationY?: number;
  readonly dilationX?: number;
}

export interface Conv2dShape extends Conv2dParameters {
  readonly dilationY: number;
  readonly dilationX: number;
  readonly Hout: number;
  readonly Wout: number;
}

const COUNTS = ['N', 'H', 'W', 'Cin', 'Cout', 'kH', 'kW', 'groups', 'strideY', 'strideX'] as const;
const DILATIONS = ['dilationY', 'dilationX'] as const;
const PADS = ['padY', 'padX', 'padBottom', 'padRight'] as const;

/**
 * Checks the parameters and computes the output's height and width.
 *
 * @throws {ShapeError} for extents that are not whole or too small, channels that the groups do not
 * divide, or a kernel larger than the padded input
 */
export function conv2dShape(p: Conv2dParameters): Conv2dShape {
  const { padBottom = p.padY, padRight = p.padX, dilationY = 1, dilationX = 1 } = p;
  const all = { ...p, padBottom, padRight, dilationY, dilationX };
  for (const key of [...COUNTS, ...DILATIONS]) {
    if (!Number.isInteger(all[key]) || all[key] < 1) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 1, got ${all[key]}`);
    }
  }
  for (const key of PADS) {
    if (!Number.isInteger(all[key]) || all[key] < 0) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 0, got ${all[key]}`);
    }
  }
  if (p.Cin % p.groups !== 0 || p.Cout % p.groups !== 0) {
    throw new ShapeError(`conv2d: ${p.groups} groups do not divide ${p.Cin} → ${p.Cout} channels`);
  }
  const H = p.H + p.padY + padBottom;
  const W = p.W + p.padX + padRight;
  const Hout = Math.floor((H - dilationY * (p.kH - 1) - 1) / p.strideY) + 1;
  const Wout = Math.floor((W - dilationX * (p.kW - 1) - 1) / p.strideX) + 1;
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(
      `conv2d: kernel ${p.kH}×${p.kW} is larger than the padded input ${H}×${W}`,
    );
  }
  return { ...all, Hout, Wout };
}

/** Whether each output channel reads one input channel of many. */
export function isDepthwise({ Cin, groups }: Conv2dWeightShape): boolean {
  return groups > 1 && groups === Cin;
}

/**
 * The extents that weights are packed by: those of a depthwise convolution lie as if all its outputs read one
 * channel.
 */
export function packingShape(shape: Conv2dWeightShape): Conv2dWeightShape {
  return isDepthwise(shape) ? { ...shape, Cin: 1, groups: 1 } : shape;
}

/** Multiply–accumulates of direct convolution. */
export function conv2dMacs({ N, Hout, Wout, Cout, kH, kW, Cin, groups }: Conv2dShape): number {
  return (N * Hout * Wout * Cout * kH * kW * Cin) / groups;
}
