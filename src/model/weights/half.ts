/**
 * The two 16-bit floats that weights are stored in, widened to float32 exactly. `Float16Array`
 * exists in Node 24 and up only.
 */

/** 2^(e − 25) for each of the 32 exponents of a binary16: the weight of its mantissa's last bit. */
const LAST_BIT: readonly number[] = Array.from(
  { length: 32 },
  (_, e) => 2 ** (Math.max(e, 1) - 25),
);

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 mantissa bits. */
export function halvesToFloat32(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    const implicitOne = exponent === 0 ? 0 : 1024;
    let magnitude = (implicitOne + mantissa) * LAST_BIT[exponent]!;
    if (exponent === 31) magnitude = mantissa ? Number.NaN : Number.POSITIVE_INFINITY;
    floats[i] = half & 0x8000 ? -magnitude : magnitude;
  }
  return floats;
}

/** bfloat16: the upper half of a float32. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}
