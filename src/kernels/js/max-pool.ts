/**
 * Max pooling, NHWC: out[n, oy, ox, c] = max over the window of x[n, iy, ix, c]. The border counts
 * as −∞; a NaN in the window gives NaN, as in PyTorch.
 */

import { ShapeError } from '../../errors.js';

/** A square window; extents in elements. */
export interface MaxPoolParameters {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly kernel: number;
  readonly stride: number;
  /** At most kernel/2, so that every window meets the input. */
  readonly padding: number;
}

export interface MaxPoolShape extends MaxPoolParameters {
  readonly Hout: number;
  readonly Wout: number;
}

/** Checks the parameters and computes the output's extents. @throws {ShapeError} */
export function maxPoolShape(p: MaxPoolParameters): MaxPoolShape {
  const { N, H, W, C, kernel, stride, padding } = p;
  if (![N, H, W, C, kernel, stride].every((v) => Number.isInteger(v) && v >= 1)) {
    throw new ShapeError(`maxPool: extents expected whole numbers ≥ 1, got ${JSON.stringify(p)}`);
  }
  if (!Number.isInteger(padding) || padding < 0 || padding > kernel / 2) {
    throw new ShapeError(`maxPool: padding expected 0…${Math.floor(kernel / 2)}, got ${padding}`);
  }
  const Hout = Math.floor((H + 2 * padding - kernel) / stride) + 1;
  const Wout = Math.floor((W + 2 * padding - kernel) / stride) + 1;
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(`maxPool: window ${kernel} is larger than the padded input ${H}×${W}`);
  }
  return { ...p, Hout, Wout };
}

/** One value at a time. @param out [N, Hout, Wout, C]; @param x [N, H, W, C] */
export function maxPoolReference(out: Float32Array, x: Float32Array, shape: MaxPoolShape): void {
  const { N, H, W, C, kernel, stride, padding, Hout, Wout } = shape;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let c = 0; c < C; c++) {
          let max = Number.NEGATIVE_INFINITY;
          for (let ky = 0; ky < kernel; ky++) {
            for (let kx = 0; kx < kernel; kx++) {
              const iy = oy * stride + ky - padding;
              const ix = ox * stride + kx - padding;
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
export function maxPool(out: Float32Array, x: Float32Array, shape: MaxPoolShape): void {
  const { N, H, W, C, kernel, stride, padding, Hout, Wout } = shape;
  out.fill(Number.NEGATIVE_INFINITY, 0, N * Hout * Wout * C);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const top = oy * stride - padding;
      for (let ox = 0; ox < Wout; ox++) {
        const left = ox * stride - padding;
        const o = ((n * Hout + oy) * Wout + ox) * C;
        for (let iy = Math.max(top, 0); iy < Math.min(top + kernel, H); iy++) {
          for (let ix = Math.max(left, 0); ix < Math.min(left + kernel, W); ix++) {
            const from = ((n * H + iy) * W + ix) * C;
            for (let c = 0; c < C; c++) {
              const value = x[from + c]!;
              // `!(value <= max)` also takes a NaN, which then stays: nothing compares with it.
              if (!(value <= out[o + c]!) && !Number.isNaN(out[o + c]!)) out[o + c] = value;
            }
          }
        }
      }
    }
  }
}
