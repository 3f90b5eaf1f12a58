/** Rearranged weights of the portable backend. */

import type { JsConv2d } from '../js/conv2d-weights.js';
import { NR } from '../js/gemm.js';
import { panelValue } from '../js/panels.js';
import {
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
      const shape = transposedShape(layer);
      const own = values.subarray(0, panelFloats(shape, NR));
      const { K } = panelLayout(shape, NR);
      const read = (panel: number, k: number, j: number) => panelValue(panels, panel, k, j);
      return {
        bytes: 0,
        panels: { precision: 'f32', K, values: own, scales: new Float32Array(0) },
        bias,
        renew: () => transposePanels(own, layer, NR, read),
      } as ReturnType<TransposedScratch['weightsOf']>;
    },
    // The garbage collector's.
    release() {},
  };
}

/** The largest panels, and the most output channels. */
function sizes(layers: readonly TransposedLayer[]): { floats: number; channels: number } {
  const shapes = layers.map(transposedShape);
  return {
    floats: Math.max(0, ...shapes.map((shape) => panelFloats(shape, NR))),
    channels: Math.max(0, ...shapes.map(({ Cout }) => Cout)),
  };
}
