/**
 * The JavaScript side of the SIMD convolutions: packs weights into linear memory, chooses the
 * algorithm, sizes the scratch, and writes the task that assembly/task.ts reads.
 */

import { type ActivationFunction, limitsOf } from '../activation.js';
import {
  type Conv2dShape,
  type Conv2dWeightShape,
  isDepthwise,
  packingShape,
} from '../conv2d-shape.js';
import { checkLayerWeights, type LayerWeights, refuseNonFinite } from '../layer-weights.js';
import { type Precision, WEIGHT_BYTES } from '../precision.js';
import type { Algorithm, PackedConv2d } from '../step.js';
import { activationWords } from './activation.js';
import type { LinearMemory } from './linear-memory.js';

/** Output channels of a panel. */
export const NR = 8;

/** Bytes of a pixel's SMOE sums: `SUMS_BYTES` of assembly/smoe.ts. They are finished four pixels at a time. */
const SUMS_BYTES = 48;

/** From assembly/conv2d-sparse.ts: `SLICE`, `NONZERO`, and the most panels that it computes at a time. */
const SLICE = 128;
const NONZERO_BYTES = 8;
const SPARSE_PANELS = 6;

/** Points of a transformed Winograd tile. */
const POINTS = 36;

/** Fields of `Conv2dTask` in assembly/task.ts. */
const TASK_WORDS = 39;
export const TASK_BYTES: number = 4 * TASK_WORDS;

/** Addresses in linear memory. */
export interface WasmConv2d extends PackedConv2d {
  readonly precision: Precision;
  /** The panels; bias and scales follow. */
  readonly ptr: number;
  readonly biasPtr: number;
  readonly columnScalesPtr: number;
}

/** Bytes of scratch for each use. Steps share scratch, because they run one after the other. */
export interface ScratchBytes {
  readonly rows: number;
  readonly a: number;
  readonly b: number;
  readonly products: number;
  readonly sums: number;
  readonly widened: number;
}

/** Addresses of the buffers of one step; 0 stands for none. */
export interface Conv2dPointers {
  readonly x: number;
  readonly out: number;
  readonly residual: number;
  readonly smoe: number;
}

/** A convolution, and how it is computed. */
export interface Convolution {
  readonly shape: Conv2dShape;
  readonly algorithm: Algorithm;
  /** `blockOf`, or less. */
  readonly block: number;
  /** Of the weights. */
  readonly precision: Precision;
}

/** Numbers of the precisions in assembly/precision.ts. */
export const PRECISION_NUMBERS: Readonly<Record<Precision, number>> = { f32: 0, f16: 1, int8: 2 };

/** Offsets of the parts of packed weights, in bytes from their beginning. */
function packedLayout(shape: Conv2dWeightShape, precision: Precision) {
  const { Cin, Cout, kH, kW, groups } = packingShape(shape);
  const panels = groups * Math.ceil(Cout / groups / NR);
  const panelBytes = (NR * WEIGHT_BYTES[precision] * kH * kW * Cin) / groups;
  const bias = panels * panelBytes;
  const columnScales = bias + 4 * panels * NR;
  return {
    panelBytes,
    bias,
    columnScales,
    end: columnScales + (precision === 'f32' ? 0 : 4 * panels * NR),
  };
}

/** Bytes of the packed weights, their bias and scales. */
export function packedConv2dBytes(shape: Conv2dWeightShape, precision: Precision): number {
  return packedLayout(shape, precision).end;
}

/** Bytes that packing itself needs: the scales and the rows of a panel before they are packed. */
export function stageBytes(shape: Conv2dWeightShape): number {
  const { Cin, kH, kW, groups } = packingShape(shape);
  return NR * (8 + (4 * kH * kW * Cin) / groups);
}

/** `packPanel` and `widenPanel` of assembly/precision.ts. */
export interface PanelExports {
  packPanel(
    precision: number,
    panelPtr: number,
    columnScalesPtr: number,
    rowsPtr: number,
    K: number,
    taps: number,
    scalePtr: number,
  ): number;
  widenPanel(
    precision: number,
    toPtr: number,
    panelPtr: number,
    columnScalesPtr: number,
    K: number,
  ): void;
}

/**
 * Packs weights, OIHW, into panels of eight output channels: [groups, ⌈Cout/groups/8⌉, kH·kW·Cin/groups, 8].
 * In a panel the channels of a tap are together, in the order of a gathered pixel. Weights are read into
 * linear memory, eight channels at a time, and packed there.
 *
 * @throws {ShapeError} when a length does not fit the shape
 */
