/**
 * Places buffers in one arena. Two buffers that are in use at the same step never overlap. The arena is
 * little larger than the most memory in use at one step. Greedy by size: largest first, each at the lowest
 * free offset (Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", arXiv 2001.03288).
 *
 *   offset
 *     │ ┌─b──┐ ┌─d───┐
 *     │ └────┘ └─────┘
 *     │ ┌─a─────┐┌─e─┐
 *     └─┴───────┴┴───┴── step
 */

import type { ArenaBuffer } from '../../kernels/operators.js';

/** A buffer's size and the steps that use it. Steps count from 0; both ends are included. */
export interface Lifetime {
  readonly length: number;
  readonly first: number;
  readonly last: number;
}

/** Offsets are multiples of 64 bytes: a cache line, and room for any vector. */
const ALIGNMENT = 16;

/** Places the buffers; result i belongs to lifetime i. Offsets and lengths in float32 elements. */
export function placeBuffers(lifetimes: readonly Lifetime[]): ArenaBuffer[] {
  const bySize = lifetimes
    .map((lifetime, index) => ({ ...lifetime, index }))
    .sort((a, b) => b.length - a.length || a.index - b.index);
  const placed: (Lifetime & ArenaBuffer)[] = [];
  const result = new Array<ArenaBuffer>(lifetimes.length);
  for (const { index, length, first, last } of bySize) {
    const contemporaries = placed
      .filter((other) => first <= other.last && other.first <= last)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of contemporaries) {
      if (offset + length <= other.offset) break;
      offset = Math.max(offset, align(other.offset + other.length));
    }
    placed.push({ offset, length, first, last });
    result[index] = { offset, length };
  }
  return result;
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
