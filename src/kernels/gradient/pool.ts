/** The gradients of pools, NHWC. */

import type { PoolShape } from '../pool-shape.js';

/**
 * Max pooling: each output's gradient goes to the largest element of its window. If several are equal, it goes to the
 * first one in the order of rows, as in PyTorch.
 *
 * @param out [N, H, W, C], overwritten
 * @param x [N, H, W, C], the pool's input
 * @param gradient [N, Hout, Wout, C]
 */
export function maxPoolGradient(
  out: Float32Array,
  gradient: Float32Array,
  x: Float32Array,
  shape: Omit<PoolShape, 'padBottom' | 'padRight'>,
): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  out.fill(0);
  let o = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = oy * strideY - padY;
      const iy0 = Math.max(0, top);
      const iy1 = Math.min(H, top + kH);
      for (let ox = 0; ox < Wout; ox++) {
        const left = ox * strideX - padX;
        const ix0 = Math.max(0, left);
        const ix1 = Math.min(W, left + kW);
        for (let c = 0; c < C; c++, o++) {
          let at = ((n * H + iy0) * W + ix0) * C + c;
          let most = Number.NEGATIVE_INFINITY;
          for (let iy = iy0; iy < iy1; iy++) {
            for (let ix = ix0; ix < ix1; ix++) {
              const i = ((n * H + iy) * W + ix) * C + c;
              if (x[i]! > most) {
                most = x[i]!;
                at = i;
              }
            }
          }
          out[at]! += gradient[o]!;
        }
      }
    }
  }
}

/**
 * Mean pooling: each output's gradient is divided equally among the elements of its window.
 *
 * @param includePad whether padding counts as elements
 */
export function meanPoolGradient(
  out: Float32Array,
  gradient: Float32Array,
  shape: PoolShape,
  includePad: boolean,
): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { padBottom, padRight } = shape;
  out.fill(0);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = oy * strideY - padY;
      const [iy0, iy1] = [Math.max(0, top), Math.min(H, top + kH)];
      const rows = includePad ? Math.min(H + padBottom, top + kH) - top : iy1 - iy0;
      for (let ox = 0; ox < Wout; ox++) {
        const left = ox * strideX - padX;
        const [ix0, ix1] = [Math.max(0, left), Math.min(W, left + kW)];
        const columns = includePad ? Math.min(W + padRight, left + kW) - left : ix1 - ix0;
        const share = 1 / (rows * columns);
        const from = ((n * Hout + oy) * Wout + ox) * C;
        spread(out, gradient, from, n * H, iy0, iy1, ix0, ix1, W, C, share);
      }
    }
  }
}

/**
 * Mean pooling to given extents: window i of n outputs is ⌊i·H/n⌋ … ⌈(i + 1)·H/n⌉.
 *
 * @param out [N, H, W, C], overwritten
 * @param gradient [N, Hout, Wout, C]
 */
export function adaptiveMeanGradient(
  out: Float32Array,
  gradient: Float32Array,
  [N, H, W, C, Hout, Wout]: readonly [number, number, number, number, number, number],
): void {
  out.fill(0);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const iy0 = Math.floor((oy * H) / Hout);
      const iy1 = Math.ceil(((oy + 1) * H) / Hout);
      for (let ox = 0; ox < Wout; ox++) {
        const ix0 = Math.floor((ox * W) / Wout);
        const ix1 = Math.ceil(((ox + 1) * W) / Wout);
        const share = 1 / ((iy1 - iy0) * (ix1 - ix0));
        const from = ((n * Hout + oy) * Wout + ox) * C;
        spread(out, gradient, from, n * H, iy0, iy1, ix0, ix1, W, C, share);
      }
    }
  }
}

/** Adds one output pixel's gradient, times `share`, to the pixels of its window. */
function spread(
  out: Float32Array,
  gradient: Float32Array,
  from: number,
  rowBase: number,
  top: number,
  bottom: number,
  left: number,
  right: number,
  W: number,
  C: number,
  share: number,
): void {
  for (let iy = top; iy < bottom; iy++) {
    for (let ix = left; ix < right; ix++) {
      const to = ((rowBase + iy) * W + ix) * C;
      for (let c = 0; c < C; c++) out[to + c]! += gradient[from + c]! * share;
    }
  }
}
