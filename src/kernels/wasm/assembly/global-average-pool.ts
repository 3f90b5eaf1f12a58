/** Global average pooling (../../js/global-average-pool.ts): sums in doubles, one channel at a time. */

export function globalAveragePool(out: usize, x: usize, N: i32, pixels: i32, C: i32): void {
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
