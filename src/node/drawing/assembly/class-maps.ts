/**
 * The maps of a class. The same operations as in `classMaps` of ../../../methods/fastcam.ts, in double precision, with
 * the same bits.
 */

/**
 * The least and the greatest of n floats. NaN is ignored.
 *
 * @param out both, as floats; ±∞ where there is none
 * @param x followed by NaN up to a multiple of four
 */
export function extremes(out: usize, x: usize, n: i32): void {
  let least = f32x4.splat(Infinity);
  let most = f32x4.splat(-Infinity);
  const end = x + ((<usize>n) << 2);
  for (; x < end; x += 16) {
    const value = v128.load(x);
    least = f32x4.pmin(least, value);
    most = f32x4.pmax(most, value);
  }
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  store<f32>(out, f32x4.extract_lane(least, 0));
  store<f32>(out, f32x4.extract_lane(most, 0), 4);
}

/**
 * n class activations brought to [0, 1], in place; and the saliency times them, and times what they lack to 1.
 *
 * @param least of the activations
 * @param span of them
 */
export function cross(
  cam: usize,
  fastcam: usize,
  nonClass: usize,
  saliency: usize,
  n: i32,
  least: f64,
  span: f64,
): void {
  for (const end = cam + ((<usize>n) << 2); cam < end; cam += 8) {
    const own = f64x2.promote_low_f32x4(v128.load64_zero(cam));
    const place = f64x2.div(f64x2.sub(own, f64x2.splat(least)), f64x2.splat(span));
    const held = f64x2.pmin(f64x2.pmax(place, f64x2.splat(0)), f64x2.splat(1));
    const rounded = f32x4.demote_f64x2_zero(held);
    const share = f64x2.promote_low_f32x4(rounded);
    const seen = f64x2.promote_low_f32x4(v128.load64_zero(saliency));
    const without = f64x2.mul(seen, f64x2.sub(f64x2.splat(1), share));
    v128.store64_lane(cam, rounded, 0);
    v128.store64_lane(fastcam, f32x4.demote_f64x2_zero(f64x2.mul(seen, share)), 0);
    v128.store64_lane(nonClass, f32x4.demote_f64x2_zero(without), 0);
    saliency += 8;
    fastcam += 8;
    nonClass += 8;
  }
}
