/** Mean pooling (../../js/mean-pool.ts): sums in doubles, two channels at a time. */

/** The mean over all pixels: sums in doubles, one channel at a time. */
export function globalMean(out: usize, x: usize, N: i32, pixels: i32, C: i32): void {
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      let sum: f64 = 0;
      let at = x + ((<usize>(n * pixels * C + c)) << 2);
      for (let p = 0; p < pixels; p++, at += (<usize>C) << 2) sum += load<f32>(at);
      store<f32>(out, <f32>(sum / <f64>pixels));
      out += 4;
    }
  }
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
        const corner = x + ((<usize>(((n * H + top) * W + left) * C)) << 2);
        const count = <f64>(rows * columns);
        const counts = f64x2.splat(count);
        const pairs = C & ~1;
        for (let c = 0; c < pairs; c += 2) {
          let sum = f64x2.splat(0);
          let line = corner + ((<usize>c) << 2);
          for (let iy = top; iy < bottom; iy++, line += (<usize>(W * C)) << 2) {
            let at = line;
            for (let ix = left; ix < right; ix++, at += (<usize>C) << 2) {
              sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(at)));
            }
          }
          const mean = f32x4.demote_f64x2_zero(f64x2.div(sum, counts));
          v128.store64_lane(out + ((<usize>c) << 2), mean, 0);
        }
        if (C & 1) {
          let sum: f64 = 0;
          let line = corner + ((<usize>pairs) << 2);
          for (let iy = top; iy < bottom; iy++, line += (<usize>(W * C)) << 2) {
            let at = line;
            for (let ix = left; ix < right; ix++, at += (<usize>C) << 2) sum += load<f32>(at);
          }
          store<f32>(out + ((<usize>pairs) << 2), <f32>(sum / count));
        }
        out += (<usize>C) << 2;
      }
    }
  }
}
