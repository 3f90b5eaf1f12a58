/** What happens to sums before they are stored, bias, residual and ReLU; and the SMOE tap of what is. */

import { accumulate, finishFour, SUMS_BYTES, smoeOfColumn } from './smoe';
import { Conv2dTask } from './task';

/** Sums, and SMOE Scale, of four pixels. */
const fourSums = memory.data(4 * 48, 16);
const fourValues = memory.data(16, 16);

/**
 * Finishes and stores rows of eight channels, or of fewer at the end of a group. The sums come from a
 * tile just written, which the first-level cache holds.
 *
 * @param tile sums [rows, 8]
 * @param rows pixels, one after another in `out`
 * @param offset bytes of the first from the beginning of `out` and of `residual`
 * @param columns how many of the eight channels exist
 * @param bias address of the panel's biases
 */
export function storeRows(
  task: Conv2dTask,
  tile: usize,
  rows: i32,
  offset: usize,
  columns: i32,
  bias: usize,
): void {
  if (columns < 8) {
    storeTails(task, tile, rows, offset, columns, bias);
    return;
  }
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  // pmax(v, floor) is ReLU or v itself; a NaN stays.
  const floor = f32x4.splat(task.relu ? 0 : -Infinity);
  const rowBytes = (<usize>task.Cout) << 2;
  let residual = task.residual ? task.residual + offset : 0;
  let out = task.out + offset;
  for (const end = tile + ((<usize>rows) << 5); tile < end; tile += 32) {
    let v0 = f32x4.add(v128.load(tile), bias0);
    let v1 = f32x4.add(v128.load(tile, 16), bias1);
    if (residual) {
      v0 = f32x4.add(v0, v128.load(residual));
      v1 = f32x4.add(v1, v128.load(residual, 16));
      residual += rowBytes;
    }
    v128.store(out, f32x4.pmax(v0, floor));
    v128.store(out, f32x4.pmax(v1, floor), 16);
    out += rowBytes;
  }
}

/** The same for one to seven channels, one at a time. */
function storeTails(
  task: Conv2dTask,
  tile: usize,
  rows: i32,
  offset: usize,
  columns: i32,
  bias: usize,
): void {
  for (let row = 0; row < rows; row++) {
    for (let j: usize = 0; j < (<usize>columns) << 2; j += 4) {
      let value = load<f32>(tile + j) + load<f32>(bias + j);
      if (task.residual) value += load<f32>(task.residual + offset + j);
      store<f32>(task.out + offset + j, task.relu && value < 0 ? 0 : value);
    }
    tile += 32;
    offset += (<usize>task.Cout) << 2;
  }
}

/** SMOE Scale of `count` pixels from number `m` of the output on, all their channels just stored. */
export function tapColumns(task: Conv2dTask, m: i32, count: i32): void {
  const C = task.Cout;
  const end = m + count;
  if (C % 8 !== 0) {
    for (; m < end; m++) tapColumn(task, m);
    return;
  }
  for (; m < end; m += 4) {
    const pixels = min(4, end - m);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const column = task.out + ((<usize>((m + pixel) * C)) << 2);
      accumulate(fourSums + <usize>pixel * SUMS_BYTES, column, C / 8, true);
    }
    tapFour(task, fourSums, m, pixels);
  }
}

/** SMOE Scale of one to four pixels from number `m` of the output on, from their sums. */
export function tapFour(task: Conv2dTask, sums: usize, m: i32, pixels: i32): void {
  v128.store(fourValues, finishFour(sums, task.Cout));
  for (let pixel = 0; pixel < pixels; pixel++) {
    const value = load<f32>(fourValues + ((<usize>pixel) << 2));
    if (value < 0) tapColumn(task, m + pixel);
    else store<f32>(task.smoe + ((<usize>(m + pixel)) << 2), value);
  }
}

/** SMOE Scale of pixel number `m` of the output, by the formula. */
function tapColumn(task: Conv2dTask, m: i32): void {
  const column = task.out + ((<usize>(m * task.Cout)) << 2);
  store<f32>(task.smoe + ((<usize>m) << 2), smoeOfColumn(column, task.Cout));
}
