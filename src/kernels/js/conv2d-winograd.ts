/**
 * 3×3 convolution at stride 1 by Winograd's minimal filtering F(2×2, 3×3): a tile of 2×2 outputs
 * costs 16 multiplications a channel instead of 36.
 *
 *   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
 *
 *   Bᵀ = ⎡1  0 −1  0⎤     G = ⎡1  0  0⎤     Aᵀ = ⎡1 1  1  0⎤
 *        ⎢0  1  1  0⎥         ⎢½  ½  ½⎥          ⎣0 1 −1 −1⎦
 *        ⎢0 −1  1  0⎥         ⎢½ −½  ½⎥
 *        ⎣0  1  0 −1⎦         ⎣0  0  1⎦
 *
 * d is a 4×4 patch of one input channel, and g is a 3×3 filter. ⊙ multiplies point by point and sums over
 * the channels, so each of the 16 points is a GEMM: M = tiles by K = Cin by Cout. Source: Lavin & Gray,
 * "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308), §4.1.
 *
 * Weights are widened and transformed when they are used. So the weights in memory are those of a plain
 * convolution; the transforms cost about 5 % of the products.
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

/** Points of a transformed tile: 4×4. */
const POINTS = 16;

/** Transformed doubles of a block of tiles: two megabytes, which stay in the cache. */
const BLOCK_LENGTH = 2 ** 18;

/** Whether `conv2dWinograd` can compute the shape. */
export function isWinograd(shape: Conv2dShape): boolean {
  const { kH, kW, strideY, strideX, dilationY, dilationX, groups } = shape;
  return kH * kW === 9 && kH === 3 && strideY * strideX * dilationY * dilationX * groups === 1;
}

/** Lengths of the scratch that `conv2dWinograd` needs. */
export function winogradScratch(
  shape: Conv2dShape,
): Record<'a' | 'b' | 'wide' | 'tile' | 'patch' | 'pixels', number> {
  const { Cin } = shape;
  const tiles = tilesPerBlock(shape);
  return {
    a: POINTS * tiles * Cin,
    b: POINTS * pointStride(Cin),
    wide: 9 * Cin * NR,
    tile: (POINTS + 4) * MR * NR,
    patch: POINTS * Cin,
    pixels: 4 * tiles,
  };
}

/** The convolution, one block of tiles at a time; parameters as for `conv2d`. */
export function conv2dWinograd(
  out: Float32Array,
  x: Float32Array,
  weights: JsConv2d,
  shape: Conv2dShape,
  epilogue: StoredEpilogue,
  scratch: Conv2dScratch,
): void {
  const { N, Cin, Cout, Hout, Wout } = shape;
  const { a, b, wide, tile, patch } = scratch;
  const across = Math.ceil(Wout / 2);
  const down = Math.ceil(Hout / 2);
  const tiles = N * down * across;
  const block = tilesPerBlock(shape);
  for (let begin = 0; begin < tiles; begin += block) {
    const count = Math.min(block, tiles - begin);
    if (epilogue.smoe) clearSums(scratch, 4 * count);
    for (let t = 0; t < count; t++) {
      gatherPatch(patch, x, shape, begin + t);
      transformPatch(a, t, block, patch, Cin);
    }
    for (let oc = 0; oc < Cout; oc += NR) {
      widenPanel(wide, weights.panels, oc / NR);
      transformWeights(b, wide, Cin);
      for (let t = 0; t < count; t += MR) {
        // Four tiles by four channels, point by point; tile holds [16, 4 tiles, 4 channels].
        for (let point = 0; point < POINTS; point++) {
          const aBegin = (point * block + t) * Cin;
          gemm4x4(tile, point * MR * NR, Cin, a, aBegin, b, point * pointStride(Cin));
        }
        transformProducts(tile);
        storeTiles(
          out,
          begin,
          t,
          Math.min(MR, count - t),
          oc,
          weights.bias,
          shape,
          epilogue,
          scratch,
        );
      }
    }
    if (epilogue.smoe) finishTiles(epilogue.smoe, begin, count, shape, scratch);
  }
}

/**
 * Doubles between two points of a panel of transformed weights. It is one cache line more than a point
 * needs: without it, where Cin is a power of two, all sixteen points would fall into one set of the cache.
 */
