/**
 * 3×3 convolution at stride 1 by Winograd's F(4×4, 3×3): a tile of 4×4 outputs costs 36
 * multiplications a channel instead of 144.
 *
 *   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
 *
 * with the interpolation points 0, ±p, ±q, ∞:
 *
 *   Bᵀ = ⎡p²q²   0  −p²−q²   0    1  0⎤   G = diag(p²q², 2p²(p²−q²), 2p²(p²−q²), 2q²(q²−p²), 2q²(q²−p²), 1)⁻¹
 *        ⎢ 0  −pq²   −q²     p    1  0⎥     · ⎡1  0  0 ⎤   Aᵀ = ⎡1  1   1  1   1  0⎤
 *        ⎢ 0   pq²   −q²    −p    1  0⎥       ⎢1  p  p²⎥        ⎢0  p  −p  q  −q  0⎥
 *        ⎢ 0  −p²q   −p²     q    1  0⎥       ⎢1 −p  p²⎥        ⎢0  p²  p² q²  q² 0⎥
 *        ⎢ 0   p²q   −p²    −q    1  0⎥       ⎢1  q  q²⎥        ⎣0  p³ −p³ q³ −q³ 1⎦
 *        ⎣ 0  p²q²    0   −p²−q²  0  1⎦       ⎢1 −q  q²⎥
 *                                             ⎣0  0  1 ⎦
 *
 * The diagonal of G is applied to the rows of Bᵀ instead, because there are fewer inputs than weights to scale.
 *
 * p = 5/8 and q = 3/2, whose powers are exact in float32. The error is less than half of that of the usual
 * 1 and 2 (root mean square over 128 channels 9.8e-7 against 2.1e-6, direct convolution 4.7e-7; measured).
 *
 * Source: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308), §4.3.
 * Each of the 36 points is a GEMM of tiles by channels. Weights are transformed when they are used, one
 * panel of eight output channels at a time. So the weights in memory are those of a plain convolution, and
 * nine floats are read from memory, not thirty-six.
 */

import { finishesPixels, finishPixels, storeRows } from './epilogue';
import { products, ROW, tileRows } from './gemm';
import { local, OUTPUTS, PATCH } from './local';
import { floatsOf } from './precision';
import { madd } from './simd';
import { Conv2dTask } from './task';

const POINTS = 36;

const P: f32 = 0.625;
const Q: f32 = 1.5;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;

export function conv2dWinograd(task: Conv2dTask): void {
  const across = (task.Wout + 3) / 4;
  const down = (task.Hout + 3) / 4;
  const tiles = task.N * down * across;
  const Cin = task.Cin;
  const pointBytes = ((<usize>Cin) << 5) + 64;
  for (let begin = 0; begin < tiles; begin += task.block) {
    const count = min(task.block, tiles - begin);
    for (let t = 0; t < count; t++) transformInput(task, begin + t, t, across, down);
    for (let oc = 0; oc < task.columns; oc += 8) {
      const panel = <usize>(oc >> 3);
      const g = floatsOf(task, <i32>panel, 9 * Cin);
      transformWeights(task.b, g, Cin, pointBytes);
      // products[point][tile][8]
      for (let point = 0; point < POINTS; point++) {
        pointAtTiles(task, point, count);
        const b = task.b + <usize>point * pointBytes;
        const c = task.products + <usize>(point * task.block) * ROW;
        for (let row = 0; row < count; ) {
          const rows = tileRows(count - row);
          products(rows, c + <usize>row * ROW, task.rows + ((<usize>row) << 2), b, Cin);
          row += rows;
        }
      }
      for (let t = 0; t < count; t++) {
        const from = task.products + <usize>t * ROW;
        transformOutput(task, from, begin + t, across, down, oc, panel);
      }
    }
    if (finishesPixels(task)) finishTiles(task, begin, count, across, down);
  }
}

