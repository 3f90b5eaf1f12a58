/**
 * Max pooling of elements that lie apart, NHWC: out[n, oy, ox, c] = max over ky, kx of
 * x[n, oy·strideY + ky·dilationY − padY, ox·strideX + kx·dilationX − padX, c]. The border counts as −∞; a NaN in the
 * window gives NaN.
 */

import type { PoolShape } from '../pool-shape.js';

/**
 * @param out [N, Hout, Wout, C], overwritten
 * @param x [N, H, W, C]
 * @param shape with kH and kW those of the window from its first to its last element
 * @param dilation from one element of the window to the next, in rows and in columns
 */
export function dilatedMaxPool(
  out: Float32Array,
  x: Float32Array,
  shape: PoolShape,
  [dilationY, dilationX]: readonly [number, number],
): void {
  const { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  out.fill(Number.NEGATIVE_INFINITY, 0, N * Hout * Wout * C);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = oy * strideY - padY;
      for (let ox = 0; ox < Wout; ox++) {
        const left = ox * strideX - padX;
        const o = ((n * Hout + oy) * Wout + ox) * C;
        for (let iy = top; iy < Math.min(top + kH, H); iy += dilationY) {
          if (iy < 0) continue;
          for (let ix = left; ix < Math.min(left + kW, W); ix += dilationX) {
            if (ix < 0) continue;
            const from = ((n * H + iy) * W + ix) * C;
            for (let c = 0; c < C; c++) out[o + c] = Math.max(out[o + c]!, x[from + c]!);
          }
        }
      }
    }
  }
}
