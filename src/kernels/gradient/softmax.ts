/**
 * Gradients of softmax and its logarithm from their values y, with g the gradient of y. Sums are over the channels of
 * each pixel, or over the pixels of each channel, and are doubles:
 *
 *   softmax       outᵢ = yᵢ·(gᵢ − Σⱼ gⱼ·yⱼ)
 *   logSoftmax    outᵢ = gᵢ − e^yᵢ·Σⱼ gⱼ
 */

import type { ActivationValues } from '../js/activation.js';

/**
 * @param out [N, pixels, C], overwritten; may be `gradient`
 * @param y [N, pixels, C], as `gradient`
 * @param overPixels over the pixels of each channel, not the channels of each pixel
 */
export function softmaxGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  y: ActivationValues,
  [N, pixels, C]: readonly [number, number, number],
  overPixels: boolean,
  log: boolean,
): void {
  const along = log ? logSoftmaxAlong : softmaxAlong;
  if (overPixels) {
    for (let n = 0; n < N; n++) {
      for (let c = 0; c < C; c++) along(out, gradient, y, n * pixels * C + c, pixels, C);
    }
  } else {
    for (let p = 0; p < N * pixels; p++) along(out, gradient, y, p * C, C, 1);
  }
}

function softmaxAlong(
  out: ActivationValues,
  gradient: ActivationValues,
  y: ActivationValues,
  base: number,
  count: number,
  stride: number,
): void {
  const end = base + count * stride;
  let sum = 0;
  for (let i = base; i < end; i += stride) sum += gradient[i]! * y[i]!;
  for (let i = base; i < end; i += stride) out[i] = y[i]! * (gradient[i]! - sum);
}

function logSoftmaxAlong(
  out: ActivationValues,
  gradient: ActivationValues,
  y: ActivationValues,
  base: number,
  count: number,
  stride: number,
): void {
  const end = base + count * stride;
  let sum = 0;
  for (let i = base; i < end; i += stride) sum += gradient[i]!;
  for (let i = base; i < end; i += stride) out[i] = gradient[i]! - Math.exp(y[i]!) * sum;
}
