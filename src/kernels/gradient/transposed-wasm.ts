/** Rearranged weights of the SIMD backend. */

import { isDepthwise } from '../conv2d-shape.js';
import { WEIGHT_BYTES } from '../precision.js';
import { NR, PRECISION_NUMBERS, type WasmConv2d } from '../wasm/conv2d.js';
import type { Engine } from '../wasm/wasm-kernels.js';
import {
  type LinearWeights,
  panelFloats,
  panelLayout,
  type TransposedLayer,
  type TransposedScratch,
  type TransposedWeights,
  transposedShape,
  transposePanels,
} from './transposed-weights.js';

/** Functions of assembly/index.ts. */
interface GradientExports {
  addProducts(out: number, gradient: number, rows: number, panel: number, K: number): void;
  /**
   * Transposes the `rows` columns of one panel into rows of other panels.
   *
   * @param toBytes bytes from one panel of the result to the next
   * @param count rows of the source, which become columns of the result
   */
  transposePanel(to: number, toBytes: number, from: number, rows: number, count: number): void;
}

interface Sizes {
  readonly floats: number;
  readonly channels: number;
  /** A panel of the source as floats. */
  readonly widened: number;
}

/** Bytes that `wasmTransposed` allocates. */
export function wasmTransposedBytes(layers: readonly TransposedLayer[]): number {
  const { floats, channels, widened } = sizes(layers);
  return 4 * (floats + channels + widened);
}

export function wasmTransposed(
  engine: Engine,
  layers: readonly TransposedLayer[],
): TransposedScratch {
  const { memory } = engine;
  const { floats, channels } = sizes(layers);
  const bytes = wasmTransposedBytes(layers);
  const ptr = memory.allocate(bytes);
  const biasPtr = ptr + 4 * floats;
  const widenedPtr = biasPtr + 4 * channels;
  memory.floats(biasPtr, channels).fill(0);
  return {
    weightsOf(layer, packed) {
      if (layer.arrangement === 'linear') {
        return linearWeights(engine, layer, packed as WasmConv2d, widenedPtr);
      }
      const place = { ptr, biasPtr, columnScalesPtr: 0, precision: 'f32', bytes: 0 };
      const renew = renewal(engine, layer, packed as WasmConv2d, ptr, widenedPtr);
      return { ...place, renew } as TransposedWeights;
    },
    release: () => memory.release(ptr, bytes),
  };
}

/** The panels of a layer, one after the other, as floats: in their place, or widened into scratch. */
function panelsOf(
  { exports }: Engine,
  { shape }: TransposedLayer,
  { precision, ptr, columnScalesPtr }: WasmConv2d,
  widenedPtr: number,
): (panel: number) => number {
  const { K } = panelLayout(shape, NR);
  const number = PRECISION_NUMBERS[precision];
  const panelBytes = K * NR * WEIGHT_BYTES[precision];
  return (panel) => {
    const own = ptr + panel * panelBytes;
    if (precision === 'f32') return own;
    exports.widenPanel(number, widenedPtr, own, columnScalesPtr + 4 * NR * panel, K);
    return widenedPtr;
  };
}

function linearWeights(
  engine: Engine,
  layer: TransposedLayer,
  packed: WasmConv2d,
  widenedPtr: number,
): LinearWeights {
  const { memory, exports } = engine;
  const { addProducts } = exports as unknown as Partial<GradientExports>;
  const { Cout } = layer.shape;
  const { K } = panelLayout(layer.shape, NR);
  const panelAt = panelsOf(engine, layer, packed, widenedPtr);
  return {
    bytes: 0,
    products(out, gradient) {
      out.fill(0);
      for (let oc = 0; oc < Cout; oc += NR) {
        const panel = panelAt(oc / NR);
        const rows = Math.min(NR, Cout - oc);
        for (let n = 0; n < out.length / K; n++) {
          const from = n * Cout + oc;
          if (addProducts) {
            const to = out.byteOffset + 4 * n * K;
            addProducts(to, gradient.byteOffset + 4 * from, rows, panel, K);
          } else {
            const own = gradient.subarray(from, from + rows);
            const floats = memory.floats(panel, NR * K);
            addProductsReference(out.subarray(n * K, (n + 1) * K), own, floats);
          }
        }
      }
    },
  };
}

/** `addProducts` of assembly/linear.ts. */
function addProductsReference(
  out: Float32Array,
  gradient: Float32Array,
  panel: Float32Array,
): void {
  for (let k = 0; k < out.length; k++) {
    let sum = 0;
    for (let j = 0; j < gradient.length; j++) sum += gradient[j]! * panel[k * NR + j]!;
    out[k]! += sum;
  }
}

/** Writes the rearranged weights to `ptr`, panel by panel of the layer's own. */
function renewal(
  engine: Engine,
  layer: TransposedLayer,
  packed: WasmConv2d,
  ptr: number,
  widenedPtr: number,
): () => void {
  const { memory, exports } = engine;
  const { shape, arrangement } = layer;
  const from = panelLayout(shape, NR);
  const target = transposedShape(layer);
  const to = panelLayout(target, NR);
  const floatsOf = panelsOf(engine, layer, packed, widenedPtr);
  const { transposePanel } = exports as unknown as Partial<GradientExports>;
  const length = panelFloats(target, NR);
  if (isDepthwise(shape) || isDepthwise(target) || !transposePanel) {
    return () => {
      const read = (panel: number) => memory.floats(floatsOf(panel), NR * from.K);
      transposePanels(memory.floats(ptr, length), layer, NR, read);
    };
  }
  const taps = arrangement === 'columns' ? 1 : shape.kH * shape.kW;
  const count = from.K / taps;
  const toBytes = 4 * NR * to.K;
  return () => {
    for (let panel = 0; panel < from.groups * from.panels; panel++) {
      const floatsPtr = floatsOf(panel);
      const row = (panel % from.panels) * NR;
      const rows = Math.min(NR, from.channels - row);
      const groupPtr = ptr + Math.floor(panel / from.panels) * to.panels * toBytes;
      for (let tap = 0; tap < taps; tap++) {
        const first = (taps - 1 - tap) * from.channels + row;
        const tapPtr = floatsPtr + 4 * NR * tap * count;
        transposePanel(groupPtr + 4 * NR * first, toBytes, tapPtr, rows, count);
      }
    }
  };
}

function sizes(layers: readonly TransposedLayer[]): Sizes {
  const shapes = layers.filter(({ arrangement }) => arrangement !== 'linear').map(transposedShape);
  const most = (lengths: readonly number[]) => Math.max(0, ...lengths);
  return {
    floats: most(shapes.map((shape) => panelFloats(shape, NR))),
    channels:
      NR *
      most(
        shapes.map((shape) => {
          const { groups, panels } = panelLayout(shape, NR);
          return groups * panels;
        }),
      ),
    widened: NR * most(layers.map(({ shape }) => panelLayout(shape, NR).K)),
  };
}
