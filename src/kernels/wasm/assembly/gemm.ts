/**
 * The innermost loops: MR rows by eight columns of c = a·b, with all sums in registers.
 *
 *          K                 8                8
 *      ┌───────┐          ┌─────┐          ┌─────┐
 *   MR │   a   │    ×   K │  b  │    =  MR │  c  │
 *      └───────┘          └─────┘          └─────┘
 *
 * The rows of a may be anywhere (a table of pointers); b is a panel [K, 8]. A tile of 6×8 has twelve vectors
 * of sums. With a fused multiply–add instruction the sixteen registers are enough; without it 4×8 is faster.
 * Every element's sum runs over k in order, so its bits do not depend on the tile that computes it.
 * Bias, residual and limits are applied while the sums are in registers.
 */

import { madd } from './simd';

/** Bytes of a row of a panel, or of a tile: eight floats. */
export const ROW: usize = 32;

/** Type arguments stand for the number of rows, so that the compiler knows it. */
type Four = i32;
type Six = i64;

/** Limits that clip nothing. */
export const NO_LIMITS = memory.data<f32>([-Infinity, Infinity]);

/** Six rows of zeros: the bias of plain products, and the residual where there is none. */
export const zeros = memory.data(6 * 32, 16);

/**
 * The rows of the next tile if `left` rows are left: six, or four where that wastes less (seven and
 * eight are two fours).
 */
export function tileRows(left: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD && left > 4 && left !== 7 && left !== 8 ? 6 : 4;
}

/**
 * One tile: out[i] = clip(a[i]·b + bias + residual[i]), i < `rows` = 4 or 6, eight columns.
 *
 * @param out the first row; the others, and those of `residual`, follow `rowBytes` apart
 * @param a table of `rows` pointers to K floats each
 * @param b panel [K, 8]
 * @param bias address of eight floats
 * @param residual address of the first row's residual, or 0
 * @param limits address of the least and the largest value; a NaN stays
 */
export function gemm(
  rows: i32,
  out: usize,
  rowBytes: usize,
  a: usize,
  b: usize,
  K: i32,
  bias: usize,
  residual: usize,
  limits: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD && rows === 6) {
    tile<Six>(out, rowBytes, a, b, K, bias, residual, limits);
  } else tile<Four>(out, rowBytes, a, b, K, bias, residual, limits);
}

/** One tile of plain products: out [rows, 8], row after row. Parameters as for `gemm`. */
export function products(rows: i32, out: usize, a: usize, b: usize, K: i32): void {
  gemm(rows, out, ROW, a, b, K, zeros, 0, NO_LIMITS);
}

/** The tile of four or of six rows; parameters as for `gemm`. */
function tile<Rows>(
  out: usize,
  rowBytes: usize,
  rows: usize,
  b: usize,
  K: i32,
  bias: usize,
  residual: usize,
  limits: usize,
): void {
  let a0 = load<usize>(rows);
  let a1 = load<usize>(rows, 4);
  let a2 = load<usize>(rows, 8);
  let a3 = load<usize>(rows, 12);
  let a4 = a0;
  let a5 = a0;
  if (sizeof<Rows>() === sizeof<Six>()) {
    a4 = load<usize>(rows, 16);
    a5 = load<usize>(rows, 20);
  }
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
  for (const end = b + ((<usize>K) << 5); b < end; b += ROW) {
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
    if (sizeof<Rows>() === sizeof<Six>()) {
      a = v128.load32_splat(a4);
      c40 = madd(a, b0, c40);
      c41 = madd(a, b1, c41);
      a = v128.load32_splat(a5);
      c50 = madd(a, b0, c50);
      c51 = madd(a, b1, c51);
      a4 += 4;
      a5 += 4;
    }
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
  }
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  const least = v128.load32_splat(limits);
  const most = v128.load32_splat(limits, 4);
  const down = residual ? rowBytes : 0;
  storeRow(out, c00, c01, bias0, bias1, residual, least, most);
  out += rowBytes;
  residual += down;
  storeRow(out, c10, c11, bias0, bias1, residual, least, most);
  out += rowBytes;
  residual += down;
  storeRow(out, c20, c21, bias0, bias1, residual, least, most);
  out += rowBytes;
  residual += down;
  storeRow(out, c30, c31, bias0, bias1, residual, least, most);
  if (sizeof<Rows>() === sizeof<Six>()) {
    out += rowBytes;
    residual += down;
    storeRow(out, c40, c41, bias0, bias1, residual, least, most);
    out += rowBytes;
    residual += down;
    storeRow(out, c50, c51, bias0, bias1, residual, least, most);
  }
}

/** Finishes and stores a row of eight sums. */
function storeRow(
  out: usize,
  v0: v128,
  v1: v128,
  bias0: v128,
  bias1: v128,
  residual: usize,
  least: v128,
  most: v128,
): void {
  v0 = f32x4.add(v0, bias0);
  v1 = f32x4.add(v1, bias1);
  if (residual) {
    v0 = f32x4.add(v0, v128.load(residual));
    v1 = f32x4.add(v1, v128.load(residual, 16));
  }
  v128.store(out, f32x4.pmin(f32x4.pmax(v0, least), most));
  v128.store(out, f32x4.pmin(f32x4.pmax(v1, least), most), 16);
}
