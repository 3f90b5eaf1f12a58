/**
 * Depthwise convolution: each output channel reads one input channel, so there is no matrix product. Four
 * channels of a pixel at a time, their sums in registers; taps in the border are left out. Weights are in
 * panels as of a convolution of one input channel.
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

/** Lengths of the scratch that `conv2dDepthwise` wants. */
export function depthwiseScratch({
  Cout,
  kH,
  kW,
}: Conv2dShape): Record<'a' | 'b' | 'wide' | 'tile' | 'patch' | 'pixels', number> {
  const b = Math.ceil(Cout / NR) * kH * kW * NR;
  return { a: 0, b, wide: 0, tile: NR, patch: 0, pixels: 1 };
}

/** Parameters as of `conv2d`. */
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
  widenPanels(b, weights.panels, Math.ceil(Cout / NR));
  let m = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      const iy0 = oy * strideY - padY;
      const [ky0, ky1] = insideTaps(iy0, kH, dilationY, H);
      for (let ox = 0; ox < Wout; ox++, m++) {
        const ix0 = ox * strideX - padX;
        const [kx0, kx1] = insideTaps(ix0, kW, dilationX, W);
        const corner = ((n * H + iy0) * W + ix0) * Cin;
        if (epilogue.smoe) clearSums(scratch, 1);
        for (let oc = 0; oc < Cout; oc += NR) {
          // Channels that do not exist read the last one that does.
          const ic0 = corner + Math.floor(oc / times);
          const ic1 = corner + Math.floor(Math.min(oc + 1, Cout - 1) / times);
          const ic2 = corner + Math.floor(Math.min(oc + 2, Cout - 1) / times);
          const ic3 = corner + Math.floor(Math.min(oc + 3, Cout - 1) / times);
          let sum0 = 0;
          let sum1 = 0;
          let sum2 = 0;
          let sum3 = 0;
          for (let ky = ky0; ky < ky1; ky++) {
            let at = (ky * dilationY * W + kx0 * dilationX) * Cin;
            let w = oc * kH * kW + (ky * kW + kx0) * NR;
            for (const end = w + (kx1 - kx0) * NR; w < end; w += NR, at += dilationX * Cin) {
              sum0 += x[ic0 + at]! * b[w]!;
              sum1 += x[ic1 + at]! * b[w + 1]!;
              sum2 += x[ic2 + at]! * b[w + 2]!;
              sum3 += x[ic3 + at]! * b[w + 3]!;
            }
          }
          tile[0] = sum0;
          tile[1] = sum1;
          tile[2] = sum2;
          tile[3] = sum3;
          const columns = Math.min(NR, Cout - oc);
          storeColumn(out, m * Cout + oc, columns, 0, 0, oc, weights.bias, epilogue, scratch);
        }
        if (epilogue.smoe) epilogue.smoe[m] = finishSum(scratch, 0, Cout);
      }
    }
  }
}

/** The taps that meet the picture, from the first to before the last: i0 + k·dilation in 0 … extent − 1. */
function insideTaps(
  i0: number,
  taps: number,
  dilation: number,
  extent: number,
): [first: number, end: number] {
  const first = Math.max(0, Math.ceil(-i0 / dilation));
  return [first, Math.min(taps, Math.ceil((extent - i0) / dilation))];
}