/** rows[t] = transformed inputs [Cin] of tile t at a point. */
function pointAtTiles(task: Conv2dTask, point: i32, count: i32): void {
  const bytes = (<usize>task.Cin) << 2;
  let from = task.a + <usize>(point * task.block) * bytes;
  let row = task.rows;
  for (let t = 0; t < count; t++, row += 4, from += bytes) store<usize>(row, from);
  const last = from - bytes;
  store<usize>(row, last);
  store<usize>(row, last, 4);
  store<usize>(row, last, 8);
}

/** Bᵀ d B of one tile, four channels at a time: a[point][t][Cin]. */
function transformInput(task: Conv2dTask, tile: i32, t: i32, across: i32, down: i32): void {
  const Cin = task.Cin;
  const line = tile / across;
  const n = line / down;
  const iy0 = (line - n * down) * 4 - task.padY;
  const ix0 = (tile - line * across) * 4 - task.padX;
  const pixelBytes = (<usize>Cin) << 2;
  const pointBytes = <usize>task.block * pixelBytes;
  const zero = f32x4.splat(0);
  const patch = local + PATCH;
  for (let ic = 0; ic < Cin; ic += 4) {
    // Bᵀ d: columns of the patch.
    for (let column = 0; column < 6; column++) {
      const ix = ix0 + column;
      const inside = ix >= 0 && ix < task.W;
      const at = task.x + ((<usize>(((n * task.H + iy0) * task.W + ix) * Cin + ic)) << 2);
      const lineBytes = <usize>task.W * pixelBytes;
      const d0 = inside && iy0 >= 0 && iy0 < task.H ? v128.load(at) : zero;
      const d1 = inside && iy0 >= -1 && iy0 + 1 < task.H ? v128.load(at + lineBytes) : zero;
      const d2 = inside && iy0 >= -2 && iy0 + 2 < task.H ? v128.load(at + 2 * lineBytes) : zero;
      const d3 = inside && iy0 >= -3 && iy0 + 3 < task.H ? v128.load(at + 3 * lineBytes) : zero;
      const d4 = inside && iy0 >= -4 && iy0 + 4 < task.H ? v128.load(at + 4 * lineBytes) : zero;
      const d5 = inside && iy0 >= -5 && iy0 + 5 < task.H ? v128.load(at + 5 * lineBytes) : zero;
      inputTransform(patch + ((<usize>column) << 4), 96, d0, d1, d2, d3, d4, d5);
    }
    // (Bᵀ d) B: rows.
    let point = task.a + <usize>t * pixelBytes + ((<usize>ic) << 2);
    for (let row = 0; row < 6; row++) {
      const at = patch + <usize>row * 96;
      inputTransform(
        point,
        pointBytes,
        v128.load(at),
        v128.load(at, 16),
        v128.load(at, 32),
        v128.load(at, 48),
        v128.load(at, 64),
        v128.load(at, 80),
      );
      point += 6 * pointBytes;
    }
  }
}

/** Bᵀ of six values, with its rows scaled by the diagonal of G; results are stored `stride` bytes apart. */
function inputTransform(
  at: usize,
  stride: usize,
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  d4: v128,
  d5: v128,
): void {
  const minusP2 = f32x4.splat(-P2);
  const minusQ2 = f32x4.splat(-Q2);
  const minusSum = f32x4.splat(-P2 - Q2);
  const product = f32x4.splat(P2 * Q2);
  const scaleP = f32x4.splat(1 / (2 * P2 * (P2 - Q2)));
  const scaleQ = f32x4.splat(1 / (2 * Q2 * (Q2 - P2)));
  const zeroth = madd(d2, minusSum, madd(d0, product, d4));
  v128.store(at, f32x4.mul(zeroth, f32x4.splat(1 / (P2 * Q2))));
  const evenP = madd(d2, minusQ2, d4);
  const oddP = f32x4.mul(madd(d1, minusQ2, d3), f32x4.splat(P));
  v128.store(at + stride, f32x4.mul(f32x4.add(evenP, oddP), scaleP));
  v128.store(at + 2 * stride, f32x4.mul(f32x4.sub(evenP, oddP), scaleP));
  const evenQ = madd(d2, minusP2, d4);
  const oddQ = f32x4.mul(madd(d1, minusP2, d3), f32x4.splat(Q));
  v128.store(at + 3 * stride, f32x4.mul(f32x4.add(evenQ, oddQ), scaleQ));
  v128.store(at + 4 * stride, f32x4.mul(f32x4.sub(evenQ, oddQ), scaleQ));
  v128.store(at + 5 * stride, madd(d3, minusSum, madd(d1, product, d5)));
}

