/**
 * Precisions of the weights in memory. A backend widens them panel by panel when it uses them.
 *
 *   f32     4 bytes a weight
 *   f16     2 bytes: binary16 of w·2ᵏ, k such that the largest of an output channel is in [2¹⁴, 2¹⁵)
 *   int8    1 byte: the whole number nearest to w·127/max|w| of an output channel
 *
 * and one float32 for each output channel: it undoes the factor and includes the factor of the batch norm.
 * The factor of f16 is a power of two, so a weight that was binary16 keeps its value. No weight is
 * subnormal, because a subnormal costs x86 a hundred cycles. A weight below 2⁻²⁸ of its channel's
 * largest becomes 0. Weights of f16 are at most 2³⁰.
 */

export type Precision = 'f32' | 'f16' | 'int8';

/** Names of the precisions, the finest first. */
export const PRECISIONS: readonly Precision[] = ['f32', 'f16', 'int8'];

/** Bytes of a weight. */
export const WEIGHT_BYTES: Readonly<Record<Precision, number>> = { f32: 4, f16: 2, int8: 1 };

/**
 * The factor that encodes a channel's weights, from their largest magnitude. The factor and the products
 * are float32, so that every backend, and a file, has the same bytes.
 */
export function encodingFactor(precision: Precision, largest: number): number {
  if (precision === 'f32' || largest === 0) return 1;
  if (precision === 'int8') return Math.fround(127 / largest);
  return 2 ** (14 - Math.floor(Math.log2(largest)));
}

/** The largest magnitude. */
export function largestOf(x: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  return largest;
}

/** The nearest whole number; the even one if two are equally near. */
export function roundToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Bits of the binary16 nearest to `x`, ties to even; |x| < 2¹⁶ − 16. Below 2⁻¹⁴ it is 0. */
export function halfOf(x: number): number {
  FLOAT[0] = x;
  const bits = BITS[0]!;
  const magnitude = bits & 0x7fffffff;
  // 113 is the exponent of 2⁻¹⁴, 112 the difference of the biases.
  if (magnitude < 113 << 23) return 0;
  const rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return ((bits >> 16) & 0x8000) | ((rounded >> 13) - (112 << 10));
}

/** The value of a finite binary16. */
export function valueOfHalf(half: number): number {
  BITS[0] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
  return FLOAT[0]! * 2 ** 112;
}

const FLOAT = new Float32Array(1);
const BITS = new Int32Array(FLOAT.buffer);
