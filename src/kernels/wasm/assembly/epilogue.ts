/** What happens to sums: bias, residual, activation function; then the SMOE tap on the stored values. */

import { activate } from './activation';
import { smoe } from './smoe';
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
  const least = f32x4.splat(task.least);
  const most = f32x4.splat(task.most);
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
    // A NaN stays.
    v128.store(out, f32x4.pmin(f32x4.pmax(v0, least), most));
    v128.store(out, f32x4.pmin(f32x4.pmax(v1, least), most), 16);
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
      if (value < task.least) value = task.least;
      store<f32>(task.out + offset + j, value > task.most ? task.most : value);
    }
    tile += 32;
    offset += (<usize>task.Cout) << 2;
  }
}

/** Whether something is left to do for pixels once all their channels are stored. */
export function finishesPixels(task: Conv2dTask): bool {
  return task.kind !== 0 || task.smoe !== 0;
}

/**
 * Runs once all channels of `count` pixels of the output, starting at number `m`, are stored and still in the
 * cache: an activation function that does not clip, and SMOE Scale.
 */
export function finishPixels(task: Conv2dTask, m: i32, count: i32): void {
  const C = task.Cout;
  const out = task.out + ((<usize>(m * C)) << 2);
  if (task.kind) activate(out, out, count * C, task.kind, task.a0, task.a1, task.a2);
  if (task.smoe) smoe(task.smoe + ((<usize>m) << 2), out, count, C);
}
