/**
 * Packs weights: rows of output channels, as files store them, become a panel of eight columns with
 * channels before taps, as a gathered pixel has them. Scales are doubles, so that a product is
 * rounded once.
 */

import { ROW } from './gemm';

/**
 * panel[tap·Cin + ic][j] = rows[j][ic·taps + tap] · scale[j], j < 8
 *
 * @returns false when a product is not finite
 * @param panel [K, 8]
 * @param rows [8, K], K = Cin·taps
 * @param scale [8], doubles
 */
export function packPanel(panel: usize, rows: usize, K: i32, taps: i32, scale: usize): bool {
  const rowBytes = (<usize>K) << 2;
  const step = (<usize>taps) << 2;
  const scale01 = v128.load(scale);
  const scale23 = v128.load(scale, 16);
  const scale45 = v128.load(scale, 32);
  const scale67 = v128.load(scale, 48);
  const end = rows + rowBytes;
  // Σ (v − v) is 0 as long as every v is finite, and NaN ever after.
  let nan = f32x4.splat(0);
  for (let tap = 0; tap < taps; tap++) {
    for (let at = rows + ((<usize>tap) << 2); at < end; at += step) {
      const v0 = scaledColumn(at, rowBytes, scale01, scale23);
      const v1 = scaledColumn(at + 4 * rowBytes, rowBytes, scale45, scale67);
      v128.store(panel, v0);
      v128.store(panel, v1, 16);
      nan = f32x4.add(nan, f32x4.add(f32x4.sub(v0, v0), f32x4.sub(v1, v1)));
      panel += ROW;
    }
  }
  return !v128.any_true(nan);
}

/** Four floats `rowBytes` apart, times four doubles. */
function scaledColumn(at: usize, rowBytes: usize, scale01: v128, scale23: v128): v128 {
  const low = v128.load32_lane(at + rowBytes, v128.load32_zero(at), 1);
  const high = v128.load32_lane(at + 3 * rowBytes, v128.load32_zero(at + 2 * rowBytes), 1);
  const products01 = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(low), scale01));
  const products23 = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(high), scale23));
  return v128.shuffle<f64>(products01, products23, 0, 2);
}
