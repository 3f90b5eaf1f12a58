/**
 * Gradients of reductions, NHWC. The gradient of a sum goes to each of its elements, that of a mean is divided by
 * their number n; that of a maximum or minimum is divided equally among the elements that are equal to it, as by
 * PyTorch's amax.
 */

import type { ActivationValues } from '../js/activation.js';
import type { ReducedAxes, Reduction } from '../js/reduce.js';

/**
 * @param out [N, H, W, C], overwritten
 * @param gradient [N, H or 1, W or 1, C or 1], as `y`
 * @param x the reduction's input, and `y` its value; only max and min read them
 */
export function reduceGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues | undefined,
  y: ActivationValues | undefined,
  kind: Reduction,
  [N, H, W, C]: readonly [number, number, number, number],
  axes: ReducedAxes,
): void {
  const [keptH, keptW, keptC] = [axes.H ? 1 : H, axes.W ? 1 : W, axes.C ? 1 : C];
  const [spanH, spanW, spanC] = [H / keptH, W / keptW, C / keptC];
  const share = kind === 'mean' ? 1 / (spanH * spanW * spanC) : 1;
  let o = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < keptH; oy++) {
      for (let ox = 0; ox < keptW; ox++) {
        const base = ((n * H + oy) * W + ox) * C;
        for (let oc = 0; oc < keptC; oc++, o++) {
          const block = [base + oc, spanH, W * C, spanW, C, spanC] as const;
          if (x && y) divide(out, gradient[o]!, x, y[o]!, block);
          else fill(out, gradient[o]! * share, block);
        }
      }
    }
  }
}

/** Elements that are reduced together: rows, pixels of a row, channels of a pixel. */
type Block = readonly [
  base: number,
  rows: number,
  rowStride: number,
  pixels: number,
  pixelStride: number,
  channels: number,
];

function fill(
  out: ActivationValues,
  value: number,
  [base, rows, rowStride, pixels, pixelStride, channels]: Block,
): void {
  for (let row = 0; row < rows; row++) {
    for (let p = 0; p < pixels; p++) {
      const begin = base + row * rowStride + p * pixelStride;
      for (let i = begin; i < begin + channels; i++) out[i] = value;
    }
  }
}

/** Divides `value` among the elements of x that are `extreme`; the others get 0. */
function divide(
  out: ActivationValues,
  value: number,
  x: ActivationValues,
  extreme: number,
  [base, rows, rowStride, pixels, pixelStride, channels]: Block,
): void {
  let count = 0;
  for (let row = 0; row < rows; row++) {
    for (let p = 0; p < pixels; p++) {
      const begin = base + row * rowStride + p * pixelStride;
      for (let i = begin; i < begin + channels; i++) if (x[i] === extreme) count++;
    }
  }
  const part = value / count;
  for (let row = 0; row < rows; row++) {
    for (let p = 0; p < pixels; p++) {
      const begin = base + row * rowStride + p * pixelStride;
      for (let i = begin; i < begin + channels; i++) out[i] = x[i] === extreme ? part : 0;
    }
  }
}
