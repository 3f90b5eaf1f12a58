/**
 * Fully connected layer: out[n, oc] = bias[oc] + Σ_ic x[n, ic] · weight[oc, ic]. It is a
 * two-thousandth of a ResNet-50, so the formula's loops are the fast path too; sums are doubles.
 */

import { checkLayerWeights, type LayerWeights } from '../layer-weights.js';
import type { PackedLinear } from '../step.js';
import { type Conv2dShape, conv2dShape, packConv2d } from './conv2d.js';
import { NR } from './gemm.js';
import { type Panels, panelValue, widenPanel } from './panels.js';

/** The weights of a 1×1 convolution. */
export interface JsLinear extends PackedLinear {
  readonly panels: Panels;
  readonly bias: Float32Array;
}

/** Packs weights, [Cout, Cin]. @throws {ShapeError} when a length does not fit */
export function packLinear(Cin: number, Cout: number, weights: LayerWeights): JsLinear {
  checkLayerWeights('linear', [Cout, Cin], weights);
  const packed = packConv2d({ Cin, Cout, kH: 1, kW: 1, groups: 1 }, weights);
  return {
    ...packed,
    row(out, oc) {
      const j = oc % NR;
      for (let ic = 0; ic < Cin; ic++) out[ic] = panelValue(packed.panels, (oc - j) / NR, ic, j);
    },
  };
}

/** The convolution that a linear layer is: a 1×1 over a single pixel. */
export function linearShape({
  N,
  Cin,
  Cout,
}: {
  N: number;
  Cin: number;
  Cout: number;
}): Conv2dShape {
  const one = { H: 1, W: 1, kH: 1, kW: 1, groups: 1, strideY: 1, strideX: 1, padY: 0, padX: 0 };
  return conv2dShape({ N, Cin, Cout, ...one });
}

/** @param out [N, Cout], overwritten; @param x [N, Cin]; @param wide scratch: one panel, [Cin, 4] */
export function linear(
  out: Float32Array,
  x: Float32Array,
  { panels, bias }: JsLinear,
  N: number,
  Cin: number,
  Cout: number,
  wide: Float64Array,
): void {
  for (let begin = 0; begin < Cout; begin += NR) {
    widenPanel(wide, panels, begin / NR);
    const end = Math.min(begin + NR, Cout);
    for (let n = 0; n < N; n++) {
      for (let oc = begin; oc < end; oc++) {
        let sum = bias[oc]!;
        for (let ic = 0; ic < Cin; ic++) sum += x[n * Cin + ic]! * wide[ic * NR + oc - begin]!;
        out[n * Cout + oc] = sum;
      }
    }
  }
}
