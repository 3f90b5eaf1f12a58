/**
 * Memory between two loops of one kernel. Threads share the linear memory, so each has its own.
 */

/** `LOCAL_BYTES` of ../../threads/index.ts. */
const LOCAL_BYTES = 4096;

/** Where it is. Every thread has an instance, and thereby a variable, of its own. */
export let local: usize = memory.data(LOCAL_BYTES, 16);

export function setLocal(ptr: usize): void {
  local = ptr;
}

/** A tile of the GEMM that is not whole, between its products and its epilogue: 6×8 floats. */
export const TILE: usize = 0;
/** A patch or a tile of products of Winograd's algorithm between its two passes: 6×6 vectors. */
export const PATCH: usize = 192;
/** A finished tile of Winograd's algorithm: [4, 4, 8]. */
export const OUTPUTS: usize = 768;
/** Vectors of four pixels where not all four are stored. */
export const SOME: usize = 1280;
/** The elements after the last whole vector. */
export const TAIL: usize = 1344;
/** Sums, and SMOE Scale, of four pixels. */
export const FOUR_SUMS: usize = 1360;
export const FOUR_VALUES: usize = 1552;
/** Sums of the mean pooling: 256 doubles. */
export const SUMS: usize = 1568;
