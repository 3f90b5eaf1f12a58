/**
 * Operators on columns, channel by channel; NHWC, any number of pixels:
 *
 *   affine    out[p, c] = clip( scale[c]·x[p, c] + shift[c] )       batch norm that is not folded into a convolution
 *   concat    out[p, ·] = [ x₀[p, ·], x₁[p, ·], … ]
 *   add, mul  of two values, the sum clipped; mul by one column for every pixel
 *   relu      of every element; other activation functions are in activation.ts
 *   flatten   [H, W, C] → H·W·C values in the order of NCHW, which the weights of other frameworks expect
 *
 * `affine` and `concat` write the columns of one input into a wider output, starting at channel `begin`. A
 * concatenation is one call for each input, and nothing is copied twice.
 */

import { ShapeError } from '../../errors.js';
import type { Limits } from '../activation.js';

/**
 * @param out [pixels, width]; in each row `C` elements are overwritten, starting at `begin`
 * @param x [pixels, C]
 * @param scale [width], like `shift`
 */
export function affine(
  out: Float32Array,
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  [pixels, C, width, begin]: readonly [number, number, number, number],
  [least, most]: Limits,
): void {
  for (let p = 0; p < pixels; p++) {
    const from = p * C;
    const to = p * width + begin;
    for (let c = 0; c < C; c++) {
      const value = Math.fround(x[from + c]! * scale[begin + c]!) + shift[begin + c]!;
      // Comparisons with NaN are false, so NaN stays.
      const raised = value < least ? least : value;
      out[to + c] = raised > most ? most : raised;
    }
  }
}

/** Parameters as for `affine`. */
export function concat(
  out: Float32Array,
  x: Float32Array,
  [pixels, C, width, begin]: readonly [number, number, number, number],
): void {
  for (let p = 0; p < pixels; p++) {
    const from = p * C;
    const to = p * width + begin;
    for (let c = 0; c < C; c++) out[to + c] = x[from + c]!;
  }
}

/** out = clip(a + b). @param out any length, the same as `a` and `b`; may be either of them */
export function add(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  [least, most]: Limits,
): void {
  for (let i = 0; i < out.length; i++) {
    const value = a[i]! + b[i]!;
    const raised = value < least ? least : value;
    out[i] = raised > most ? most : raised;
  }
}

/**
 * out[n, p, c] = x[n, p, c]·factor[n, c]
 *
 * @param out [N, pixels, C], may be `x`
 * @param factor [N, C]
 */
export function mulColumns(
  out: Float32Array,
  x: Float32Array,
  factor: Float32Array,
  [N, pixels, C]: readonly [number, number, number],
): void {
  for (let n = 0; n < N; n++) {
    for (let p = n * pixels; p < (n + 1) * pixels; p++) {
      for (let c = 0; c < C; c++) out[p * C + c] = x[p * C + c]! * factor[n * C + c]!;
    }
  }
}

/** out[n, c, p] = x[n, p, c]. @param out [N, C, pixels]; @param x [N, pixels, C] */
export function flatten(
  out: Float32Array,
  x: Float32Array,
  [N, pixels, C]: readonly [number, number, number],
): void {
  for (let n = 0; n < N; n++) {
    for (let p = 0; p < pixels; p++) {
      const from = (n * pixels + p) * C;
      for (let c = 0; c < C; c++) out[(n * C + c) * pixels + p] = x[from + c]!;
    }
  }
}

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
    // No branch on the sign: signs are random, so half of the branch predictions would fail.
    const value = x[i]!;
    out[i] = value === -Infinity ? 0 : 0.5 * (value + Math.abs(value));
  }
}