/**
 * G g Gᵀ of one panel, without G's diagonal.
 *
 * @param b [36, Cin, 8], points `pointBytes` apart. This is one cache line more than a point needs: without
 * it, where Cin is a power of two, all points would fall into one set of the cache
 * @param g [3, 3, Cin, 8]
 */
function transformWeights(b: usize, g: usize, Cin: i32, pointBytes: usize): void {
  const tap = (<usize>Cin) << 5;
  const p = f32x4.splat(P);
  const q = f32x4.splat(Q);
  const p2 = f32x4.splat(P2);
  const q2 = f32x4.splat(Q2);
  const rowBytes: usize = 6 * pointBytes;
  for (const end = g + tap; g < end; g += 16, b += 16) {
    const g00 = v128.load(g);
    const g01 = v128.load(g + tap);
    const g02 = v128.load(g + 2 * tap);
    const g20 = v128.load(g + 6 * tap);
    const g21 = v128.load(g + 7 * tap);
    const g22 = v128.load(g + 8 * tap);
    weightRow(b, pointBytes, g00, g01, g02);
    weightRow(b + 5 * rowBytes, pointBytes, g20, g21, g22);
    const g10 = v128.load(g + 3 * tap);
    const g11 = v128.load(g + 4 * tap);
    const g12 = v128.load(g + 5 * tap);
    weightRows(
      b + rowBytes,
      pointBytes,
      madd(g20, p2, g00),
      madd(g21, p2, g01),
      madd(g22, p2, g02),
      g10,
      g11,
      g12,
      p,
    );
    weightRows(
      b + 3 * rowBytes,
      pointBytes,
      madd(g20, q2, g00),
      madd(g21, q2, g01),
      madd(g22, q2, g02),
      g10,
      g11,
      g12,
      q,
    );
  }
}

/** The rows of the points +p and −p: even ± p·odd. */
function weightRows(
  b: usize,
  pointBytes: usize,
  even0: v128,
  even1: v128,
  even2: v128,
  g0: v128,
  g1: v128,
  g2: v128,
  p: v128,
): void {
  const odd0 = f32x4.mul(g0, p);
  const odd1 = f32x4.mul(g1, p);
  const odd2 = f32x4.mul(g2, p);
  const plus0 = f32x4.add(even0, odd0);
  const plus1 = f32x4.add(even1, odd1);
  const plus2 = f32x4.add(even2, odd2);
  weightRow(b, pointBytes, plus0, plus1, plus2);
  const minus0 = f32x4.sub(even0, odd0);
  const minus1 = f32x4.sub(even1, odd1);
  const minus2 = f32x4.sub(even2, odd2);
  weightRow(b + 6 * pointBytes, pointBytes, minus0, minus1, minus2);
}

/** G of three values, without its diagonal: six points of one row. */
function weightRow(b: usize, pointBytes: usize, g0: v128, g1: v128, g2: v128): void {
  v128.store(b, g0);
  const evenP = madd(g2, f32x4.splat(P2), g0);
  const oddP = f32x4.mul(g1, f32x4.splat(P));
  v128.store(b + pointBytes, f32x4.add(evenP, oddP));
  v128.store(b + 2 * pointBytes, f32x4.sub(evenP, oddP));
  const evenQ = madd(g2, f32x4.splat(Q2), g0);
  const oddQ = f32x4.mul(g1, f32x4.splat(Q));
  v128.store(b + 3 * pointBytes, f32x4.add(evenQ, oddQ));
  v128.store(b + 4 * pointBytes, f32x4.sub(evenQ, oddQ));
  v128.store(b + 5 * pointBytes, g2);
}

