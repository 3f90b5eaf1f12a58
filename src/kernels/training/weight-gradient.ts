/**
 * The gradient of a score with respect to the weights of a convolution:
 *
 *   out[ky, kx, ic, oc] = Σ_{n, oy, ox} x[n, oy·stride − pad + ky·dilation, …, first(oc) + ic] · gradient[n, oy, ox, oc]
 *
 * first(oc) is the first input channel of the group that oc belongs to. Pixels beyond the border are 0 and are left out.
 * NHWC; the result is [kH, kW, Cin/groups, Cout], so that the innermost loop runs along a column of the gradient. The
 * SIMD backend has a kernel of its own (assembly/weight-gradient.ts).
 */

import type { Conv2dShape, Conv2dWeightShape } from '../conv2d-shape.js';

/** Elements of the result. */
export function weightCount({ Cin, Cout, kH, kW, groups }: Conv2dWeightShape): number {
  return kH * kW * (Cin / groups) * Cout;
}

/** The numbers of the step, for the kernel of the SIMD backend. */
export function weightGradientNumbers(shape: Conv2dShape): readonly number[] {
  const { N, H, W, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX } = shape;
  const { dilationY, dilationX, Hout, Wout } = shape;
  // A convolution of single pixels has no borders, so that the rows of a picture are one row.
  const isPointwise = kH * kW * strideY * strideX === 1 && padY + padX === 0 && Hout === H;
  const rows = isPointwise && Wout === W ? [1, N, H * W] : [N, H, W];
  const rowsOut = isPointwise && Wout === W ? [N, H * W] : [Hout, Wout];
  const window = [strideY, strideX, padY, padX, dilationY, dilationX];
  return [...rows, Cin, Cout, kH, kW, groups, ...window, ...rowsOut];
}

/**
 * @param out [kH, kW, Cin/groups, Cout], overwritten
 * @param x [N, H, W, Cin]
 * @param gradient [N, Hout, Wout, Cout], of the convolution's result
 */
export function weightGradient(
  out: Float32Array,
  x: Float32Array,
  gradient: Float32Array,
  shape: Conv2dShape,
): void {
  const { N, H, W, Hout, Wout, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX } = shape;
  const { dilationY, dilationX } = shape;
  const CinG = Cin / groups;
  const sums = new Float64Array(weightCount(shape));
  for (let m = 0; m < N * Hout * Wout; m++) {
    const ox = m % Wout;
    const oy = ((m - ox) / Wout) % Hout;
    const n = Math.floor(m / (Hout * Wout));
    for (let tap = 0; tap < kH * kW; tap++) {
      const kx = tap % kW;
      const iy = oy * strideY - padY + ((tap - kx) / kW) * dilationY;
      const ix = ox * strideX - padX + kx * dilationX;
      if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
      const from = ((n * H + iy) * W + ix) * Cin;
      addProducts(sums, tap * CinG * Cout, x, from, gradient, m * Cout, shape);
    }
  }
  out.set(sums);
}

/** Adds the products of one input pixel's column and one gradient's column, group by group. */
function addProducts(
  sums: Float64Array,
  begin: number,
  x: Float32Array,
  from: number,
  gradient: Float32Array,
  column: number,
  { Cin, Cout, groups }: Conv2dShape,
): void {
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  for (let group = 0; group < groups; group++) {
    for (let ic = 0; ic < CinG; ic++) {
      const value = x[from + group * CinG + ic]!;
      // After a ReLU many values are 0.
      if (value === 0) continue;
      const row = begin + ic * Cout + group * CoutG;
      const own = column + group * CoutG;
      for (let j = 0; j < CoutG; j++) sums[row + j]! += value * gradient[own + j]!;
    }
  }
}

/**
 * The gradient of a bias: out[c] = Σ gradient[p, c] over all pixels of all pictures.
 *
 * @param out [C], or longer; overwritten
 * @param gradient [N·H·W, C]
 */
export function biasGradient(out: Float32Array, gradient: Float32Array, C: number): void {
  const sums = new Float64Array(C);
  for (let i = 0; i < gradient.length; i += C) {
    for (let c = 0; c < C; c++) sums[c]! += gradient[i + c]!;
  }
  out.set(sums);
}
