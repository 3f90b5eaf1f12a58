/**
 * Mean pooling, NHWC: out[n, oy, ox, c] = Σ over the window of x[n, iy, ix, c] / count. The count is the number
 * of the window's pixels inside the picture; with padding included, inside the padded picture.
 *
 * Adaptive pooling has an output of given extents, and its windows cover the picture: row oy is the mean of rows
 * ⌊oy·H/Hout⌋ … ⌈(oy + 1)·H/Hout⌉ − 1, as in PyTorch. 1×1 is the global mean. Sums are doubles.
 */

import type { PoolShape } from '../pool-shape.js';

/**
 * @param out [N, Hout, Wout, C], overwritten
 * @param x [N, H, W, C]
 * @param includePad whether padding counts as zeros
 */
export function meanPool(
  out: Float32Array,
  x: Float32Array,
  shape: PoolShape,
  includePad: boolean,
): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, padBottom, padRight } = shape;
  const { Hout, Wout } = shape;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const y = oy * strideY - padY;
      const top = Math.max(y, 0);
      const bottom = Math.min(y + kH, H);
      const rows = includePad ? Math.min(y + kH, H + padBottom) - y : bottom - top;
      for (let ox = 0; ox < Wout; ox++) {
        const x0 = ox * strideX - padX;
        const left = Math.max(x0, 0);
        const right = Math.min(x0 + kW, W);
        const columns = includePad ? Math.min(x0 + kW, W + padRight) - x0 : right - left;
        const o = ((n * Hout + oy) * Wout + ox) * C;
        meanOf(out, o, x, n * H, top, bottom, left, right, W, C, rows * columns);
      }
    }
  }
}

/** @param out [N, Hout, Wout, C], overwritten; @param x [N, H, W, C] */
export function adaptiveMeanPool(
  out: Float32Array,
  x: Float32Array,
  [N, H, W, C, Hout, Wout]: readonly [number, number, number, number, number, number],
): void {
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = Math.floor((oy * H) / Hout);
      const bottom = Math.ceil(((oy + 1) * H) / Hout);
      for (let ox = 0; ox < Wout; ox++) {
        const left = Math.floor((ox * W) / Wout);
        const right = Math.ceil(((ox + 1) * W) / Wout);
        const o = ((n * Hout + oy) * Wout + ox) * C;
        const count = (bottom - top) * (right - left);
        meanOf(out, o, x, n * H, top, bottom, left, right, W, C, count);
      }
    }
  }
}

/** One output pixel, channel by channel. */
function meanOf(
  out: Float32Array,
  o: number,
  x: Float32Array,
  rowBase: number,
  top: number,
  bottom: number,
  left: number,
  right: number,
  W: number,
  C: number,
  count: number,
): void {
  for (let c = 0; c < C; c++) {
    let sum = 0;
    for (let iy = top; iy < bottom; iy++) {
      const end = ((rowBase + iy) * W + right) * C;
      for (let i = ((rowBase + iy) * W + left) * C + c; i < end; i += C) sum += x[i]!;
    }
    out[o + c] = sum / count;
  }
}
