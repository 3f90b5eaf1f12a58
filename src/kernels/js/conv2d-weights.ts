/** The weights of a convolution in the layout of the portable backend. */

import { type Conv2dWeightShape, packingShape } from '../conv2d-shape.js';
import { checkLayerWeights, type LayerWeights, refuseNonFinite } from '../layer-weights.js';
import type { Precision } from '../precision.js';
import type { PackedConv2d } from '../step.js';
import { NR } from './gemm.js';
import { allocatePanels, type Panels, packPanel, panelsBytes, panelValue } from './panels.js';

/** Weights as panels of four output channels, [groups, ⌈Cout/groups/4⌉, K, 4], and the bias. */
export interface JsConv2d extends PackedConv2d {
  readonly panels: Panels;
  readonly bias: Float32Array;
}

/**
 * Packs weights, OIHW, for `conv2d`.
 *
 * @throws {ShapeError} when a length does not fit the shape
 */
export function packConv2d(shape: Conv2dWeightShape, weights: LayerWeights): JsConv2d {
  const { Cin, Cout, kH, kW, groups } = packingShape(shape);
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
  return {
    panels,
    bias,
    bytes: packedConv2dBytes(shape, precision),
    row(out, oc) {
      const j = oc % NR;
      for (let ic = 0; ic < Cin; ic++) out[ic] = panelValue(panels, (oc - j) / NR, ic, j);
    },
  };
}

/** Bytes of the result of `packConv2d`. */
export function packedConv2dBytes(shape: Conv2dWeightShape, precision: Precision): number {
  const { Cin, Cout, kH, kW, groups } = packingShape(shape);
  const panels = groups * Math.ceil(Cout / groups / NR);
  return panelsBytes(precision, panels, (kH * kW * Cin) / groups) + 4 * Cout;
}
