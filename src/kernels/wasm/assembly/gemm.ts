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

import { madd } from './simd';

/** Most rows of a tile. */
export const MR = 6;

/**
 * The rows that the next tile takes of `left`: six, or four where that leaves less to waste (seven
 * and eight are two fours).
 */
export function tileRows(left: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD && left > 4 && left !== 7 && left !== 8 ? 6 : 4;
}

/**
 * One tile: c [rows, 8] of `rows` = 4 or 6.
 *
 * @param c receives the products, row by row
 * @param a table of `rows` pointers to K floats each
 * @param b panel [K, 8]
 */
export function gemm(rows: i32, c: usize, a: usize, b: usize, K: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD && rows === 6) gemm6x8(c, a, b, K);
  else gemm4x8(c, a, b, K);
}

function gemm4x8(c: usize, rows: usize, b: usize, K: i32): void {
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
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c10, 32);
  v128.store(c, c11, 48);
  v128.store(c, c20, 64);
  v128.store(c, c21, 80);
  v128.store(c, c30, 96);
  v128.store(c, c31, 112);
}

function gemm6x8(c: usize, rows: usize, b: usize, K: i32): void {
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
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c10, 32);
  v128.store(c, c11, 48);
  v128.store(c, c20, 64);
  v128.store(c, c21, 80);
  v128.store(c, c30, 96);
  v128.store(c, c31, 112);
  v128.store(c, c40, 128);
  v128.store(c, c41, 144);
  v128.store(c, c50, 160);
  v128.store(c, c51, 176);
}
