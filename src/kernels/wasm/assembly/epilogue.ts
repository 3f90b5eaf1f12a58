/** What happens to eight sums of one pixel before they are stored: bias, residual, ReLU, SMOE tap. */

import { relu } from './simd';
import { accumulate, finishSums, SUMS_BYTES, smoeOfColumn } from './smoe';
import { Conv2dTask } from './task';

/**
 * Finishes and stores eight channels of one pixel, or fewer at the end of a group.
 *
 * @param offset bytes from the beginning of `out` and of `residual`
 * @param columns how many of the eight exist
 * @param bias address of the panel's biases
 * @param pixel its number in the block
 */
export function storeColumn(
  task: Conv2dTask,
  v0: v128,
  v1: v128,
  offset: usize,
  columns: i32,
  bias: usize,
  pixel: i32,
): void {
  v0 = f32x4.add(v0, v128.load(bias));
  v1 = f32x4.add(v1, v128.load(bias, 16));
  if (columns < 8) {
    storeTail(task, v0, offset, min(columns, 4));
    if (columns > 4) storeTail(task, v1, offset + 16, columns - 4);
    return;
  }
  if (task.residual) {
    v0 = f32x4.add(v0, v128.load(task.residual + offset));
    v1 = f32x4.add(v1, v128.load(task.residual + offset, 16));
  }
  if (task.relu) {
    v0 = relu(v0);
    v1 = relu(v1);
  }
  if (task.smoe) accumulate(task.sums + <usize>pixel * SUMS_BYTES, v0, v1);
  v128.store(task.out + offset, v0);
  v128.store(task.out + offset, v1, 16);
}

/** One to four channels, one at a time. */
function storeTail(task: Conv2dTask, v: v128, offset: usize, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    let value = f32x4.extract_lane(v, 0);
    if (task.residual) value += load<f32>(task.residual + offset);
    store<f32>(task.out + offset, task.relu && value < 0 ? 0 : value);
    v = v128.shuffle<i32>(v, v, 1, 2, 3, 0);
    offset += 4;
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
