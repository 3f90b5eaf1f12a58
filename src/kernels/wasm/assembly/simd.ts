/** The operations that differ between the two builds. */

/**
 * a·b + c in each lane: one rounding where the build has relaxed SIMD and the machine fused
 * multiply–add, two elsewhere.
 */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** Bytes of `a` by the numbers in `s`, all below 16. */
export function swizzle(a: v128, s: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(a, s) : i8x16.swizzle(a, s);
}
