/** Max pooling (../../js/max-pool.ts), four channels at a time. */

export function maxPool(
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
): void {
  const vectors = C & ~3;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = max(oy * strideY - padY, 0);
      const bottom = min(oy * strideY - padY + kH, H);
      for (let ox = 0; ox < Wout; ox++) {
        const left = max(ox * strideX - padX, 0);
        const right = min(ox * strideX - padX + kW, W);
        const corner = x + ((<usize>(((n * H + top) * W + left) * C)) << 2);
        for (let c = 0; c < vectors; c += 4) {
          let value = f32x4.splat(-Infinity);
          // `pmax` is one instruction, `max` is seven. `pmax` loses NaNs; they are collected here.
          let nan = f32x4.splat(0);
          let line = corner + ((<usize>c) << 2);
          for (let iy = top; iy < bottom; iy++, line += (<usize>(W * C)) << 2) {
            let at = line;
            for (let ix = left; ix < right; ix++, at += (<usize>C) << 2) {
              const x = v128.load(at);
              value = f32x4.pmax(value, x);
              nan = v128.or(nan, f32x4.ne(x, x));
            }
          }
          v128.store(out + ((<usize>c) << 2), v128.or(value, nan));
        }
        for (let c = vectors; c < C; c++) {
          let value: f32 = -Infinity;
          let line = corner + ((<usize>c) << 2);
          for (let iy = top; iy < bottom; iy++, line += (<usize>(W * C)) << 2) {
            let at = line;
            for (let ix = left; ix < right; ix++, at += (<usize>C) << 2) {
              value = max<f32>(value, load<f32>(at));
            }
          }
          store<f32>(out + ((<usize>c) << 2), value);
        }
        out += (<usize>C) << 2;
      }
    }
  }
}
