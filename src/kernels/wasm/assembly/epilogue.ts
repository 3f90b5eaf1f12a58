/** What happens to sums before they are stored: bias, residual, ReLU, SMOE tap. */

import { accumulate, finishSums, SUMS_BYTES, smoeOfColumn } from './smoe';
import { Conv2dTask } from './task';

/**
 * Finishes and stores rows of eight channels, or of fewer at the end of a group. The sums come from a
 * tile just written, which the first-level cache holds.
 *
 * @param tile sums [rows, 8]
 * @param rows pixels, one after another in `out`
 * @param offset bytes of the first from the beginning of `out` and of `residual`
 * @param columns how many of the eight channels exist
 * @param bias address of the panel's biases
 * @param pixel the first pixel's number in the block
 */
export function storeRows(
  task: Conv2dTask,
  tile: usize,
  rows: i32,
  offset: usize,
  columns: i32,
  bias: usize,
  pixel: i32,
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
  let sums = task.smoe ? task.sums + <usize>pixel * SUMS_BYTES : 0;
  let out = task.out + offset;
  for (const end = tile + ((<usize>rows) << 5); tile < end; tile += 32) {
    let v0 = f32x4.add(v128.load(tile), bias0);
    let v1 = f32x4.add(v128.load(tile, 16), bias1);
    if (residual) {
      v0 = f32x4.add(v0, v128.load(residual));
      v1 = f32x4.add(v1, v128.load(residual, 16));
      residual += rowBytes;
    }
    v0 = f32x4.pmax(v0, floor);
    v1 = f32x4.pmax(v1, floor);
    v128.store(out, v0);
    v128.store(out, v1, 16);
    if (sums) {
      accumulate(sums, out, 1);
      sums += SUMS_BYTES;
    }
    out += rowBytes;
  }
}

/** Gives the tap eight stored channels of whole tile's `rows` pixels; parameters as of `storeRows`. */
export function accumulateRows(task: Conv2dTask, rows: i32, offset: usize, pixel: i32): void {
  if (!tapsInRegisters(task)) return;
  let sums = task.sums + <usize>pixel * SUMS_BYTES;
  let out = task.out + offset;
  for (let row = 0; row < rows; row++) {
    accumulate(sums, out, 1);
    sums += SUMS_BYTES;
    out += (<usize>task.Cout) << 2;
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

/** Whether the tap can accumulate: every panel is whole. Otherwise `finishPixel` reads the column. */
export function tapsInRegisters(task: Conv2dTask): bool {
  return task.smoe !== 0 && (task.Cout / task.groups) % 8 === 0;
}

/** SMOE Scale of one pixel, all its channels stored. @param m its number in the output */
export function finishPixel(task: Conv2dTask, pixel: i32, m: i32): void {
  const C = task.Cout;
  const column = task.out + <usize>m * <usize>C * 4;
  const value = tapsInRegisters(task)
    ? finishSums(task.sums + <usize>pixel * SUMS_BYTES, column, C)
    : smoeOfColumn(column, C);
  store<f32>(task.smoe + ((<usize>m) << 2), value);
}
