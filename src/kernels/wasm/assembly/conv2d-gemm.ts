/**
 * Convolution as an implicit GEMM (../../js/conv2d-gemm.ts): blocks of pixels outermost, weight panels
 * next, tiles innermost, so that a block's rows stay in the cache while the weights stream by. A 1×1
 * reads its rows where they lie; any other kernel gathers the block first.
 */

import { finishesPixels, finishPixels, storeRows } from './epilogue';
import { gemm, products, ROW, tileRows } from './gemm';
import { local, TILE } from './local';
import { floatsOf } from './precision';
import { copyFloats } from './simd';
import { Conv2dTask, limitsOf } from './task';

export function conv2dGemm(task: Conv2dTask): void {
  const M = task.N * task.Hout * task.Wout;
  const CinG = task.Cin / task.groups;
  const CoutG = task.columns / task.groups;
  const panels = (CoutG + 7) / 8;
  for (let begin = 0; begin < M; begin += task.block) {
    const count = min(task.block, M - begin);
    for (let group = 0; group < task.groups; group++) {
      if (task.gathers) gatherRows(task, begin, count, group * CinG, CinG);
      else pointAtRows(task, begin, count, group * CinG);
      for (let panel = 0; panel < panels; panel++) {
        const oc = group * CoutG + panel * 8;
        const columns = min(8, CoutG - panel * 8);
        computePanel(task, begin, count, group * panels + panel, oc, columns);
      }
    }
    if (finishesPixels(task)) finishPixels(task, begin, count);
  }
}

/** A block of `count` pixels times panel number `index`: output channels `oc` … `oc` + `columns`. */
function computePanel(
  task: Conv2dTask,
  begin: i32,
  count: i32,
  index: i32,
  oc: i32,
  columns: i32,
): void {
  const K = (task.kH * task.kW * task.Cin) / task.groups;
  const b = floatsOf(task, index, K);
  const bias = task.bias + <usize>index * ROW;
  const outBytes = (<usize>task.Cout) << 2;
  const tile = local + TILE;
  const limits = limitsOf(task);
  for (let row = 0; row < count; ) {
    const rows = tileRows(count - row);
    const a = task.rows + ((<usize>row) << 2);
    const offset = (<usize>(begin + row) * task.Cout + oc) << 2;
    if (columns === 8 && rows <= count - row) {
      const residual = task.residual ? task.residual + offset : 0;
      gemm(rows, task.out + offset, outBytes, a, b, K, bias, residual, limits);
    } else {
      products(rows, tile, a, b, K);
      storeRows(task, tile, min(rows, count - row), offset, columns, bias);
    }
    row += rows;
  }
}

/** rows[i] = address of pixel begin + i's inputs, where they lie in x. */
function pointAtRows(task: Conv2dTask, begin: i32, count: i32, ic: i32): void {
  const plane = task.Hout * task.Wout;
  let row = task.rows;
  for (let m = begin; m < begin + count; m++, row += 4) {
    const n = m / plane;
    const oy = (m - n * plane) / task.Wout;
    const ox = m - n * plane - oy * task.Wout;
    const pixel = (n * task.H + oy * task.strideY) * task.W + ox * task.strideX;
    store<usize>(row, task.x + ((<usize>(pixel * task.Cin + ic)) << 2));
  }
  padRows(row);
}

/** Gathers [count, K] into scratch, zeros for the border, and points at its rows. */
function gatherRows(task: Conv2dTask, begin: i32, count: i32, ic: i32, CinG: i32): void {
  const plane = task.Hout * task.Wout;
  const bytes = (<usize>CinG) << 2;
  // A kernel row of whole pixels lies together in x.
  const together = task.groups === 1 && task.dilationX === 1;
  let to = task.a;
  let row = task.rows;
  for (let m = begin; m < begin + count; m++, row += 4) {
    store<usize>(row, to);
    const n = m / plane;
    const oy = (m - n * plane) / task.Wout;
    const ox = m - n * plane - oy * task.Wout;
    const ix0 = ox * task.strideX - task.padX;
    for (let ky = 0; ky < task.kH; ky++) {
      const iy = oy * task.strideY + ky * task.dilationY - task.padY;
      if (iy < 0 || iy >= task.H) {
        memory.fill(to, 0, <usize>task.kW * bytes);
        to += <usize>task.kW * bytes;
        continue;
      }
      const line = (n * task.H + iy) * task.W;
      if (together && ix0 >= 0 && ix0 + task.kW <= task.W) {
        copyFloats(to, task.x + ((<usize>((line + ix0) * task.Cin)) << 2), <usize>task.kW * bytes);
        to += <usize>task.kW * bytes;
        continue;
      }
      let ix = ix0;
      for (let kx = 0; kx < task.kW; kx++, ix += task.dilationX, to += bytes) {
        if (ix < 0 || ix >= task.W) memory.fill(to, 0, bytes);
        else copyFloats(to, task.x + ((<usize>((line + ix) * task.Cin + ic)) << 2), bytes);
      }
    }
  }
  padRows(row);
}

/** The last tile reads up to three pointers beyond the block: rows whose products nobody keeps. */
function padRows(end: usize): void {
  const last = load<usize>(end - 4);
  store<usize>(end, last);
  store<usize>(end, last, 4);
  store<usize>(end, last, 8);
}
