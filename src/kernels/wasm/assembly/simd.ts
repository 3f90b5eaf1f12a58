/** The operations that differ between the two builds, and copies that are too short for memory.copy. */

/**
 * a·b + c in each lane. One rounding if the build has relaxed SIMD and the machine has fused
 * multiply–add; otherwise two.
 */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** Bytes of `a` by the numbers in `s`, all below 16. */
export function swizzle(a: v128, s: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(a, s) : i8x16.swizzle(a, s);
}

/** Copies whole floats, vectors first. For lengths that are too short for memory.copy to be fast. */
export function copyFloats(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  const vectors = to + (bytes & ~15);
  for (; to < vectors; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(from));
}
