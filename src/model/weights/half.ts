/**
 * IEEE 754 binary16 → binary32, exactly: 1 sign, 5 exponent (bias 15), 10 mantissa bits.
 * `Float16Array` exists in Node 24 and up only.
 */
export function halfToFloat32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