/** Aᵀ m A of one tile and panel. Its pixels are finished and stored. */
function transformOutput(
  task: Conv2dTask,
  products: usize,
  tile: i32,
  across: i32,
  down: i32,
  oc: i32,
  panel: usize,
): void {
  const pointBytes = <usize>task.block * ROW;
  const line = tile / across;
  const n = line / down;
  const oy = (line - n * down) * 4;
  const ox = (tile - line * across) * 4;
  const height = min(4, task.Hout - oy);
  const width = min(4, task.Wout - ox);
  const patch = local + PATCH;
  const outputs = local + OUTPUTS;
  for (let half: usize = 0; half < 32; half += 16) {
    // Aᵀ m: columns of the products, four channels of the panel.
    for (let column: usize = 0; column < 6; column++) {
      const at = products + column * pointBytes + half;
      outputTransform(
        patch + (column << 4),
        96,
        v128.load(at),
        v128.load(at + 6 * pointBytes),
        v128.load(at + 12 * pointBytes),
        v128.load(at + 18 * pointBytes),
        v128.load(at + 24 * pointBytes),
        v128.load(at + 30 * pointBytes),
      );
    }
    // (Aᵀ m) A: rows.
    for (let row: usize = 0; row < 4; row++) {
      const at = patch + row * 96;
      outputTransform(
        outputs + row * 128 + half,
        32,
        v128.load(at),
        v128.load(at, 16),
        v128.load(at, 32),
        v128.load(at, 48),
        v128.load(at, 64),
        v128.load(at, 80),
      );
    }
  }
  const columns = min(8, task.Cout - oc);
  const bias = task.bias + (panel << 5);
  for (let y = 0; y < height; y++) {
    const pixel = (n * task.Hout + oy + y) * task.Wout + ox;
    const offset = (<usize>pixel * task.Cout + oc) << 2;
    storeRows(task, outputs + <usize>y * 128, width, offset, columns, bias);
  }
}

/** Aᵀ of six values, stored `stride` bytes apart. */
function outputTransform(
  at: usize,
  stride: usize,
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
  m4: v128,
  m5: v128,
): void {
  const evenP = f32x4.add(m1, m2);
  const oddP = f32x4.mul(f32x4.sub(m1, m2), f32x4.splat(P));
  const evenQ = f32x4.add(m3, m4);
  const oddQ = f32x4.mul(f32x4.sub(m3, m4), f32x4.splat(Q));
  const p2 = f32x4.splat(P2);
  const q2 = f32x4.splat(Q2);
  v128.store(at, f32x4.add(m0, f32x4.add(evenP, evenQ)));
  v128.store(at + stride, f32x4.add(oddP, oddQ));
  v128.store(at + 2 * stride, madd(evenQ, q2, f32x4.mul(evenP, p2)));
  v128.store(at + 3 * stride, madd(oddQ, q2, madd(oddP, p2, m5)));
}

/** Finishes the pixels of a block's tiles, once all their channels are stored. */
function finishTiles(task: Conv2dTask, begin: i32, count: i32, across: i32, down: i32): void {
  for (let tile = begin; tile < begin + count; tile++) {
    const line = tile / across;
    const n = line / down;
    const oy = (line - n * down) * 4;
    const ox = (tile - line * across) * 4;
    const height = min(4, task.Hout - oy);
    const width = min(4, task.Wout - ox);
    for (let y = 0; y < height; y++) {
      finishPixels(task, (n * task.Hout + oy + y) * task.Wout + ox, width);
    }
  }
}
