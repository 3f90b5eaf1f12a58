/**
 * Convolution that skips zeros. ReLU sets a third to two thirds of a network's inputs to 0. Because 0·w adds
 * nothing, the sums are the same as without skipping.
 *
 * A block of pixels is compressed once into lists of nonzeros. Then each pixel's list is multiplied by the
 * weights, six or four panels of eight output channels at a time:
 *
 *            list                 6 panels [K, 8]
 *   pixel │ (k, x[k]) … │    ×    rows k of each     =    48 sums, in registers
 *
 * Pixels are computed one at a time, because each has its zeros in other places. K is cut into slices, so that
 * a slice of the panels stays in the first-level cache for all pixels of the block. Between slices the sums are
 * kept in scratch. Every sum runs over k in order.
 */

import { finishPixels } from './epilogue';
import { NO_LIMITS, ROW, zeros } from './gemm';
import { F32, rowsOf } from './precision';
import { madd, swizzle } from './simd';
import { accumulate, finishColumns, SUMS_BYTES } from './smoe';
import { Conv2dTask, limitsOf } from './task';

/** The most values of k in a slice: 24 KB for six panels. */
const SLICE: i32 = 128;

/** Bytes of a nonzero: the offset of row k in a panel, then the value. */
const NONZERO: usize = 8;

/**
 * Whether residual and limits are applied while the sums are in registers. Node 20 has no relaxed SIMD; its
 * compiler would run out of registers in the loop and halve the speed (measured).
 */
const FINISHES_IN_REGISTERS: bool = ASC_FEATURE_RELAXED_SIMD;

/** Type arguments stand for the number of panels, so that the compiler knows it. */
type Four = i32;
type Six = i64;

/** Bytes of a pixel's sums between two slices. */
const SUMS: usize = 6 * ROW;

/** For each of the 16 sets of nonzero lanes: the shuffle that moves them to the front, and the offsets of their rows. */
const nonzeroLanes = memory.data(16 * 32, 16);
for (let lanes = 0; lanes < 16; lanes++) {
  let shuffle = nonzeroLanes + ((<usize>lanes) << 5);
  for (let lane = 0; lane < 4; lane++) {
    if (((lanes >> lane) & 1) === 0) continue;
    store<u32>(shuffle, 0x03020100 + 0x04040404 * lane);
    store<u32>(shuffle, lane * <i32>ROW, 16);
    shuffle += 4;
  }
}

export function conv2dSparse(task: Conv2dTask): void {
  const M = task.N * task.Hout * task.Wout;
  const panels = task.columns / 8;
  for (let begin = 0; begin < M; begin += task.block) {
    const count = min(task.block, M - begin);
    compressPixels(task, begin, count);
    for (let panel = 0; panel < panels; ) {
      // The number of panels is even. Six at a time if that divides the rest, else four.
      const width = (panels - panel) % 6 === 0 ? 6 : 4;
      multiply(task, begin, count, panel, width);
      panel += width;
    }
    if (task.kind) finishPixels(task, begin, count);
    else if (task.smoe) {
      for (let pixel = 0; pixel < count; pixel += 4) {
        const sums = task.sums + <usize>pixel * SUMS_BYTES;
        const m = <usize>(begin + pixel);
        const x = task.out + ((m * <usize>task.Cout) << 2);
        finishColumns(task.smoe + (m << 2), x, sums, min(4, count - pixel), task.Cout);
      }
    }
  }
}

