/**
 * 2-D convolution, NHWC, any kernel, stride, zero padding and groups:
 *
 *   out[n, oy, ox, oc] = epilogue( bias[oc] + Σ_{ky,kx,ic} x[n, oy·stride + ky − pad, …, ic] · w[oc, ic, ky, kx] )
 *   epilogue(v) = relu?( v (+ residual[n, oy, ox, oc]) )
 *
 * and, where the convolution ends a scale, SMOE Scale of each output column, accumulated while the
 * tile is at hand: no second pass over the activation.
 *
 * `conv2dReference` is the formula. `conv2d` chooses: Winograd's algorithm for 3×3 at stride 1
 * (conv2d-winograd.ts: 2.25 times fewer multiplications), an implicit GEMM for everything else
 * (conv2d-gemm.ts). Both compute in doubles and share the epilogue (epilogue.ts).
 */

import { ShapeError } from '../../errors.js';
import { checkLayerWeights, type LayerWeights, refuseNonFinite } from '../layer-weights.js';
import type { Conv2dWeightShape, PackedWeights, RestingLayer } from '../step.js';
import { conv2dGemm, gemmScratch } from './conv2d-gemm.js';
import { conv2dWinograd, isWinograd, winogradScratch } from './conv2d-winograd.js';
import { NR } from './gemm.js';
import { allocatePanels, type Panels, packPanel, panelsBytes } from './panels.js';

/** Extents, in elements. `strideY` and `padY` go with kH and H, `strideX` and `padX` with kW and W. */
export interface Conv2dParameters extends Conv2dWeightShape {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
}

export interface Conv2dShape extends Conv2dParameters {
  readonly Hout: number;
  readonly Wout: number;
}

/** What happens to a sum before it is stored. Arrays are [N, Hout, Wout, Cout] but for `smoe`. */
export interface Conv2dEpilogue {
  readonly residual?: Float32Array | undefined;
  readonly relu: boolean;
  /** [N, Hout, Wout]: receives SMOE Scale of each stored column. */
  readonly smoe?: Float32Array | undefined;
}

/** Weights as panels of four output channels, [groups, ⌈Cout/groups/4⌉, K, 4], and the bias. */
export interface PackedConv2d extends PackedWeights {
  readonly panels: Panels;
  readonly bias: Float32Array;
}

/** Working memory of `conv2d`, large enough for a shape or for the largest of several. */
export interface Conv2dScratch {
  /** Inputs of a block of pixels or tiles, in panels of four. */
  readonly a: Float64Array;
  /** One panel of weights, for Winograd's algorithm transformed. */
  readonly b: Float64Array;
  /** The same before its transform. */
  readonly wide: Float64Array;
  /** Products of four pixels by four channels, once or for each of Winograd's sixteen points. */
  readonly tile: Float64Array;
  /** The inputs of one Winograd tile. */
  readonly patch: Float64Array;
  /** For each pixel of the block: Σz, running product, Σlog2 of the products folded so far. */
  readonly sums: Float64Array;
  readonly products: Float64Array;
  readonly logSums: Float64Array;
}

/**
 * Checks the parameters and computes the output's height and width.
 *
 * @throws {ShapeError} for extents that are not whole or too small, channels that the groups do not
 * divide, or a kernel larger than the padded input
 */
export function conv2dShape(p: Conv2dParameters): Conv2dShape {
  for (const key of [
    'N',
    'H',
    'W',
    'Cin',
    'Cout',
    'kH',
    'kW',
    'groups',
    'strideY',
    'strideX',
  ] as const) {
    if (!Number.isInteger(p[key]) || p[key] < 1) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 1, got ${p[key]}`);
    }
  }
  for (const key of ['padY', 'padX'] as const) {
    if (!Number.isInteger(p[key]) || p[key] < 0) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 0, got ${p[key]}`);
    }
  }
  if (p.Cin % p.groups !== 0 || p.Cout % p.groups !== 0) {
    throw new ShapeError(`conv2d: ${p.groups} groups do not divide ${p.Cin} → ${p.Cout} channels`);
  }
  const Hout = Math.floor((p.H + 2 * p.padY - p.kH) / p.strideY) + 1;
  const Wout = Math.floor((p.W + 2 * p.padX - p.kW) / p.strideX) + 1;
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(
      `conv2d: kernel ${p.kH}×${p.kW} is larger than the padded input ${p.H + 2 * p.padY}×${p.W + 2 * p.padX}`,
    );
  }
  return { ...p, Hout, Wout };
}

