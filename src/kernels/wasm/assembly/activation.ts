/**
 * Activation functions (../../js/activation.ts) of two straight lines, four elements at a time; the same bits:
 *
 *   x > 0 ? min(x, most) : max(slope·x, least)
 */

export function lines(out: usize, x: usize, length: i32, slope: f32, least: f32, most: f32): void {
  const slopes = f32x4.splat(slope);
  const floors = f32x4.splat(least);
  const ceilings = f32x4.splat(most);
  const end = x + ((<usize>length) << 2);
  while (x < end) {
    // The elements behind the last whole vector come one by one, in the first lane.
    const isWhole = x + 16 <= end;
    const value = isWhole ? v128.load(x) : v128.load32_zero(x);
    const above = f32x4.pmin(value, ceilings);
    const below = f32x4.max(f32x4.mul(value, slopes), floors);
    const result = v128.bitselect(above, below, f32x4.gt(value, f32x4.splat(0)));
    if (isWhole) v128.store(out, result);
    else v128.store32_lane(out, result, 0);
    const step = isWhole ? 16 : 4;
    x += step;
    out += step;
  }
}
