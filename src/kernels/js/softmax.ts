/**
 * Softmax: outᵢ = e^(xᵢ − m)/Σⱼ e^(xⱼ − m), where m is the largest xᵢ; or its logarithm,
 * outᵢ = xᵢ − m − ln Σⱼ e^(xⱼ − m). NHWC: over the channels of each pixel, or over the pixels of each channel.
 *
 * The exponentials are rounded to float32 before they are divided: within 2⁻²³ relative. The logarithm is rounded
 * once. As in PyTorch, the outputs are NaN if one of the xᵢ is NaN or +∞, or if all are −∞.
 */

/**
 * @param out [N, pixels, C], overwritten; may be `x`
 * @param x [N, pixels, C]
 * @param overPixels over the pixels of each channel, not the channels of each pixel
 * @param log whether to compute the logarithm
 */
export function softmax(
  out: Float32Array,
  x: Float32Array,
  [N, pixels, C]: readonly [number, number, number],
  overPixels: boolean,
  log: boolean,
): void {
  const along = log ? logSoftmaxAlong : softmaxAlong;
  if (overPixels) {
    for (let n = 0; n < N; n++) {
      for (let c = 0; c < C; c++) along(out, x, n * pixels * C + c, pixels, C);
    }
  } else {
    for (let p = 0; p < N * pixels; p++) along(out, x, p * C, C, 1);
  }
}

function softmaxAlong(
  out: Float32Array,
  x: Float32Array,
  base: number,
  count: number,
  stride: number,
): void {
  const end = base + count * stride;
  const most = largest(x, base, end, stride);
  let sum = 0;
  for (let i = base; i < end; i += stride) {
    const value = Math.exp(x[i]! - most);
    sum += value;
    out[i] = value;
  }
  for (let i = base; i < end; i += stride) out[i] = out[i]! / sum;
}

function logSoftmaxAlong(
  out: Float32Array,
  x: Float32Array,
  base: number,
  count: number,
  stride: number,
): void {
  const end = base + count * stride;
  const most = largest(x, base, end, stride);
  let sum = 0;
  for (let i = base; i < end; i += stride) sum += Math.exp(x[i]! - most);
  const logSum = Math.log(sum);
  for (let i = base; i < end; i += stride) out[i] = x[i]! - most - logSum;
}

function largest(x: Float32Array, base: number, end: number, stride: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = base; i < end; i += stride) most = Math.max(most, x[i]!);
  return most;
}
