/**
 * The innermost loops: MR rows by eight columns of c = a·b, all sums in registers.
 *
 *          K                 8                8
 *      ┌───────┐          ┌─────┐          ┌─────┐
 *   MR │   a   │    ×   K │  b  │    =  MR │  c  │
 *      └───────┘          └─────┘          └─────┘
 *
 * Rows of a are anywhere (a table of pointers), b is a panel [K, 8]. 6×8 keeps twelve sums: with one
 * fused instruction for multiply and add the sixteen registers suffice; without it 4×8 is faster.
 * Every element's sum runs over k in order, so its bits do not depend on the tile it falls into.
 */

import { storeColumn } from './epilogue';
import { madd } from './simd';
import { Conv2dTask } from './task';

/** Where a tile of products goes. */
export class Destination {
  /** Nonzero: plain products, [rows, 8] from here on; everything below is without meaning. */
  raw: usize = 0;
  /** Bytes of the tile's first element from the beginning of `out`, and from row to row. */
  offset: usize = 0;
  rowBytes: usize = 0;
  columns: i32 = 0;
  bias: usize = 0;
  /** The first row's number in the block. */
  pixel: i32 = 0;
}

/**
 * All rows of a block by one panel, in tiles of six and four.
 *
 * @param rows table of `count` pointers to rows of K floats, readable three entries beyond
 */
export function gemmPanel(
  task: Conv2dTask,
  rows: usize,
  count: i32,
  K: i32,
  b: usize,
  to: Destination,
): void {
  const raw = to.raw;
  const offset = to.offset;
  const pixel = to.pixel;
  let row = 0;
  while (row < count) {
    const left = count - row;
    if (raw) to.raw = raw + ((<usize>row) << 5);
    to.offset = offset + <usize>row * to.rowBytes;
    to.pixel = pixel + row;
    const a = rows + ((<usize>row) << 2);
    // Seven and eight rows are two fours.
    if (ASC_FEATURE_RELAXED_SIMD && left > 4 && left !== 7 && left !== 8) {
      gemm6x8(task, a, min(left, 6), K, b, to);
      row += 6;
    } else {
      gemm4x8(task, a, min(left, 4), K, b, to);
      row += 4;
    }
  }
  to.raw = raw;
  to.offset = offset;
  to.pixel = pixel;
}

/** Four rows, the first `valid` of which are stored. */
function gemm4x8(
  task: Conv2dTask,
  rows: usize,
  valid: i32,
  K: i32,
  b: usize,
  to: Destination,
): void {
  let a0 = load<usize>(rows);
  let a1 = load<usize>(rows, 4);
  let a2 = load<usize>(rows, 8);
  let a3 = load<usize>(rows, 12);
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  const end = b + ((<usize>K) << 5);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let a = v128.load32_splat(a0);
    c00 = madd(a, b0, c00);
    c01 = madd(a, b1, c01);
    a = v128.load32_splat(a1);
    c10 = madd(a, b0, c10);
    c11 = madd(a, b1, c11);
    a = v128.load32_splat(a2);
    c20 = madd(a, b0, c20);
    c21 = madd(a, b1, c21);
    a = v128.load32_splat(a3);
    c30 = madd(a, b0, c30);
    c31 = madd(a, b1, c31);
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += 32;
  }
  storeRow(task, to, 0, c00, c01);
  if (valid > 1) storeRow(task, to, 1, c10, c11);
  if (valid > 2) storeRow(task, to, 2, c20, c21);
  if (valid > 3) storeRow(task, to, 3, c30, c31);
}

/** Six rows, the first `valid` of which are stored. */
function gemm6x8(
  task: Conv2dTask,
  rows: usize,
  valid: i32,
  K: i32,
  b: usize,
  to: Destination,
): void {
  let a0 = load<usize>(rows);
  let a1 = load<usize>(rows, 4);
  let a2 = load<usize>(rows, 8);
  let a3 = load<usize>(rows, 12);
  let a4 = load<usize>(rows, 16);
  let a5 = load<usize>(rows, 20);
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  const end = b + ((<usize>K) << 5);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let a = v128.load32_splat(a0);
    c00 = madd(a, b0, c00);
    c01 = madd(a, b1, c01);
    a = v128.load32_splat(a1);
    c10 = madd(a, b0, c10);
    c11 = madd(a, b1, c11);
    a = v128.load32_splat(a2);
    c20 = madd(a, b0, c20);
    c21 = madd(a, b1, c21);
    a = v128.load32_splat(a3);
    c30 = madd(a, b0, c30);
    c31 = madd(a, b1, c31);
    a = v128.load32_splat(a4);
    c40 = madd(a, b0, c40);
    c41 = madd(a, b1, c41);
    a = v128.load32_splat(a5);
    c50 = madd(a, b0, c50);
    c51 = madd(a, b1, c51);
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    a5 += 4;
    b += 32;
  }
  storeRow(task, to, 0, c00, c01);
  storeRow(task, to, 1, c10, c11);
  storeRow(task, to, 2, c20, c21);
  storeRow(task, to, 3, c30, c31);
  storeRow(task, to, 4, c40, c41);
  if (valid > 5) storeRow(task, to, 5, c50, c51);
}

function storeRow(task: Conv2dTask, to: Destination, row: i32, v0: v128, v1: v128): void {
  if (to.raw) {
    const at = to.raw + ((<usize>row) << 5);
    v128.store(at, v0);
    v128.store(at, v1, 16);
  } else {
    const offset = to.offset + <usize>row * to.rowBytes;
    storeColumn(task, v0, v1, offset, to.columns, to.bias, to.pixel + row);
  }
}
