/**
 * The two 16-bit floats that weights are stored in, widened to float32 exactly. `Float16Array` exists in
 * Node 24 and up only.
 */

import { valueOfHalf } from '../../kernels/operators.js';

/** Exponent bits of values that are not finite. */
const NON_FINITE = 31 << 10;

/**
 * IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 mantissa bits.
 *
 * @param bytes two for each value, little-endian, of any alignment
 */
export function decodeHalves(out: Float32Array, bytes: Uint8Array): void {
  for (let i = 0; i < out.length; i++) {
    const half = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    out[i] = (half & NON_FINITE) === NON_FINITE ? nonFinite(half) : valueOfHalf(half);
  }
}

function nonFinite(half: number): number {
  if ((half & 1023) > 0) return Number.NaN;
  return half & 0x8000 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** bfloat16: the upper half of a float32. @param bytes as for `decodeHalves` */
export function decodeBfloat16(out: Float32Array, bytes: Uint8Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) {
    bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  }
}
