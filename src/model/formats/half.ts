/**
 * The two 16-bit floats that weights are stored in, widened to float32 exactly, and binary16 from
 * float32, rounded to the nearest. `Float16Array` exists in Node 24 and up only.
 */

import { roundToEven } from '../../kernels/precision.js';

/** 2^(e − 25) for each of the 32 exponents of a binary16: the weight of its mantissa's last bit. */
const LAST_BIT: readonly number[] = Array.from(
  { length: 32 },
  (_, e) => 2 ** (Math.max(e, 1) - 25),
);

/**
 * IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 mantissa bits.
 *
 * @param bytes two a value, little-endian, of any alignment
 */
export function decodeHalves(out: Float32Array, bytes: Uint8Array): void {
  for (let i = 0; i < out.length; i++) {
    const half = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    const implicitOne = exponent === 0 ? 0 : 1024;
    let magnitude = (implicitOne + mantissa) * LAST_BIT[exponent]!;
    if (exponent === 31) magnitude = mantissa ? Number.NaN : Number.POSITIVE_INFINITY;
    out[i] = half & 0x8000 ? -magnitude : magnitude;
  }
}

/** From here on the nearest binary16 is infinite: half a step beyond the largest, 65504. */
export const HALF_OVERFLOW = 65520;

/** float32 as bits: the smallest normal binary16, 2⁻¹⁴, half a step beyond the largest, and infinity. */
const SMALLEST_NORMAL = 0x38800000;
const OVERFLOW = 0x477ff000;
const INFINITE = 0x7f800000;

/**
 * The nearest binary16 of each float32, of two the even one; subnormals too. As IEEE 754 has it, what is
 * `HALF_OVERFLOW` or more becomes infinite; whoever does not want that looks first.
 *
 * @param bytes two a value, little-endian, of any alignment
 */
export function encodeHalves(bytes: Uint8Array, x: Float32Array): void {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
  for (let i = 0; i < x.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    let half: number;
    if (magnitude > INFINITE) half = 0x7e00;
    else if (magnitude >= OVERFLOW) half = 0x7c00;
    else if (magnitude < SMALLEST_NORMAL) half = roundToEven(Math.abs(x[i]!) * 2 ** 24);
    // The exponent's bias goes from 127 to 15. Half a last bit is added, less where the bit is even, and a
    // carry that leaves the mantissa is the exponent's.
    else half = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    half |= (bits[i]! >>> 16) & 0x8000;
    bytes[2 * i] = half;
    bytes[2 * i + 1] = half >> 8;
  }
}

/** bfloat16: the upper half of a float32. @param bytes as of `decodeHalves` */
export function decodeBfloat16(out: Float32Array, bytes: Uint8Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) {
    bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  }
}
