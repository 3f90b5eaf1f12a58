/** The extents of a pool: checks them, and computes those of the output. */

import { expectWhole, ShapeError } from '../errors.js';
import type { Window } from './window.js';

/** Padding is less than the kernel, so that every window overlaps the picture. */
export interface PoolParameters extends Window {
  readonly C: number;
  /** Whether a window that begins inside and ends outside counts too; default no. */
  readonly ceil?: boolean;
}

export interface PoolShape extends PoolParameters {
  readonly padBottom: number;
  readonly padRight: number;
  readonly Hout: number;
  readonly Wout: number;
}

/**
 * Checks the parameters and computes the output's extents. @throws {ShapeError} in the name of `operation`
 */
export function poolShape(operation: string, p: PoolParameters): PoolShape {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, ceil = false } = p;
  const { padBottom = padY, padRight = padX } = p;
  expectWhole(operation, { N, H, W, C, kH, kW, strideY, strideX });
  for (const [padding, kernel] of [
    [padY, kH],
    [padX, kW],
    [padBottom, kH],
    [padRight, kW],
  ] as const) {
    if (!Number.isInteger(padding) || padding < 0 || padding >= kernel) {
      throw new ShapeError(`${operation}: padding expected 0…${kernel - 1}, got ${padding}`);
    }
  }
  const Hout = extent(H, padY, padBottom, kH, strideY, ceil);
  const Wout = extent(W, padX, padRight, kW, strideX, ceil);
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(
      `${operation}: window ${kH}×${kW} is larger than the padded input ${H + padY + padBottom}×${W + padX + padRight}`,
    );
  }
  return { ...p, padBottom, padRight, Hout, Wout };
}

/** PyTorch's rule: a last window that would begin in the padding is left out. */
function extent(
  n: number,
  before: number,
  after: number,
  kernel: number,
  stride: number,
  ceil: boolean,
): number {
  const room = n + before + after - kernel;
  if (room < 0) return 0;
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return ceil && (count - 1) * stride >= n + before ? count - 1 : count;
}
