/** What happens to sums before they are stored, bias, residual and ReLU; and the SMOE tap of what is. */

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
  smoe(task.smoe + ((<usize>m) << 2), task.out + ((<usize>(m * C)) << 2), count, C);
}
