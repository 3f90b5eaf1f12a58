/**
 * Max pooling, NHWC: out[n, oy, ox, c] = max over the window of x[n, iy, ix, c]. The border counts
 * as −∞; a NaN in the window gives NaN, as in PyTorch.
 */

import type { PoolShape } from '../pool-shape.js';

/** One value at a time. @param out [N, Hout, Wout, C]; @param x [N, H, W, C] */
export function maxPoolReference(out: Float32Array, x: Float32Array, shape: PoolShape): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let c = 0; c < C; c++) {
          let max = Number.NEGATIVE_INFINITY;
          for (let ky = 0; ky < kH; ky++) {
            for (let kx = 0; kx < kW; kx++) {
              const iy = oy * strideY + ky - padY;
              const ix = ox * strideX + kx - padX;
              if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
              max = Math.max(max, x[((n * H + iy) * W + ix) * C + c]!);
            }
          }
          out[((n * Hout + oy) * Wout + ox) * C + c] = max;
        }
      }
    }
  }
}

/**
 * Whole columns at a time, so that the inner loop walks memory in order.
 *
 * @param out [N, Hout, Wout, C], overwritten; @param x [N, H, W, C]
 */
export function maxPool(out: Float32Array, x: Float32Array, shape: PoolShape): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  out.fill(Number.NEGATIVE_INFINITY, 0, N * Hout * Wout * C);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = oy * strideY - padY;
      for (let ox = 0; ox < Wout; ox++) {
        const left = ox * strideX - padX;
        const o = ((n * Hout + oy) * Wout + ox) * C;
        for (let iy = Math.max(top, 0); iy < Math.min(top + kH, H); iy++) {
          for (let ix = Math.max(left, 0); ix < Math.min(left + kW, W); ix++) {
            const from = ((n * H + iy) * W + ix) * C;
            for (let c = 0; c < C; c++) {
              const value = x[from + c]!;
              // `!(value <= max)` is also true for a NaN. The second test keeps a NaN once it is stored.
              if (!(value <= out[o + c]!) && !Number.isNaN(out[o + c]!)) out[o + c] = value;
            }
          }
        }
      }
    }
  }
}