/** Lists a block's nonzeros. rows[pixel][slice] is where each list begins; the last entry is the end. */
function compressPixels(task: Conv2dTask, begin: i32, count: i32): void {
  const plane = task.Hout * task.Wout;
  const Cin = task.Cin;
  let list = task.a;
  let row = task.rows;
  for (let m = begin; m < begin + count; m++) {
    const n = m / plane;
    const oy = (m - n * plane) / task.Wout;
    const ox = m - n * plane - oy * task.Wout;
    const iy0 = oy * task.strideY - task.padY;
    const ix0 = ox * task.strideX - task.padX;
    let k = 0;
    const iyEnd = iy0 + task.kH * task.dilationY;
    const ixEnd = ix0 + task.kW * task.dilationX;
    for (let iy = iy0; iy < iyEnd; iy += task.dilationY) {
      for (let ix = ix0; ix < ixEnd; ix += task.dilationX) {
        const inside = iy >= 0 && iy < task.H && ix >= 0 && ix < task.W;
        const pixel = task.x + ((<usize>(((n * task.H + iy) * task.W + ix) * Cin)) << 2);
        for (let ic = 0; ic < Cin; ) {
          const within = k % SLICE;
          if (within === 0) {
            store<usize>(row, list);
            row += 4;
          }
          const width = min(SLICE - within, Cin - ic);
          if (inside) list = compress(list, pixel + ((<usize>ic) << 2), width, k);
          ic += width;
          k += width;
        }
      }
    }
    store<usize>(row, list);
    row += 4;
  }
}

/**
 * Appends the nonzeros of `width` floats at x to a list. The first float has number k.
 *
 * @returns the list's end; up to 32 bytes after it are overwritten
 */
function compress(list: usize, x: usize, width: i32, k: i32): usize {
  let rows = i32x4.splat(k * <i32>ROW);
  const step = i32x4.splat(4 * <i32>ROW);
  const zero = f32x4.splat(0);
  for (const end = x + ((<usize>width) << 2); x < end; x += 16) {
    const values = v128.load(x);
    const lanes = i32x4.bitmask(f32x4.ne(values, zero));
    const known = nonzeroLanes + ((<usize>lanes) << 5);
    const someValues = swizzle(values, v128.load(known));
    const someRows = i32x4.add(rows, v128.load(known, 16));
    v128.store(list, v128.shuffle<i32>(someRows, someValues, 0, 4, 1, 5));
    v128.store(list, v128.shuffle<i32>(someRows, someValues, 2, 6, 3, 7), 16);
    list += <usize>popcnt<i32>(lanes) * NONZERO;
    rows = i32x4.add(rows, step);
  }
  return list;
}

/** A block of `count` compressed pixels times `width` panels, starting at number `panel`. */
function multiply(task: Conv2dTask, begin: i32, count: i32, panel: i32, width: i32): void {
  const K = task.kH * task.kW * task.Cin;
  const slices = (K + SLICE - 1) / SLICE;
  const bias = task.bias + <usize>panel * ROW;
  const rowBytes = (<usize>(slices + 1)) << 2;
  for (let slice = 0; slice < slices; slice++) {
    const k = slice * SLICE;
    const rows = min(SLICE, K - k);
    // The lists count rows from the first slice.
    const b = rowsOf(task, panel, width, K, k, rows) - <usize>k * ROW;
    const stride = <usize>(task.precision === F32 ? K : rows) * ROW;
    const isLast = slice + 1 === slices;
    const finishes = isLast && FINISHES_IN_REGISTERS;
    const limits = finishes ? limitsOf(task) : NO_LIMITS;
    let row = task.rows + ((<usize>slice) << 2);
    let sums = task.products;
    let offset = (<usize>(begin * task.Cout + panel * 8)) << 2;
    for (let pixel = 0; pixel < count; pixel++) {
      const from = slice === 0 ? bias : sums;
      const list = load<usize>(row);
      const end = load<usize>(row, 4);
      const out = finishes ? task.out + offset : sums;
      const residual = finishes && task.residual ? task.residual + offset : zeros;
      if (width === 6) addProducts<Six>(out, from, list, end, b, stride, residual, limits);
      else addProducts<Four>(out, from, list, end, b, stride, residual, limits);
      if (isLast) {
        if (!FINISHES_IN_REGISTERS) finishRow(task, sums, offset, width);
        if (task.smoe && !task.kind) {
          const tap = task.sums + <usize>pixel * SUMS_BYTES;
          accumulate(tap, task.out + offset, width, panel === 0);
        }
      }
      row += rowBytes;
      sums += SUMS;
      offset += (<usize>task.Cout) << 2;
    }
  }
}

/**
 * out[8·i + j] = clip(from[8·i + j] + Σ value · b[i][row][j] + residual[8·i + j]). The sum runs over the
 * nonzeros from address `nonzero` to `end`. Residual and limits only where FINISHES_IN_REGISTERS.
 *
 * @param b four or six panels, `stride` bytes apart
 */
