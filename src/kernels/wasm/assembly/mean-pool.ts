/**
 * Mean pooling (../../js/mean-pool.ts) with sums in doubles. The sums are in memory, so that a window is read
 * pixel by pixel, in the order of x, two channels at a time.
 */

import { local, SUMS } from './local';

/** Channels that are summed at a time. */
const CHANNELS: i32 = 256;

/** The mean over all pixels. */
export function globalMean(out: usize, x: usize, N: i32, pixels: i32, C: i32): void {
  meanPool(out, x, N, pixels, 1, C, pixels, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0);
}

export function meanPool(
  out: usize,
  x: usize,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  kH: i32,
  kW: i32,
  strideY: i32,
  strideX: i32,
  padY: i32,
  padX: i32,
  Hout: i32,
  Wout: i32,
  padBottom: i32,
  padRight: i32,
  includePad: i32,
): void {
  const sums = local + SUMS;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const y = oy * strideY - padY;
      const top = max(y, 0);
      const bottom = min(y + kH, H);
      const rows = includePad ? min(y + kH, H + padBottom) - y : bottom - top;
      for (let ox = 0; ox < Wout; ox++) {
        const x0 = ox * strideX - padX;
        const left = max(x0, 0);
        const right = min(x0 + kW, W);
        const columns = includePad ? min(x0 + kW, W + padRight) - x0 : right - left;
        const counts = f64x2.splat(<f64>(rows * columns));
        for (let c = 0; c < C; c += CHANNELS) {
          const width = min(CHANNELS, C - c);
          memory.fill(sums, 0, (<usize>width) << 3);
          let line = x + ((<usize>(((n * H + top) * W + left) * C + c)) << 2);
          for (let iy = top; iy < bottom; iy++, line += (<usize>(W * C)) << 2) {
            let at = line;
            for (let ix = left; ix < right; ix++, at += (<usize>C) << 2) addPixel(at, width);
          }
          let to = out + ((<usize>c) << 2);
          for (let i = 0; i < width; i += 2, to += 8) {
            const sum = v128.load(sums + ((<usize>i) << 3));
            const mean = f32x4.demote_f64x2_zero(f64x2.div(sum, counts));
            if (i + 1 < width) v128.store64_lane(to, mean, 0);
            else v128.store32_lane(to, mean, 0);
          }
        }
        out += (<usize>C) << 2;
      }
    }
  }
}

/** Adds `width` channels of one pixel to the sums. */
function addPixel(x: usize, width: i32): void {
  let sum = local + SUMS;
  const end = x + ((<usize>width) << 2);
  for (; x + 8 <= end; x += 8, sum += 16) {
    const values = f64x2.promote_low_f32x4(v128.load64_zero(x));
    v128.store(sum, f64x2.add(v128.load(sum), values));
  }
  if (x < end) store<f64>(sum, load<f64>(sum) + <f64>load<f32>(x));
}
