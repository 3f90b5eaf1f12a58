/** Rearranged weights of the portable backend. */

import type { Conv2dWeightShape } from '../conv2d-shape.js';
import type { JsConv2d } from '../js/conv2d-weights.js';
import { NR } from '../js/gemm.js';
import { type Panels, widenPanel } from '../js/panels.js';
import {
  type LinearWeights,
  panelFloats,
  panelLayout,
  type TransposedLayer,
  type TransposedScratch,
  transposedShape,
  transposePanels,
} from './transposed-weights.js';

/** Bytes that `jsTransposed` allocates. */
export function jsTransposedBytes(layers: readonly TransposedLayer[]): number {
  const most = sizes(layers);
  return 4 * (most.floats + most.channels);
}

export function jsTransposed(layers: readonly TransposedLayer[]): TransposedScratch {
  const most = sizes(layers);
  const values = new Float32Array(most.floats);
  const bias = new Float32Array(most.channels);
  return {
    weightsOf(layer, packed) {
      const { panels } = packed as JsConv2d;
      if (layer.arrangement === 'linear') {
        const products: LinearWeights['products'] = (out, gradient) =>
          addAll(out, gradient, panels, layer.shape);
        return { bytes: 0, products };
      }
      const shape = transposedShape(layer);
      const own = values.subarray(0, panelFloats(shape, NR));
      const { K } = panelLayout(shape, NR);
      return {
        bytes: 0,
        panels: { precision: 'f32', K, values: own, scales: new Float32Array(0) },
        bias,
        renew: () => transposePanels(own, layer, NR, readerOf(panels)),
      } as ReturnType<TransposedScratch['weightsOf']>;
    },
    // The garbage collector's.
    release() {},
  };
}

/** The weights of a panel: in their place, or widened. */
function readerOf(panels: Panels): (panel: number) => Float32Array | Float64Array {
  const { precision, K, values } = panels;
  const length = K * NR;
  if (precision === 'f32') {
    const floats = values as Float32Array;
    return (panel) => floats.subarray(panel * length, (panel + 1) * length);
  }
  const widened = new Float64Array(length);
  return (panel) => {
    widenPanel(widened, panels, panel);
    return widened;
  };
}

/** `LinearWeights.products`. */
function addAll(
  out: Float32Array,
  gradient: Float32Array,
  panels: Panels,
  { Cout }: Conv2dWeightShape,
): void {
  const { K } = panels;
  const N = gradient.length / Cout;
  const sums = new Float64Array(K);
  const read = readerOf(panels);
  for (let n = 0; n < N; n++) {
    sums.fill(0);
    for (let oc = 0; oc < Cout; oc += NR) {
      const columns = Math.min(NR, Cout - oc);
      const own = gradient.subarray(n * Cout + oc, n * Cout + oc + columns);
      // After a ReLU many gradients are 0.
      if (own.every((value) => value === 0)) continue;
      const weights = read(oc / NR);
      for (let j = 0; j < columns; j++) {
        const factor = own[j]!;
        for (let k = 0; k < K; k++) sums[k]! += factor * weights[k * NR + j]!;
      }
    }
    out.set(sums, n * K);
  }
}

/** The largest panels, and the most output channels. */
function sizes(layers: readonly TransposedLayer[]): { floats: number; channels: number } {
  const shapes = layers.filter(({ arrangement }) => arrangement !== 'linear').map(transposedShape);
  return {
    floats: Math.max(0, ...shapes.map((shape) => panelFloats(shape, NR))),
    channels: Math.max(0, ...shapes.map(({ Cout }) => Cout)),
  };
}