function pointStride(Cin: number): number {
  return Cin * NR + 8;
}

/** Tiles transformed at a time, a multiple of MR; as many as the cache holds. */
function tilesPerBlock({ N, Cin, Hout, Wout }: Conv2dShape): number {
  const tiles = N * Math.ceil(Hout / 2) * Math.ceil(Wout / 2);
  const most = Math.max(16, Math.floor(BLOCK_LENGTH / (POINTS * Cin)));
  const blocks = Math.ceil(tiles / most);
  return Math.ceil(tiles / blocks / MR) * MR;
}

/** patch[4·row + column][ic]: the 4×4 inputs of tile number `tile`, zeros beyond the border. */
function gatherPatch(patch: Float64Array, x: Float32Array, shape: Conv2dShape, tile: number): void {
  const { H, W, Cin, padY, padX } = shape;
  const { n, oy, ox } = tileOrigin(shape, tile);
  let o = 0;
  for (let iy = oy - padY; iy < oy - padY + 4; iy++) {
    for (let ix = ox - padX; ix < ox - padX + 4; ix++) {
      if (iy >= 0 && iy < H && ix >= 0 && ix < W) {
        const from = ((n * H + iy) * W + ix) * Cin;
        for (let ic = 0; ic < Cin; ic++) patch[o++] = x[from + ic]!;
      } else {
        patch.fill(0, o, o + Cin);
        o += Cin;
      }
    }
  }
}

/** Bᵀ d B of each channel, written as lane t%4 of panel t/4 at each of the 16 points. */
function transformPatch(
  a: Float64Array,
  t: number,
  block: number,
  patch: Float64Array,
  Cin: number,
): void {
  const lane = t % MR;
  const panel = (t - lane) * Cin + lane;
  for (let column = 0; column < 4; column++) {
    // Bᵀ d, one column of the patch at a time, in place.
    for (let ic = 0; ic < Cin; ic++) {
      const i = column * Cin + ic;
      const d0 = patch[i]!;
      const d1 = patch[i + 4 * Cin]!;
      const d2 = patch[i + 8 * Cin]!;
      const d3 = patch[i + 12 * Cin]!;
      patch[i] = d0 - d2;
      patch[i + 4 * Cin] = d1 + d2;
      patch[i + 8 * Cin] = d2 - d1;
      patch[i + 12 * Cin] = d1 - d3;
    }
  }
  const point = block * Cin;
  for (let row = 0; row < 4; row++) {
    // (Bᵀ d) B, one row at a time.
    const o0 = 4 * row * point + panel;
    for (let ic = 0; ic < Cin; ic++) {
      const i = 4 * row * Cin + ic;
      const d0 = patch[i]!;
      const d1 = patch[i + Cin]!;
      const d2 = patch[i + 2 * Cin]!;
      const d3 = patch[i + 3 * Cin]!;
      const o = o0 + ic * MR;
      a[o] = d0 - d2;
      a[o + point] = d1 + d2;
      a[o + 2 * point] = d2 - d1;
      a[o + 3 * point] = d1 - d3;
    }
  }
}

/**
 * G g Gᵀ of one panel of four output channels.
 *
 * @param b [16, Cin, 4], points `pointStride` apart
 * @param g [3, 3, Cin, 4]
 */
function transformWeights(b: Float64Array, g: Float64Array, Cin: number): void {
  const length = Cin * NR;
  const stride = pointStride(Cin);
  for (let e = 0; e < length; e++) {
    // Rows of G g: g0, ½(g0 + g2) + ½g1, ½(g0 + g2) − ½g1, g2, where g0, g1, g2 are the rows of g.
    transformWeightRow(b, e, stride, g[e]!, g[e + length]!, g[e + 2 * length]!);
    const g10 = g[e + 3 * length]!;
    const g11 = g[e + 4 * length]!;
    const g12 = g[e + 5 * length]!;
    const even0 = 0.5 * (g[e]! + g[e + 6 * length]!);
    const even1 = 0.5 * (g[e + length]! + g[e + 7 * length]!);
    const even2 = 0.5 * (g[e + 2 * length]! + g[e + 8 * length]!);
    transformWeightRow(
      b,
      e + 4 * stride,
      stride,
      even0 + 0.5 * g10,
      even1 + 0.5 * g11,
      even2 + 0.5 * g12,
    );
    transformWeightRow(
      b,
      e + 8 * stride,
      stride,
      even0 - 0.5 * g10,
      even1 - 0.5 * g11,
      even2 - 0.5 * g12,
    );
    transformWeightRow(
      b,
      e + 12 * stride,
      stride,
      g[e + 6 * length]!,
      g[e + 7 * length]!,
      g[e + 8 * length]!,
    );
  }
}

