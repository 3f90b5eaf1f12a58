/**
 * ReLU by itself: out = max(x, 0), any shape. Networks want it fused into a convolution (epilogue.ts);
 * it is a step of its own only where a statistic reads what lies before it.
 */

import { ShapeError } from '../../errors.js';

/**
 * max(x, 0) of every element.
 *
 * @param out overwritten; as long as `x`; may be `x`
 * @param x any shape; NaN stays NaN
 * @throws {ShapeError} where the lengths differ
 */
export function relu(out: Float32Array, x: Float32Array): void {
  if (out.length !== x.length) {
    throw new ShapeError(`relu: out expected length ${x.length}, got ${out.length}`);
  }
  for (let i = 0; i < x.length; i++) {
    // No branch on the sign: signs come in no order, and half of the predictions would fail.
    const value = x[i]!;
    out[i] = value === -Infinity ? 0 : 0.5 * (value + Math.abs(value));
  }
}