export function packConv2d(
  memory: LinearMemory,
  exports: PanelExports,
  shape: Conv2dWeightShape,
  weights: LayerWeights,
): WasmConv2d {
  const { Cin, Cout, kH, kW, groups } = packingShape(shape);
  const { precision = 'f32' } = weights;
  const CoutG = Cout / groups;
  const taps = kH * kW;
  const K = (taps * Cin) / groups;
  checkLayerWeights('conv2d', [Cout, Cin / groups, kH, kW], weights);
  const layout = packedLayout(shape, precision);
  const ptr = memory.allocate(layout.end);
  const scalePtr = memory.allocate(stageBytes(shape));
  const rowsPtr = scalePtr + 8 * NR;
  const panelsOfGroup = Math.ceil(CoutG / NR);
  const biasPtr = ptr + layout.bias;
  const columnScalesPtr = ptr + layout.columnScales;
  const bias = memory.floats(biasPtr, groups * panelsOfGroup * NR).fill(0);
  const rows = memory.floats(rowsPtr, NR * K);
  const scale = memory.doubles(scalePtr, NR).fill(1);
  const number = PRECISION_NUMBERS[precision];
  try {
    for (let index = 0; index < groups * panelsOfGroup; index++) {
      const panel = index % panelsOfGroup;
      const oc = ((index - panel) / panelsOfGroup) * CoutG + panel * NR;
      const columns = Math.min(NR, CoutG - panel * NR);
      weights.read(rows.subarray(0, columns * K), oc * K);
      // The last panel is filled up with zeros.
      rows.fill(0, columns * K);
      if (weights.scale) scale.set(weights.scale.subarray(oc, oc + columns));
      bias.set(weights.bias.subarray(oc, oc + columns), index * NR);
      const panelPtr = ptr + index * layout.panelBytes;
      const scalesPtr = columnScalesPtr + 4 * index * NR;
      const finite = exports.packPanel(number, panelPtr, scalesPtr, rowsPtr, K, taps, scalePtr);
      if (!finite) refuseNonFinite(weights, rows.subarray(0, columns * K), oc * K);
    }
  } catch (error) {
    memory.release(ptr, layout.end);
    throw error;
  } finally {
    memory.release(scalePtr, stageBytes(shape));
  }
  const packed = { bytes: layout.end, precision, ptr, biasPtr, columnScalesPtr };
  return { ...packed, row: (out, oc) => unpackRow(memory, exports, packed, out, oc) };
}

/** Copies the weights of output `oc` of a linear layer out of its panel: [Cin]. */
function unpackRow(
  memory: LinearMemory,
  exports: PanelExports,
  { precision, ptr, columnScalesPtr }: Omit<WasmConv2d, 'row'>,
  out: Float32Array,
  oc: number,
): void {
  const Cin = out.length;
  const j = oc % NR;
  const panelPtr = ptr + WEIGHT_BYTES[precision] * (oc - j) * Cin;
  let floatsPtr = panelPtr;
  if (precision !== 'f32') {
    floatsPtr = memory.allocate(4 * NR * Cin);
    const scalesPtr = columnScalesPtr + 4 * (oc - j);
    exports.widenPanel(PRECISION_NUMBERS[precision], floatsPtr, panelPtr, scalesPtr, Cin);
    memory.release(floatsPtr, 4 * NR * Cin);
  }
  const panel = memory.floats(floatsPtr, Cin * NR);
  for (let ic = 0; ic < Cin; ic++) out[ic] = panel[ic * NR + j]!;
}

/**
 * The algorithm that computes a shape. It does not depend on N, so that a batch gives the same results as
 * its pictures alone.
 *
 * @param sparse whether the input comes from a ReLU
 * @param winograd whether Winograd's algorithm is allowed
 */
export function algorithmOf(shape: Conv2dShape, sparse: boolean, winograd: boolean): Algorithm {
  const { Cin, Cout, groups } = shape;
  if (isDepthwise(shape)) return 'depthwise';
  // The other algorithms need whole vectors of channels.
  if (groups > 1 || Cin % 4 !== 0 || Cout % NR !== 0) return 'gemm';
  if (winograd && gainsByWinograd(shape)) return 'winograd';
  // The sparse kernel takes four or six panels at a time.
  return sparse && Cout % (2 * NR) === 0 && Cout >= 4 * NR ? 'sparse' : 'gemm';
}

/**
 * 3×3 at stride 1, where the 4×4 tiles waste little at the output's edges, and where there are enough tiles
 * to make up for the transform of the weights.
 */
function gainsByWinograd(shape: Conv2dShape): boolean {
  const { kH, kW, strideY, strideX, dilationY, dilationX, Hout, Wout } = shape;
  if (kH !== 3 || kW !== 3 || strideY * strideX * dilationY * dilationX > 1) return false;
  const tiles = Math.ceil(Hout / 4) * Math.ceil(Wout / 4);
  return tiles > 4 && POINTS * tiles < 0.6 * 9 * Hout * Wout;
}

