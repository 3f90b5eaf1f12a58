/** The gradient of a layer that sees its whole input at once, from the panels of its weights as they are packed. */

import { ROW } from './transposed-weights';

/**
 * Adds the part of eight outputs: out[k] += Σ_j gradient[j] · panel[k][j], j < `rows`.
 *
 * @param out [K]
 * @param gradient [rows], rows ≤ 8
 * @param panel [K, 8]
 */
export function addProducts(out: usize, gradient: usize, rows: i32, panel: usize, K: i32): void {
  const g0 = some(gradient, rows);
  const g1 = some(gradient + 16, rows - 4);
  // After a ReLU many gradients are 0.
  if (!v128.any_true(v128.or(f32x4.ne(g0, f32x4.splat(0)), f32x4.ne(g1, f32x4.splat(0))))) return;
  const end = out + ((<usize>K) << 2);
  for (; out + 16 <= end; out += 16, panel += 4 * ROW) {
    const p0 = product(panel, g0, g1);
    const p1 = product(panel + ROW, g0, g1);
    const p2 = product(panel + 2 * ROW, g0, g1);
    const p3 = product(panel + 3 * ROW, g0, g1);
    const p01 = f32x4.add(
      v128.shuffle<i32>(p0, p1, 0, 4, 1, 5),
      v128.shuffle<i32>(p0, p1, 2, 6, 3, 7),
    );
    const p23 = f32x4.add(
      v128.shuffle<i32>(p2, p3, 0, 4, 1, 5),
      v128.shuffle<i32>(p2, p3, 2, 6, 3, 7),
    );
    const sums = f32x4.add(v128.shuffle<i64>(p01, p23, 0, 2), v128.shuffle<i64>(p01, p23, 1, 3));
    v128.store(out, f32x4.add(v128.load(out), sums));
  }
  for (; out < end; out += 4, panel += ROW) {
    const p = product(panel, g0, g1);
    const even = f32x4.extract_lane(p, 0) + f32x4.extract_lane(p, 2);
    const odd = f32x4.extract_lane(p, 1) + f32x4.extract_lane(p, 3);
    store<f32>(out, load<f32>(out) + (even + odd));
  }
}

/** One row of a panel times eight gradients: four sums of two. */
function product(row: usize, g0: v128, g1: v128): v128 {
  return f32x4.add(f32x4.mul(v128.load(row), g0), f32x4.mul(v128.load(row, 16), g1));
}

/** Up to four floats, then zeros. */
function some(x: usize, count: i32): v128 {
  if (count >= 4) return v128.load(x);
  let v = f32x4.splat(0);
  if (count > 0) v = f32x4.replace_lane(v, 0, load<f32>(x));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(x, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(x, 8));
  return v;
}
