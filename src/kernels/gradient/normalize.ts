/**
 * The gradient of y = (x − mean)·r with r = 1/√(variance + eps), where the n elements of a block are normalized
 * together (../js/normalize.ts says which):
 *
 *   outᵢ = r·(gᵢ − Σⱼ gⱼ/n − yᵢ·Σⱼ gⱼ·yⱼ/n)
 *
 * Three passes over each block; sums are doubles. Without a variance and without eps, r is infinite: then the
 * gradient is 0, as y cannot change.
 */

import type { ActivationValues } from '../js/activation.js';

/**
 * @param out [N, pixels, C], overwritten; may be `gradient`
 * @param x [N, pixels, C], as `gradient`
 * @param groups that divide C
 */
export function normalizeGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  [N, pixels, C]: readonly [number, number, number],
  groups: number,
  eps: number,
): void {
  const width = C / groups;
  for (let n = 0; n < N; n++) {
    for (let group = 0; group < groups; group++) {
      blockGradient(out, gradient, x, n * pixels * C + group * width, pixels, C, width, eps);
    }
  }
}

/** `width` channels, starting at `base`, of pixels that are C elements apart. */
function blockGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  base: number,
  pixels: number,
  C: number,
  width: number,
  eps: number,
): void {
  const count = pixels * width;
  const end = base + pixels * C;
  let sum = 0;
  let gradients = 0;
  for (let from = base; from < end; from += C) {
    for (let i = from; i < from + width; i++) {
      sum += x[i]!;
      gradients += gradient[i]!;
    }
  }
  const mean = sum / count;
  let squares = 0;
  let products = 0;
  for (let from = base; from < end; from += C) {
    for (let i = from; i < from + width; i++) {
      const apart = x[i]! - mean;
      squares += apart * apart;
      products += gradient[i]! * apart;
    }
  }
  const variance = squares / count + eps;
  const factor = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  const shift = gradients / count;
  const slope = (products * factor * factor) / count;
  for (let from = base; from < end; from += C) {
    for (let i = from; i < from + width; i++) {
      out[i] = factor * (gradient[i]! - shift - slope * (x[i]! - mean));
    }
  }
}