/** The scratch that `writeTask` will need. */
export function scratchBytes({ shape, algorithm, block, precision }: Convolution): ScratchBytes {
  const { Cin, kH, kW, groups } = shape;
  const K = (kH * kW * Cin) / groups;
  if (algorithm === 'depthwise') {
    const { Cout, dilationY } = shape;
    return {
      rows: 4 * kH,
      a: 16 * block * Math.ceil(Cout / 4) * ((kH - 1) * dilationY + 1),
      b: 0,
      products: 0,
      sums: 0,
      widened: precision === 'f32' ? 0 : 4 * NR * K * Math.ceil(Cout / NR),
    };
  }
  // A panel, or a slice of several.
  const widenedRows = algorithm === 'sparse' ? SPARSE_PANELS * Math.min(K, SLICE) : K;
  const widened = precision === 'f32' ? 0 : 4 * NR * widenedRows;
  if (algorithm === 'sparse') {
    return {
      rows: 4 * block * (Math.ceil(K / SLICE) + 1),
      // Compressing writes whole vectors, also after the last nonzero.
      a: NONZERO_BYTES * block * K + 32,
      b: 0,
      products: 4 * SPARSE_PANELS * NR * block,
      sums: SUMS_BYTES * (block + 3),
      widened,
    };
  }
  const rows = 4 * (block + 8);
  if (algorithm === 'winograd') {
    return {
      rows,
      a: 4 * POINTS * block * Cin,
      // A cache line more than each point needs.
      b: POINTS * (4 * NR * Cin + 64),
      products: 4 * POINTS * block * NR,
      sums: 0,
      widened,
    };
  }
  const a = gathers(shape) ? 4 * block * K : 0;
  return { rows, a, b: 0, products: 0, sums: 0, widened };
}

/** Whether pixels are gathered. A 1×1 convolution at stride 1 without a border reads them directly from x. */
function gathers({ kH, kW, H, W, strideY, strideX, padY, padX, Hout, Wout }: Conv2dShape): boolean {
  const isBeyond = (Hout - 1) * strideY >= H || (Wout - 1) * strideX >= W;
  return kH * kW > 1 || padY !== 0 || padX !== 0 || isBeyond;
}

/** What to compute, and where. */
export interface Conv2dTask extends Convolution {
  readonly activation: ActivationFunction | undefined;
  readonly weights: WasmConv2d;
  readonly pointers: Conv2dPointers;
  /** How many output channels to compute. Weights and pointers begin at the first of them. */
  readonly columns: number;
}

/** Writes the fields of the class `Conv2dTask`, in its order. */
export function writeTask(
  memory: LinearMemory,
  taskPtr: number,
  { shape, block, activation, weights, pointers, columns }: Conv2dTask,
  scratch: ScratchBytes,
): void {
  const { x, out, residual, smoe } = pointers;
  const { N, H, W, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const { rows, a, b, products, sums, widened } = scratch;
  memory
    .words(taskPtr, TASK_WORDS)
    .set([
      ...[x, out, weights.ptr, weights.biasPtr, residual, smoe],
      ...[N, H, W, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout],
      ...[block, rows, a, b, products, sums],
      ...[PRECISION_NUMBERS[weights.precision], weights.columnScalesPtr, widened],
      ...[dilationY, dilationX, gathers(shape) ? 1 : 0, columns],
    ]);
  const limits = limitsOf(activation);
  const [kind, ...numbers] = activation && !limits ? activationWords(activation) : [0];
  const endPtr = taskPtr + TASK_BYTES;
  memory.floats(endPtr - 24, 6).set([...(limits ?? [-Infinity, Infinity]), 0, ...numbers]);
  memory.words(endPtr - 16, 1)[0] = kind;
}

/**
 * Pixels or tiles of a block, in equal parts. A block's rows fit into a second-level cache of 1 MB with room for
 * the weights; a small picture is one block. Rows of a matrix product: 24–48 for K ≥ 256, 48–96 below. Lists of
 * nonzeros: half a megabyte, because each slice of weights is fetched once for each block.
 */
export function blockOf(shape: Conv2dShape, algorithm: Algorithm): number {
  const { N, Hout, Wout, Cin, kH, kW, groups } = shape;
  if (algorithm === 'depthwise') {
    // How far the last four pixels reach.
    const { strideX, dilationX } = shape;
    return (4 * Math.ceil(Wout / 4) - 1) * strideX + (kW - 1) * dilationX + 1;
  }
  if (algorithm === 'winograd') {
    const tiles = N * Math.ceil(Hout / 4) * Math.ceil(Wout / 4);
    return equalParts(tiles, Math.max(12, Math.floor(2 ** 18 / (POINTS * Cin))), 12);
  }
  const K = (kH * kW * Cin) / groups;
  const M = N * Hout * Wout;
  if (algorithm === 'sparse') {
    return equalParts(M, Math.min(Math.max(Math.floor(2 ** 17 / K), 64), 196), 1);
  }
  return equalParts(M, M <= 64 ? 64 : K >= 256 ? 48 : 96, 12);
}

/** Splits `total` into equal parts of at most about `most`; the size of a part is a multiple of `unit`. */
function equalParts(total: number, most: number, unit: number): number {
  const parts = Math.ceil(total / most);
  return Math.ceil(total / parts / unit) * unit;
}
