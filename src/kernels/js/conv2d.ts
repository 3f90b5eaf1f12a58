/**
 * 2-D convolution, NHWC, any kernel, stride, zero padding and groups:
 *
 *   out[n, oy, ox, oc] = epilogue( bias[oc] + Σ_{ky,kx,ic} x[n, oy·stride + ky − pad, …, ic] · w[oc, ic, ky, kx] )
 *   epilogue(v) = relu?( v (+ residual[n, oy, ox, oc]) )
 *
 * and, where the convolution ends a scale, SMOE Scale of each output column, accumulated while the
 * tile is at hand: no second pass over the activation.
 *
 * `conv2dReference` is the formula. `conv2d` is an implicit GEMM: M = N·Hout·Wout pixels by
 * K = kH·kW·Cin/groups taps by Cout/groups channels, in tiles of 4×4 (gemm.ts). A block of pixels
 * is gathered once, as doubles, and meets every panel of weights.
 */

import { ShapeError } from '../../errors.js';
import type { Conv2dWeightShape, PackedWeights } from '../kernels.js';
import { PRODUCT_MAX, PRODUCT_MIN, SMOE_EPS, smoeFromSums } from '../statistics/smoe.js';
import { gemm4x4, MR, NR, packPanels, widenPanel } from './gemm.js';

/** Extents, in elements. `strideY` and `padY` go with kH and H, `strideX` and `padX` with kW and W. */
export interface Conv2dParameters extends Conv2dWeightShape {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
}

export interface Conv2dShape extends Conv2dParameters {
  readonly Hout: number;
  readonly Wout: number;
}

/** What happens to a sum before it is stored. Arrays are [N, Hout, Wout, Cout] but for `smoe`. */
export interface Conv2dEpilogue {
  readonly residual?: Float32Array | undefined;
  readonly relu: boolean;
  /** [N, Hout, Wout]: receives SMOE Scale of each stored column. */
  readonly smoe?: Float32Array | undefined;
}

/** Weights as panels of four output channels, [groups, ⌈Cout/groups/4⌉, K, 4], and the bias. */
export interface PackedConv2d extends PackedWeights {
  readonly panels: Float32Array;
  readonly bias: Float32Array;
}

/** Working memory of `conv2d`, large enough for `shape` or for the largest of several. */
export interface Conv2dScratch {
  /** Gathered pixels: [rows/4, K, 4]. */
  readonly a: Float64Array;
  /** One panel of weights: [K, 4]. */
  readonly b: Float64Array;
  readonly tile: Float64Array;
  /** For each row of the block: Σz, running product, Σlog2 of the products folded so far. */
  readonly sums: Float64Array;
  readonly products: Float64Array;
  readonly logSums: Float64Array;
}

/**
 * Checks the parameters and computes the output's height and width.
 *
 * @throws {ShapeError} for extents that are not whole or too small, channels that the groups do not
 * divide, or a kernel larger than the padded input
 */
