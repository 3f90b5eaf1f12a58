/**
 * The two 16-bit floats that weights are stored in, widened to float32 exactly. `Float16Array` exists in
 * Node 24 and up only.
 */

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

/** bfloat16: the upper half of a float32. @param bytes as of `decodeHalves` */
export function decodeBfloat16(out: Float32Array, bytes: Uint8Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) {
    bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  }
}
