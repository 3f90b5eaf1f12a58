/**
 * ReLU by itself: out = max(x, 0), any shape. Networks want it fused into a convolution (epilogue.ts);
 * it is a step of its own only where a statistic reads what lies before it.
 */

import { ShapeError } from '../../errors.js';

/**
 * @param out overwritten; as long as `x`; may be `x`
 * @param x any shape; NaN stays NaN
 * @throws {ShapeError} where the lengths differ
 */
export function relu(out: Float32Array, x: Float32Array): void {
  if (out.length !== x.length) {
    throw new ShapeError(`relu: out expected length ${x.length}, got ${out.length}`);
  }
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    out[i] = value < 0 ? 0 : value;
  }
}
