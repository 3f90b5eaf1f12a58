/** Gradients of operators that treat every pixel's column alike. */

/** The gradient of the global mean: each pixel gets its share. */
export function globalMeanGradient(out: usize, gradient: usize, N: i32, pixels: i32, C: i32): void {
  const bytes = (<usize>C) << 2;
  const whole = bytes & ~15;
  const share: f32 = 1 / <f32>pixels;
  const shares = f32x4.splat(share);
  for (let n = 0; n < N; n++, gradient += bytes) {
    for (let p = 0; p < pixels; p++, out += bytes) {
      let c: usize = 0;
      for (; c < whole; c += 16) {
        v128.store(out + c, f32x4.mul(v128.load(gradient + c), shares));
      }
      for (; c < bytes; c += 4) store<f32>(out + c, load<f32>(gradient + c) * share);
    }
  }
}

/** The gradient of the factors of channels: out[n, c] = Σ_p gradient·x. */
export function factorGradient(
  out: usize,
  gradient: usize,
  x: usize,
  N: i32,
  pixels: i32,
  C: i32,
): void {
  const bytes = (<usize>C) << 2;
  const whole = bytes & ~15;
  const picture = <usize>pixels * bytes;
  for (let n = 0; n < N; n++, out += bytes, gradient += picture, x += picture) {
    let c: usize = 0;
    for (; c < whole; c += 16) {
      let sum = f32x4.splat(0);
      for (let at = c; at < picture; at += bytes) {
        sum = f32x4.add(sum, f32x4.mul(v128.load(gradient + at), v128.load(x + at)));
      }
      v128.store(out + c, sum);
    }
    for (; c < bytes; c += 4) {
      let sum: f32 = 0;
      for (let at = c; at < picture; at += bytes) {
        sum += load<f32>(gradient + at) * load<f32>(x + at);
      }
      store<f32>(out + c, sum);
    }
  }
}
