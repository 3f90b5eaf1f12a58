/**
 * The last step of the gradient of a convolution that is computed as a matrix product: each output pixel has one
 * number for each tap and input channel, and they are added where the tap had read the input.
 *
 *   out[n, iy, ix, ic] = Σ columns[n, oy, ox, (g, ky, kx, ic)] over all taps that read (iy, ix)
 */

import type { Conv2dShape } from '../conv2d-shape.js';

/**
 * @param out [N, H, W, Cin], overwritten
 * @param columns [N, Hout, Wout, groups·kH·kW·Cin/groups]
 */
export function col2im(out: Float32Array, columns: Float32Array, shape: Conv2dShape): void {
  const { N, H, W, Cin, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const CinG = Cin / groups;
  out.fill(0);
  let from = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let group = 0; group < groups; group++) {
          for (let ky = 0; ky < kH; ky++) {
            const iy = oy * strideY + ky * dilationY - padY;
            for (let kx = 0; kx < kW; kx++, from += CinG) {
              const ix = ox * strideX + kx * dilationX - padX;
              if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
              const to = ((n * H + iy) * W + ix) * Cin + group * CinG;
              for (let ic = 0; ic < CinG; ic++) out[to + ic]! += columns[from + ic]!;
            }
          }
        }
      }
    }
  }
}

/** The numbers of a step `col2im`, in the order of the SIMD kernel. */
export function col2imNumbers(shape: Conv2dShape): number[] {
  const { N, H, W, Cin, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const window = [kH, kW, groups, strideY, strideX, padY, padX, dilationY, dilationX];
  return [N, H, W, Cin, ...window, Hout, Wout];
}
