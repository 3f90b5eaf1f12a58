/**
 * Depthwise convolution: each output channel reads one input channel, so there is no matrix product. It computes
 * four channels of a pixel at a time, with their sums in registers, and leaves out taps in the border. Weights
 * are packed like those of a convolution with one input channel.
 */

import type { Conv2dShape } from '../conv2d-shape.js';
import type { JsConv2d } from './conv2d-weights.js';
import {
  type Conv2dScratch,
  clearSums,
  finishSum,
  type StoredEpilogue,
  storeColumn,
} from './epilogue.js';
import { NR } from './gemm.js';
import { widenPanels } from './panels.js';

/** Lengths of the scratch that `conv2dDepthwise` needs. */
export function depthwiseScratch({
  Cout,
  kH,
  kW,
}: Conv2dShape): Record<'a' | 'b' | 'wide' | 'tile' | 'patch' | 'pixels', number> {
  const b = Math.ceil(Cout / NR) * kH * kW * NR;
  return { a: 0, b, wide: 0, tile: NR, patch: 0, pixels: 1 };
}

/** Parameters as for `conv2d`. */
export function conv2dDepthwise(
  out: Float32Array,
  x: Float32Array,
  weights: JsConv2d,
  shape: Conv2dShape,
  epilogue: StoredEpilogue,
  scratch: Conv2dScratch,
): void {
  const { N, H, W, Cin, Cout, kH, kW, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const { b, tile } = scratch;
  const times = Cout / Cin;
  const lineStep = dilationY * W * Cin;
  const step = dilationX * Cin;
  widenPanels(b, weights.panels, Math.ceil(Cout / NR));
  let m = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const iy0 = oy * strideY - padY;
      const ky = firstInside(iy0, dilationY);
      const rows = endInside(iy0, kH, dilationY, H) - ky;
      for (let ox = 0; ox < Wout; ox++, m++) {
        const ix0 = ox * strideX - padX;
        const kx = firstInside(ix0, dilationX);
        const columns = endInside(ix0, kW, dilationX, W) - kx;
        const corner = ((n * H + iy0 + ky * dilationY) * W + ix0 + kx * dilationX) * Cin;
        if (epilogue.smoe) clearSums(scratch, 1);
        for (let oc = 0; oc < Cout; oc += NR) {
          const w = oc * kH * kW + (ky * kW + kx) * NR;
          sumTaps(tile, x, corner, oc, times, Cin, b, w, rows, columns, lineStep, step, kW);
          const left = Math.min(NR, Cout - oc);
          storeColumn(out, m * Cout + oc, left, 0, 0, oc, weights.bias, epilogue, scratch);
        }
        if (epilogue.smoe) epilogue.smoe[m] = finishSum(scratch, 0, Cout);
      }
    }
  }
}

/**
 * Four channels of a pixel: tile[j] = Σ x[…, (oc + j)/times]·b[…, j] over the taps inside the picture.
 *
 * @param corner index in x of the pixel of the first of these taps
 * @param w index in b of its weights
 * @param lineStep and step: distances in x from tap to tap
 */
function sumTaps(
  tile: Float64Array,
  x: Float32Array,
  corner: number,
  oc: number,
  times: number,
  Cin: number,
  b: Float64Array,
  w: number,
  rows: number,
  columns: number,
  lineStep: number,
  step: number,
  kW: number,
): void {
  const i0 = channelOf(oc, times, Cin);
  const to1 = channelOf(oc + 1, times, Cin) - i0;
  const to2 = channelOf(oc + 2, times, Cin) - i0;
  const to3 = channelOf(oc + 3, times, Cin) - i0;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let row = 0; row < rows; row++) {
    let at = corner + i0 + row * lineStep;
    let tap = w + row * kW * NR;
    for (const end = tap + columns * NR; tap < end; tap += NR, at += step) {
      sum0 += x[at]! * b[tap]!;
      sum1 += x[at + to1]! * b[tap + 1]!;
      sum2 += x[at + to2]! * b[tap + 2]!;
      sum3 += x[at + to3]! * b[tap + 3]!;
    }
  }
  tile[0] = sum0;
  tile[1] = sum1;
  tile[2] = sum2;
  tile[3] = sum3;
}

/** The input channel of output channel `oc`; the last one if `oc` does not exist. A division costs as much as some taps. */
function channelOf(oc: number, times: number, Cin: number): number {
  const ic = times === 1 ? oc : (oc / times) | 0;
  return ic < Cin ? ic : Cin - 1;
}

/** The first tap k that is not before the picture: i0 + k·dilation ≥ 0. */
function firstInside(i0: number, dilation: number): number {
  return i0 < 0 ? Math.ceil(-i0 / dilation) | 0 : 0;
}

/** One more than the last tap before the picture's end: i0 + k·dilation < extent. */
function endInside(i0: number, taps: number, dilation: number, extent: number): number {
  return Math.min(taps, Math.ceil((extent - i0) / dilation) | 0);
}