export function conv2dShape(p: Conv2dParameters): Conv2dShape {
  for (const key of [
    'N',
    'H',
    'W',
    'Cin',
    'Cout',
    'kH',
    'kW',
    'groups',
    'strideY',
    'strideX',
  ] as const) {
    if (!Number.isInteger(p[key]) || p[key] < 1) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 1, got ${p[key]}`);
    }
  }
  for (const key of ['padY', 'padX'] as const) {
    if (!Number.isInteger(p[key]) || p[key] < 0) {
      throw new ShapeError(`conv2d: ${key} expected a whole number ≥ 0, got ${p[key]}`);
    }
  }
  if (p.Cin % p.groups !== 0 || p.Cout % p.groups !== 0) {
    throw new ShapeError(`conv2d: ${p.groups} groups do not divide ${p.Cin} → ${p.Cout} channels`);
  }
  const Hout = Math.floor((p.H + 2 * p.padY - p.kH) / p.strideY) + 1;
  const Wout = Math.floor((p.W + 2 * p.padX - p.kW) / p.strideX) + 1;
  if (Hout < 1 || Wout < 1) {
    throw new ShapeError(
      `conv2d: kernel ${p.kH}×${p.kW} is larger than the padded input ${p.H + 2 * p.padY}×${p.W + 2 * p.padX}`,
    );
  }
  return { ...p, Hout, Wout };
}

/**
 * The convolution by its formula, sums in double precision; without the SMOE tap.
 *
 * @param out [N, Hout, Wout, Cout]
 * @param x [N, H, W, Cin]
 * @param weight OIHW: [Cout, Cin/groups, kH, kW]
 * @param bias [Cout]
 */
export function conv2dReference(
  out: Float32Array | Float64Array,
  x: Float32Array | Float64Array,
  weight: Float32Array,
  bias: Float32Array,
  shape: Conv2dShape,
  epilogue: Omit<Conv2dEpilogue, 'smoe'>,
): void {
  const { N, H, W, Cin, Cout, kH, kW, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let oc = 0; oc < Cout; oc++) {
          const group = Math.floor(oc / CoutG);
          let sum = bias[oc]!;
          for (let ky = 0; ky < kH; ky++) {
            const iy = oy * strideY + ky - padY;
            if (iy < 0 || iy >= H) continue;
            for (let kx = 0; kx < kW; kx++) {
              const ix = ox * strideX + kx - padX;
              if (ix < 0 || ix >= W) continue;
              for (let ic = 0; ic < CinG; ic++) {
                sum +=
                  x[((n * H + iy) * W + ix) * Cin + group * CinG + ic]! *
                  weight[((oc * CinG + ic) * kH + ky) * kW + kx]!;
              }
            }
          }
          const o = ((n * Hout + oy) * Wout + ox) * Cout + oc;
          if (epilogue.residual) sum += epilogue.residual[o]!;
          out[o] = epilogue.relu && sum < 0 ? 0 : sum;
        }
      }
    }
  }
}

/**
 * Packs weights for `conv2d`.
 *
 * @param weight OIHW: [Cout, Cin/groups, kH, kW]
 * @param bias [Cout]
 * @throws {ShapeError} when a length does not fit the shape
 */
export function packConv2d(
  shape: Conv2dWeightShape,
  weight: Float32Array,
  bias: Float32Array,
): PackedConv2d {
  const { Cin, Cout, kH, kW, groups } = shape;
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  const taps = kH * kW;
  const K = taps * CinG;
  if (weight.length !== Cout * K) {
    throw new ShapeError(
      `conv2d: weight expected length ${Cout * K} for [${Cout}, ${CinG}, ${kH}, ${kW}], got ${weight.length}`,
    );
  }
  if (bias.length !== Cout) {
    throw new ShapeError(`conv2d: bias expected length ${Cout}, got ${bias.length}`);
  }
  const panelsLength = Math.ceil(CoutG / NR) * NR * K;
  const panels = new Float32Array(groups * panelsLength);
  const rows = new Float32Array(CoutG * K);
  for (let group = 0; group < groups; group++) {
    // Channels innermost, as a gathered pixel has them: [oc, ic, tap] → [oc, tap, ic].
    for (let oc = 0; oc < CoutG; oc++) {
      const from = (group * CoutG + oc) * K;
      for (let ic = 0; ic < CinG; ic++) {
        for (let tap = 0; tap < taps; tap++) {
          rows[oc * K + tap * CinG + ic] = weight[from + ic * taps + tap]!;
        }
      }
    }
    packPanels(panels.subarray(group * panelsLength), rows, CoutG, K);
  }
  return { panels, bias: bias.slice(), bytes: panels.byteLength + bias.byteLength };
}

/** Allocates scratch that serves each of the shapes. */
export function conv2dScratch(shapes: readonly Conv2dShape[]): Conv2dScratch {
  let aLength = 0;
  let bLength = 0;
  let rows = 0;
  for (const shape of shapes) {
    const K = tapCount(shape);
    const block = rowsPerBlock(shape);
    aLength = Math.max(aLength, block * K);
    bLength = Math.max(bLength, K * NR);
    rows = Math.max(rows, block);
  }
  return {
    a: new Float64Array(aLength),
    b: new Float64Array(bLength),
    tile: new Float64Array(MR * NR),
    sums: new Float64Array(rows),
    products: new Float64Array(rows),
    logSums: new Float64Array(rows),
  };
}

/**
 * The convolution, register-blocked. Allocates nothing; any extents ≥ 1.
 *
 * @param out [N, Hout, Wout, Cout], overwritten; may be `epilogue.residual`, must not be `x`
 * @param x [N, H, W, Cin]
 *
 * Accuracy: products and sums are doubles, so the error is that of storing a float32.
 */
export function conv2d(
  out: Float32Array,
  x: Float32Array,
  weights: PackedConv2d,
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
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
      // One panel of weights is widened and meets every row of the block.
      for (let panel = 0; panel < panels; panel++) {
        widenPanel(b, weights.panels, (group * panels + panel) * K * NR, K * NR);
        const oc = group * CoutG + panel * NR;
        const columns = Math.min(NR, CoutG - panel * NR);
        for (let row = 0; row < rows; row += MR) {
          gemm4x4(tile, K, a, row * K, b);
          storeTile(
            out,
            scratch,
            weights.bias,
            epilogue,
            Cout,
            begin,
            row,
            Math.min(MR, rows - row),
            oc,
            columns,
          );
        }
      }
    }
    if (epilogue.smoe) finishSums(epilogue.smoe, scratch, begin, rows, Cout);
  }
}

/** K: the products in one output value. */
function tapCount({ kH, kW, Cin, groups }: Conv2dShape): number {
  return (kH * kW * Cin) / groups;
}

/**
 * Rows gathered at a time, a multiple of MR. Widening a panel costs about one multiplication for
 * each of its weights, so a block wants many rows; two megabytes of them stay in the cache.
 */
function rowsPerBlock(shape: Conv2dShape): number {
  const M = shape.N * shape.Hout * shape.Wout;
  const most = Math.max(64, Math.floor(2 ** 18 / tapCount(shape)));
  const blocks = Math.ceil(M / most);
  return Math.ceil(M / blocks / MR) * MR;
}

/**
 * Gathers the inputs of `rows` output pixels from pixel `begin` on: a[row/4][k][row%4], k running
 * over ky, kx, ic. Zeros stand for the border and for the missing rows of the last panel.
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

/** Where in x the group's channels begin that output pixel `m` meets at (ky, kx); −1: the border. */
function columnOf(shape: Conv2dShape, m: number, ky: number, kx: number, group: number): number {
  const { H, W, Cin, groups, strideY, strideX, padY, padX, Hout, Wout } = shape;
  const ox = m % Wout;
  const row = (m - ox) / Wout;
  const oy = row % Hout;
  const n = (row - oy) / Hout;
  const iy = oy * strideY + ky - padY;
  const ix = ox * strideX + kx - padX;
  if (iy < 0 || iy >= H || ix < 0 || ix >= W) return -1;
  return ((n * H + iy) * W + ix) * Cin + group * (Cin / groups);
}

/** Bias, residual, ReLU, store; then the tile's part of the SMOE sums, if they are wanted. */
function storeTile(
  out: Float32Array,
  scratch: Conv2dScratch,
  bias: Float32Array,
  epilogue: Conv2dEpilogue,
  Cout: number,
  begin: number,
  row: number,
  rows: number,
  oc: number,
  columns: number,
): void {
  const { tile, sums, products, logSums } = scratch;
  const { residual, relu, smoe } = epilogue;
  for (let i = 0; i < rows; i++) {
    const base = (begin + row + i) * Cout + oc;
    for (let j = 0; j < columns; j++) {
      let value = tile[i * NR + j]! + bias[oc + j]!;
      if (residual !== undefined) value += residual[base + j]!;
      out[base + j] = relu && value < 0 ? 0 : value;
    }
    if (smoe !== undefined) {
      // The stored float32s, so that the tap equals smoeScale of the output. Four factors at once:
      // a product within [1e-150, 1e150] survives any four float32 ≥ eps.
      let sum = sums[row + i]!;
      let product = products[row + i]!;
      for (let j = 0; j < columns; j++) {
        const z = out[base + j]! + SMOE_EPS;
        sum += z;
        product *= z;
      }
      if (product < PRODUCT_MIN || product > PRODUCT_MAX) {
        logSums[row + i]! += Math.log2(product);
        product = 1;
      }
      sums[row + i] = sum;
      products[row + i] = product;
    }
  }
}

function clearSums({ sums, products, logSums }: Conv2dScratch, rows: number): void {
  sums.fill(0, 0, rows);
  products.fill(1, 0, rows);
  logSums.fill(0, 0, rows);
}

function finishSums(
  smoe: Float32Array,
  { sums, products, logSums }: Conv2dScratch,
  begin: number,
  rows: number,
  C: number,
): void {
  for (let row = 0; row < rows; row++) {
    smoe[begin + row] = smoeFromSums(sums[row]!, logSums[row]! + Math.log2(products[row]!), C);
  }
}
