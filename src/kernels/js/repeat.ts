/** out[n, i] = x[i]: a value that is the same for every picture. @param out [N, length], overwritten; @param x [length] */
export function repeat(out: Float32Array, x: Float32Array, N: number): void {
  for (let n = 0; n < N; n++) out.set(x, n * x.length);
}
