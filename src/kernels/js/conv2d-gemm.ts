/**
 * Convolution as an implicit GEMM: M = N·Hout·Wout pixels by K = kH·kW·Cin/groups taps by
 * Cout/groups channels, in tiles of 4×4 (gemm.ts). The whole matrix of inputs is never in memory: a
 * block of pixels is gathered, as doubles, and multiplied by every panel of weights.
 *
 *            K                    4
 *        ┌───────┐          ┌─┬─┬─┬─┐           ┌─┬─┬─┬─┐
 *   rows │   a   │    K     │b│ │ │ │   =  rows │ │ │ │ │   a block of M rows
 *        └───────┘          └─┴─┴─┴─┘           └─┴─┴─┴─┘
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
import { gemm4x4, MR, NR } from './gemm.js';
import { widenPanel } from './panels.js';

/** Gathered doubles of a block: two megabytes, which stay in the cache. */
const BLOCK_LENGTH = 2 ** 18;

/** Lengths of the scratch that `conv2dGemm` needs. */
export function gemmScratch(
  shape: Conv2dShape,
): Record<'a' | 'b' | 'wide' | 'tile' | 'patch' | 'pixels', number> {
  const K = tapCount(shape);
  const rows = rowsPerBlock(shape);
  return { a: rows * K, b: K * NR, wide: 0, tile: MR * NR, patch: 0, pixels: rows };
}

/** The convolution, block by block; parameters as for `conv2d`. */
export function conv2dGemm(
  out: Float32Array,
  x: Float32Array,
  weights: JsConv2d,
  shape: Conv2dShape,
  epilogue: StoredEpilogue,
  scratch: Conv2dScratch,
): void {
  const { N, Cout, groups, Hout, Wout } = shape;
  const { a, b, tile } = scratch;
  const M = N * Hout * Wout;
  const K = tapCount(shape);
  const CoutG = Cout / groups;
  const panels = Math.ceil(CoutG / NR);
  const block = rowsPerBlock(shape);
  for (let begin = 0; begin < M; begin += block) {
    const rows = Math.min(block, M - begin);
    if (epilogue.smoe) clearSums(scratch, rows);
    for (let group = 0; group < groups; group++) {
      gatherRows(a, x, shape, group, begin, rows);
      // Each panel of weights is widened once and multiplied by every row of the block.
      for (let panel = 0; panel < panels; panel++) {
        widenPanel(b, weights.panels, group * panels + panel);
        const oc = group * CoutG + panel * NR;
        const columns = Math.min(NR, CoutG - panel * NR);
        for (let row = 0; row < rows; row += MR) {
          gemm4x4(tile, 0, K, a, row * K, b, 0);
          const end = Math.min(MR, rows - row);
          for (let i = 0; i < end; i++) {
            const base = (begin + row + i) * Cout + oc;
            storeColumn(out, base, columns, i * NR, row + i, oc, weights.bias, epilogue, scratch);
          }
        }
      }
    }
    if (epilogue.smoe) {
      for (let row = 0; row < rows; row++) {
        epilogue.smoe[begin + row] = finishSum(scratch, row, Cout);
      }
    }
  }
}

/** K: the products in one output value. */
function tapCount({ kH, kW, Cin, groups }: Conv2dShape): number {
  return (kH * kW * Cin) / groups;
}

/**
 * Rows gathered at a time, a multiple of MR. Widening a panel costs about one multiplication for
 * each of its weights, so a block has as many rows as the cache holds.
 */
function rowsPerBlock(shape: Conv2dShape): number {
  const M = shape.N * shape.Hout * shape.Wout;
  const most = Math.max(64, Math.floor(BLOCK_LENGTH / tapCount(shape)));
  const blocks = Math.ceil(M / most);
  return Math.ceil(M / blocks / MR) * MR;
}

/**
 * Gathers the inputs of `rows` output pixels, starting at pixel `begin`: a[row/4][k][row%4], where k
 * runs over ky, kx, ic. The border, and missing rows of the last panel, are zeros.
 */
function gatherRows(
  a: Float64Array,
  x: Float32Array,
  shape: Conv2dShape,
  group: number,
  begin: number,
  rows: number,
): void {
  const { Cin, kH, kW, groups } = shape;
  const CinG = Cin / groups;
  let o = 0;
  for (let row = 0; row < rows; row += MR) {
    // Four pixels side by side, so that the panel is written in order.
    const left = rows - row;
    const m = begin + row;
    for (let ky = 0; ky < kH; ky++) {
      for (let kx = 0; kx < kW; kx++) {
        const from0 = columnOf(shape, m, ky, kx, group);
        const from1 = left > 1 ? columnOf(shape, m + 1, ky, kx, group) : -1;
        const from2 = left > 2 ? columnOf(shape, m + 2, ky, kx, group) : -1;
        const from3 = left > 3 ? columnOf(shape, m + 3, ky, kx, group) : -1;
        for (let ic = 0; ic < CinG; ic++) {
          a[o] = from0 < 0 ? 0 : x[from0 + ic]!;
          a[o + 1] = from1 < 0 ? 0 : x[from1 + ic]!;
          a[o + 2] = from2 < 0 ? 0 : x[from2 + ic]!;
          a[o + 3] = from3 < 0 ? 0 : x[from3 + ic]!;
          o += MR;
        }
      }
    }
  }
}

/** Index in x of the group's first channel that output pixel `m` reads at tap (ky, kx); −1 in the border. */
function columnOf(shape: Conv2dShape, m: number, ky: number, kx: number, group: number): number {
  const { H, W, Cin, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const { dilationY, dilationX } = shape;
  const ox = m % Wout;
  const row = (m - ox) / Wout;
  const oy = row % Hout;
  const n = (row - oy) / Hout;
  const iy = oy * strideY + ky * dilationY - padY;
  const ix = ox * strideX + kx * dilationX - padX;
  if (iy < 0 || iy >= H || ix < 0 || ix >= W) return -1;
  return ((n * H + iy) * W + ix) * Cin + group * (Cin / groups);
}
