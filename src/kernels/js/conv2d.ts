/**
 * 2-D convolution, NHWC, any kernel, stride, dilation, zero padding and groups:
 *
 *   out[n, oy, ox, oc] = epilogue( bias[oc] + Σ_{ky,kx,ic} x[n, oy·stride + ky·dilation − pad, …, ic] · w[oc, ic, ky, kx] )
 *   epilogue(v) = activation( v (+ residual[n, oy, ox, oc]) )
 *
 * and, where the convolution ends a scale, SMOE Scale of each output column. An activation function that clips,
 * such as ReLU, and SMOE Scale are computed when a tile is stored. Any other function is a second pass.
 *
 * `conv2dReference` is the formula. `conv2d` chooses: Winograd's algorithm for 3×3 at stride 1
 * (conv2d-winograd.ts: 2.25 times fewer multiplications), plain loops for depthwise convolutions
 * (conv2d-depthwise.ts), an implicit GEMM for everything else (conv2d-gemm.ts). All compute in doubles and share the epilogue (epilogue.ts).
 */

import { type ActivationFunction, limitsOf } from '../activation.js';
import { type Conv2dShape, isDepthwise } from '../conv2d-shape.js';
import { smoeScale } from '../statistics/smoe.js';
import { ACTIVATIONS, type ActivationValues } from './activation.js';
import { conv2dDepthwise, depthwiseScratch } from './conv2d-depthwise.js';
import { conv2dGemm, gemmScratch } from './conv2d-gemm.js';
import type { JsConv2d } from './conv2d-weights.js';
import { conv2dWinograd, isWinograd, winogradScratch } from './conv2d-winograd.js';
import { type Conv2dEpilogue, type Conv2dScratch, storedEpilogue } from './epilogue.js';

/**
 * The convolution by its formula, with sums in double precision; without SMOE Scale.
 *
 * @param out [N, Hout, Wout, Cout]
 * @param x [N, H, W, Cin]
 * @param weight OIHW: [Cout, Cin/groups, kH, kW]
 * @param bias [Cout]
 */
export function conv2dReference(
  out: Float32Array | Float64Array,
  x: Float32Array | Float64Array,
  weight: Float32Array,
  bias: Float32Array,
  shape: Conv2dShape,
  epilogue: Omit<Conv2dEpilogue, 'smoe'>,
): void {
  const { N, H, W, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let oc = 0; oc < Cout; oc++) {
          const group = Math.floor(oc / CoutG);
          let sum = bias[oc]!;
          for (let ky = 0; ky < kH; ky++) {
            const iy = oy * strideY + ky * dilationY - padY;
            if (iy < 0 || iy >= H) continue;
            for (let kx = 0; kx < kW; kx++) {
              const ix = ox * strideX + kx * dilationX - padX;
              if (ix < 0 || ix >= W) continue;
              for (let ic = 0; ic < CinG; ic++) {
                sum +=
                  x[((n * H + iy) * W + ix) * Cin + group * CinG + ic]! *
                  weight[((oc * CinG + ic) * kH + ky) * kW + kx]!;
              }
            }
          }
          const o = ((n * Hout + oy) * Wout + ox) * Cout + oc;
          if (epilogue.residual) sum += epilogue.residual[o]!;
          out[o] = sum;
        }
      }
    }
  }
  if (epilogue.activation) activate(out, epilogue.activation);
}

function activate(out: ActivationValues, { name, parameters }: ActivationFunction): void {
  ACTIVATIONS[name](out, out, ...parameters);
}

/** Allocates scratch that is large enough for each of the shapes. */
export function conv2dScratch(shapes: readonly Conv2dShape[]): Conv2dScratch {
  const lengths = scratchLengths(shapes);
  return {
    a: new Float64Array(lengths.a),
    b: new Float64Array(lengths.b),
    wide: new Float64Array(lengths.wide),
    tile: new Float64Array(lengths.tile),
    patch: new Float64Array(lengths.patch),
    sums: new Float64Array(lengths.pixels),
    products: new Float64Array(lengths.pixels),
    logSums: new Float64Array(lengths.pixels),
  };
}

/** Bytes that `conv2dScratch` allocates. */
export function conv2dScratchBytes(shapes: readonly Conv2dShape[]): number {
  const { a, b, wide, tile, patch, pixels } = scratchLengths(shapes);
  return Float64Array.BYTES_PER_ELEMENT * (a + b + wide + tile + patch + 3 * pixels);
}

/** For each scratch array, the largest length that one of the shapes needs. */
function scratchLengths(shapes: readonly Conv2dShape[]): ReturnType<typeof gemmScratch> {
  const most = { a: 0, b: 0, wide: 0, tile: 0, patch: 0, pixels: 0 };
  for (const shape of shapes) {
    const wanted = scratchOf(shape);
    for (const key of Object.keys(most) as (keyof typeof most)[]) {
      most[key] = Math.max(most[key], wanted[key]);
    }
  }
  return most;
}

function scratchOf(shape: Conv2dShape): ReturnType<typeof gemmScratch> {
  if (isDepthwise(shape)) return depthwiseScratch(shape);
  return isWinograd(shape) ? winogradScratch(shape) : gemmScratch(shape);
}

/**
 * The convolution. Allocates no array; any extents ≥ 1.
 *
 * @param out [N, Hout, Wout, Cout], overwritten; may be `epilogue.residual`, must not be `x`
 * @param x [N, H, W, Cin]
 *
 * Accuracy: products and sums are doubles, so the error is that of storing a float32. With Winograd's
 * algorithm, a NaN or ∞ in x spreads to every 2×2 tile that reads it.
 */
export function conv2d(
  out: Float32Array,
  x: Float32Array,
  weights: JsConv2d,
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  scratch: Conv2dScratch,
): void {
  const stored = storedEpilogue(epilogue);
  if (isDepthwise(shape)) conv2dDepthwise(out, x, weights, shape, stored, scratch);
  else if (isWinograd(shape)) conv2dWinograd(out, x, weights, shape, stored, scratch);
  else conv2dGemm(out, x, weights, shape, stored, scratch);
  const { activation, smoe } = epilogue;
  if (activation === undefined || limitsOf(activation)) return;
  activate(out, activation);
  if (smoe) smoeScale(smoe, out, shape.Cout);
}
