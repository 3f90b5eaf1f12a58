/**
 * Global average pooling, NHWC: out[n, c] = mean over the pixels of x[n, ·, c]. Sums are doubles.
 *
 * @param out [N, C], overwritten
 * @param x [N, pixels, C]
 */
export function globalAveragePool(
  out: Float32Array,
  x: Float32Array,
  N: number,
  pixels: number,
  C: number,
): void {
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const end = (n + 1) * pixels * C;
      let sum = 0;
      for (let i = n * pixels * C + c; i < end; i += C) sum += x[i]!;
      out[n * C + c] = sum / pixels;
    }
  }
}
