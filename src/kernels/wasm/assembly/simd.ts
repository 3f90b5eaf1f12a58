/** The few vector operations that differ between the two builds or have no name of their own. */

/**
 * a·b + c in each lane: one rounding where the build has relaxed SIMD and the machine fused
 * multiply–add, two elsewhere.
 */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** max(x, 0); a NaN stays. `pmax` is one instruction, `max` several. */
export function relu(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}
