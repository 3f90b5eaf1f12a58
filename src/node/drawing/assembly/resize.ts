/**
 * The first pass of ../../../image/resize.ts, along rows. It takes most of the time. It has the same whole numbers, and so
 * the same bits.
 */

/** Fraction bits of a weight. */
const FRACTION_BITS: i32 = 22;

/**
 * RGBA pixels [rows, extent] → [rows, outputs], opaque.
 *
 * @param first [outputs], the first source position of each output
 * @param count [outputs], its source positions
 * @param weights [outputs, most]
 * @returns whether all pixels read were opaque
 */
export function resizeRows(
  out: usize,
  x: usize,
  rows: i32,
  extent: i32,
  outputs: i32,
  first: usize,
  count: usize,
  weights: usize,
  most: i32,
): bool {
  let seen = i32x4.splat(255);
  for (let row = 0; row < rows; row++, x += (<usize>extent) << 2) {
    for (let i = 0; i < outputs; i++, out += 4) {
      let at = x + ((<usize>load<i32>(first + ((<usize>i) << 2))) << 2);
      const end = at + ((<usize>load<i32>(count + ((<usize>i) << 2))) << 2);
      let weight = weights + ((<usize>(i * most)) << 2);
      let sum = i32x4.splat(1 << (FRACTION_BITS - 1));
      for (; at < end; at += 4, weight += 4) {
        const half = i16x8.extend_low_i8x16_u(v128.load32_zero(at));
        const pixel = i32x4.extend_low_i16x8_u(half);
        seen = v128.and(seen, pixel);
        sum = i32x4.add(sum, i32x4.mul(pixel, v128.load32_splat(weight)));
      }
      const whole = i32x4.shr_s(sum, FRACTION_BITS);
      const halves = i16x8.narrow_i32x4_s(whole, whole);
      const bytes = i8x16.narrow_i16x8_u(halves, halves);
      v128.store32_lane(out, v128.or(bytes, i32x4.splat(0xff000000)), 0);
    }
  }
  return i32x4.extract_lane(seen, 3) === 255;
}