/** One row of (G g) Gᵀ: makes four points, `stride` apart, from three values. */
function transformWeightRow(
  b: Float64Array,
  o: number,
  stride: number,
  g0: number,
  g1: number,
  g2: number,
): void {
  const even = 0.5 * (g0 + g2);
  b[o] = g0;
  b[o + stride] = even + 0.5 * g1;
  b[o + 2 * stride] = even - 0.5 * g1;
  b[o + 3 * stride] = g2;
}

/**
 * Aᵀ m A of sixteen tiles at once (4 tiles × 4 channels): tile[16…19] receives the outputs (0,0),
 * (0,1), (1,0), (1,1) of each.
 */
function transformProducts(tile: Float64Array): void {
  const point = MR * NR;
  const out = POINTS * point;
  for (let e = 0; e < point; e++) {
    let y00 = 0;
    let y01 = 0;
    let y10 = 0;
    let y11 = 0;
    for (let column = 0; column < 4; column++) {
      const i = column * point + e;
      const m1 = tile[i + 4 * point]!;
      const m2 = tile[i + 8 * point]!;
      const top = tile[i]! + m1 + m2;
      const bottom = m1 - m2 - tile[i + 12 * point]!;
      if (column < 3) {
        y00 += top;
        y10 += bottom;
      }
      if (column === 1) {
        y01 += top;
        y11 += bottom;
      } else if (column > 1) {
        y01 -= top;
        y11 -= bottom;
      }
    }
    tile[out + e] = y00;
    tile[out + point + e] = y01;
    tile[out + 2 * point + e] = y10;
    tile[out + 3 * point + e] = y11;
  }
}

/** Stores the pixels (2×2 at most) of `count` ≤ 4 tiles, starting at tile `begin + t`. */
function storeTiles(
  out: Float32Array,
  begin: number,
  t: number,
  count: number,
  oc: number,
  bias: Float32Array,
  shape: Conv2dShape,
  epilogue: StoredEpilogue,
  scratch: Conv2dScratch,
): void {
  const { Cout, Hout, Wout } = shape;
  const columns = Math.min(NR, Cout - oc);
  for (let i = 0; i < count; i++) {
    const { n, oy, ox } = tileOrigin(shape, begin + t + i);
    for (let q = 0; q < 4; q++) {
      const y = oy + (q >> 1);
      const x = ox + (q & 1);
      if (y >= Hout || x >= Wout) continue;
      const base = ((n * Hout + y) * Wout + x) * Cout + oc;
      const at = (POINTS + q) * MR * NR + i * NR;
      storeColumn(out, base, columns, at, 4 * (t + i) + q, oc, bias, epilogue, scratch);
    }
  }
}

/** SMOE Scale of every pixel of a block's tiles. */
function finishTiles(
  smoe: Float32Array,
  begin: number,
  count: number,
  shape: Conv2dShape,
  scratch: Conv2dScratch,
): void {
  const { Cout, Hout, Wout } = shape;
  for (let t = 0; t < count; t++) {
    const { n, oy, ox } = tileOrigin(shape, begin + t);
    for (let q = 0; q < 4; q++) {
      const y = oy + (q >> 1);
      const x = ox + (q & 1);
      if (y >= Hout || x >= Wout) continue;
      smoe[(n * Hout + y) * Wout + x] = finishSum(scratch, 4 * t + q, Cout);
    }
  }
}

/** Picture n and first output pixel of tile number `tile`. */
function tileOrigin(
  { Hout, Wout }: Conv2dShape,
  tile: number,
): { n: number; oy: number; ox: number } {
  const across = Math.ceil(Wout / 2);
  const down = Math.ceil(Hout / 2);
  const column = tile % across;
  const row = (tile - column) / across;
  return { n: Math.floor(row / down), oy: 2 * (row % down), ox: 2 * column };
}
