/** Packed weights of a convolution that are written again after each step of training. */

import type { Conv2dWeightShape } from '../conv2d-shape.js';
import { panelFloats, panelLayout } from '../gradient/transposed-weights.js';
import type { JsConv2d } from '../js/conv2d-weights.js';
import { NR as JS_NR } from '../js/gemm.js';
import type { PackedConv2d } from '../step.js';
import { NR as WASM_NR, type WasmConv2d } from '../wasm/conv2d.js';
import type { Engine } from '../wasm/wasm-kernels.js';

/**
 * What writes weights into the place where a backend packed them, in float32.
 *
 * @param engine the memory of the SIMD backend; `undefined` for the portable one
 * @returns a function of `weight` [kH, kW, Cin/groups, Cout] and `bias` [Cout]
 */
export function weightPanels(
  engine: Engine | undefined,
  packed: PackedConv2d,
  shape: Conv2dWeightShape,
): (weight: Float32Array, bias: Float32Array) => void {
  if (!engine) {
    const { panels, bias: ownBias } = packed as JsConv2d;
    return (weight, bias) => {
      writePanels(panels.values as Float32Array, weight, shape, JS_NR);
      ownBias.set(bias);
    };
  }
  const { memory } = engine;
  const { ptr, biasPtr } = packed as WasmConv2d;
  const { groups, channels, panels } = panelLayout(shape, WASM_NR);
  return (weight, bias) => {
    writePanels(memory.floats(ptr, panelFloats(shape, WASM_NR)), weight, shape, WASM_NR);
    const padded = memory.floats(biasPtr, groups * panels * WASM_NR);
    for (let group = 0; group < groups; group++) {
      const own = bias.subarray(group * channels, (group + 1) * channels);
      padded.set(own, group * panels * WASM_NR);
    }
  };
}

/** [groups, panels, K, NR] from [K, Cout], K = kH·kW·Cin/groups; what fills up the last panel of a group stays 0. */
function writePanels(
  out: Float32Array,
  weight: Float32Array,
  shape: Conv2dWeightShape,
  NR: number,
): void {
  const { groups, channels, panels, K } = panelLayout(shape, NR);
  const { Cout } = shape;
  for (let index = 0; index < groups * panels; index++) {
    const panel = index % panels;
    const oc = ((index - panel) / panels) * channels + panel * NR;
    const columns = Math.min(NR, channels - panel * NR);
    const to = index * K * NR;
    for (let k = 0; k < K; k++) {
      for (let j = 0; j < columns; j++) out[to + k * NR + j] = weight[k * Cout + oc + j]!;
    }
  }
}