/**
 * The convolution by its formula, sums in double precision; without the SMOE tap.
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
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let oc = 0; oc < Cout; oc++) {
          const group = Math.floor(oc / CoutG);
          let sum = bias[oc]!;
          for (let ky = 0; ky < kH; ky++) {
            const iy = oy * strideY + ky - padY;
            if (iy < 0 || iy >= H) continue;
            for (let kx = 0; kx < kW; kx++) {
              const ix = ox * strideX + kx - padX;
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
          out[o] = epilogue.relu && sum < 0 ? 0 : sum;
        }
      }
    }
  }
}

/**
 * Packs weights, OIHW, for `conv2d`.
 *
 * @throws {ShapeError} when a length does not fit the shape
 */
export function packConv2d(shape: Conv2dWeightShape, weights: LayerWeights): PackedConv2d {
  const { Cin, Cout, kH, kW, groups } = shape;
  const { precision = 'f32' } = weights;
  const CoutG = Cout / groups;
  const taps = kH * kW;
  const K = (taps * Cin) / groups;
  checkLayerWeights('conv2d', [Cout, Cin / groups, kH, kW], weights);
  const panelsOfGroup = Math.ceil(CoutG / NR);
  const panels = allocatePanels(precision, groups * panelsOfGroup, K);
  const rows = new Float32Array(NR * K);
  for (let index = 0; index < groups * panelsOfGroup; index++) {
    const panel = index % panelsOfGroup;
    const oc = ((index - panel) / panelsOfGroup) * CoutG + panel * NR;
    const columns = Math.min(NR, CoutG - panel * NR);
    const read = rows.subarray(0, columns * K);
    weights.read(read, oc * K);
    refuseNonFinite(weights, read, oc * K);
    packPanel(panels, index, rows, columns, taps, weights.scale, oc);
  }
  const bias = weights.bias.slice();
  return { panels, bias, bytes: packedConv2dBytes({ shape, precision }) };
}

/** Bytes of what `packConv2d` makes. */
export function packedConv2dBytes({ shape, precision }: RestingLayer): number {
  const { Cin, Cout, kH, kW, groups } = shape;
  const panels = groups * Math.ceil(Cout / groups / NR);
  return panelsBytes(precision, panels, (kH * kW * Cin) / groups) + 4 * Cout;
}

/** Allocates scratch that serves each of the shapes. */
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

/** Bytes of what `conv2dScratch` allocates. */
export function conv2dScratchBytes(shapes: readonly Conv2dShape[]): number {
  const { a, b, wide, tile, patch, pixels } = scratchLengths(shapes);
  return Float64Array.BYTES_PER_ELEMENT * (a + b + wide + tile + patch + 3 * pixels);
}

/** The most of each that one of the shapes wants. */
function scratchLengths(shapes: readonly Conv2dShape[]): ReturnType<typeof gemmScratch> {
  const most = { a: 0, b: 0, wide: 0, tile: 0, patch: 0, pixels: 0 };
  for (const shape of shapes) {
    const wanted = isWinograd(shape) ? winogradScratch(shape) : gemmScratch(shape);
    for (const key of Object.keys(most) as (keyof typeof most)[]) {
      most[key] = Math.max(most[key], wanted[key]);
    }
  }
  return most;
}

/**
 * The convolution. Allocates nothing; any extents ≥ 1.
 *
 * @param out [N, Hout, Wout, Cout], overwritten; may be `epilogue.residual`, must not be `x`
 * @param x [N, H, W, Cin]
 *
 * Accuracy: products and sums are doubles, so the error is that of storing a float32. Where
 * Winograd's algorithm is chosen, a NaN or ∞ in x reaches the whole 2×2 tile it contributes to.
 */
export function conv2d(
  out: Float32Array,
  x: Float32Array,
  weights: PackedConv2d,
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  scratch: Conv2dScratch,
): void {
  if (isWinograd(shape)) conv2dWinograd(out, x, weights, shape, epilogue, scratch);
  else conv2dGemm(out, x, weights, shape, epilogue, scratch);
}