function addProducts<Panels>(
  out: usize,
  from: usize,
  nonzero: usize,
  end: usize,
  b: usize,
  stride: usize,
  residual: usize,
  limits: usize,
): void {
  const b1 = b + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  const b4 = b3 + stride;
  const b5 = b4 + stride;
  let c00 = v128.load(from);
  let c01 = v128.load(from, 16);
  let c10 = v128.load(from, 32);
  let c11 = v128.load(from, 48);
  let c20 = v128.load(from, 64);
  let c21 = v128.load(from, 80);
  let c30 = v128.load(from, 96);
  let c31 = v128.load(from, 112);
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  if (sizeof<Panels>() === sizeof<Six>()) {
    c40 = v128.load(from, 128);
    c41 = v128.load(from, 144);
    c50 = v128.load(from, 160);
    c51 = v128.load(from, 176);
  }
  for (; nonzero < end; nonzero += NONZERO) {
    const row = load<usize>(nonzero);
    const a = v128.load32_splat(nonzero, 4);
    c00 = madd(a, v128.load(b + row), c00);
    c01 = madd(a, v128.load(b + row, 16), c01);
    c10 = madd(a, v128.load(b1 + row), c10);
    c11 = madd(a, v128.load(b1 + row, 16), c11);
    c20 = madd(a, v128.load(b2 + row), c20);
    c21 = madd(a, v128.load(b2 + row, 16), c21);
    c30 = madd(a, v128.load(b3 + row), c30);
    c31 = madd(a, v128.load(b3 + row, 16), c31);
    if (sizeof<Panels>() === sizeof<Six>()) {
      c40 = madd(a, v128.load(b4 + row), c40);
      c41 = madd(a, v128.load(b4 + row, 16), c41);
      c50 = madd(a, v128.load(b5 + row), c50);
      c51 = madd(a, v128.load(b5 + row, 16), c51);
    }
  }
  const least = v128.load32_splat(limits);
  const most = v128.load32_splat(limits, 4);
  v128.store(out, finished(c00, residual, least, most));
  v128.store(out, finished(c01, residual + 16, least, most), 16);
  v128.store(out, finished(c10, residual + 32, least, most), 32);
  v128.store(out, finished(c11, residual + 48, least, most), 48);
  v128.store(out, finished(c20, residual + 64, least, most), 64);
  v128.store(out, finished(c21, residual + 80, least, most), 80);
  v128.store(out, finished(c30, residual + 96, least, most), 96);
  v128.store(out, finished(c31, residual + 112, least, most), 112);
  if (sizeof<Panels>() === sizeof<Six>()) {
    v128.store(out, finished(c40, residual + 128, least, most), 128);
    v128.store(out, finished(c41, residual + 144, least, most), 144);
    v128.store(out, finished(c50, residual + 160, least, most), 160);
    v128.store(out, finished(c51, residual + 176, least, most), 176);
  }
}

/** A finished vector of sums: with residual and limits where FINISHES_IN_REGISTERS. */
function finished(sums: v128, residual: usize, least: v128, most: v128): v128 {
  if (!FINISHES_IN_REGISTERS) return sums;
  const sum = f32x4.add(sums, v128.load(residual));
  return f32x4.pmin(f32x4.pmax(sum, least), most);
}

/** Applies residual and limits to a pixel's sums. */
function finishRow(task: Conv2dTask, sums: usize, offset: usize, width: i32): void {
  const least = f32x4.splat(task.least);
  const most = f32x4.splat(task.most);
  const end = sums + <usize>width * ROW;
  let out = task.out + offset;
  let residual = task.residual ? task.residual + offset : zeros;
  for (; sums < end; sums += ROW, out += ROW, residual += ROW) {
    const sum0 = f32x4.add(v128.load(sums), v128.load(residual));
    const sum1 = f32x4.add(v128.load(sums, 16), v128.load(residual, 16));
    v128.store(out, f32x4.pmin(f32x4.pmax(sum0, least), most));
    v128.store(out, f32x4.pmin(f32x4.pmax(sum1, least), most), 16);
  }
}
