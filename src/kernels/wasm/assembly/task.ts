/**
 * What JavaScript tells a kernel: one 32-bit word for each field, in this order (`writeTask` in
 * ../conv2d.ts writes them). Pointers are byte addresses; extents count elements.
 */

export class Conv2dTask {
  x: usize = 0;
  out: usize = 0;
  /** Panels of eight output channels: [groups, ⌈Cout/groups/8⌉, kH·kW·Cin/groups, 8]; depthwise: [⌈Cout/8⌉, kH·kW, 8]. */
  panels: usize = 0;
  /** Bias in panels, too: [groups, ⌈Cout/groups/8⌉, 8]. */
  bias: usize = 0;
  /** 0: none. */
  residual: usize = 0;
  /** Where SMOE Scale of each pixel goes; 0: no tap. */
  smoe: usize = 0;
  N: i32 = 0;
  H: i32 = 0;
  W: i32 = 0;
  Cin: i32 = 0;
  Cout: i32 = 0;
  kH: i32 = 0;
  kW: i32 = 0;
  groups: i32 = 0;
  strideY: i32 = 0;
  strideX: i32 = 0;
  padY: i32 = 0;
  padX: i32 = 0;
  Hout: i32 = 0;
  Wout: i32 = 0;
  /** Pixels, or tiles (Winograd), of a block; pixels of a row of the band (depthwise). */
  block: i32 = 0;
  /** Scratch: a table of row pointers, [block + 8]; of list pointers, [block, slices + 1] (sparse); [kH] (depthwise). */
  rows: usize = 0;
  /** Scratch: gathered pixels (GEMM), their nonzeros (sparse), transformed tiles (Winograd), the band (depthwise). */
  a: usize = 0;
  /** Scratch: a panel of transformed weights (Winograd). */
  b: usize = 0;
  /** Scratch: a panel's products with a block (Winograd); sums between slices (sparse). */
  products: usize = 0;
  /** Scratch: the tap's sums, `SUMS_BYTES` for each pixel of the block (sparse). */
  sums: usize = 0;
  /** Precision of the weights in memory: F32, F16 or INT8 of precision.ts. */
  precision: i32 = 0;
  /** Widening multiplies columns by these factors; in panels like the bias. F16 and INT8 only. */
  columnScales: usize = 0;
  /** Scratch: panels of weights widened to floats; F16 and INT8 only. */
  widened: usize = 0;
  dilationY: i32 = 0;
  dilationX: i32 = 0;
  /** Whether the GEMM gathers its rows; otherwise it reads them from x. */
  gathers: i32 = 0;
  /** Output channels to compute: all, or those of one thread. */
  columns: i32 = 0;
  /** Limits for values when they are stored: those of the activation function, if it clips; else ±∞. */
  least: f32 = 0;
  most: f32 = 0;
  /** Any other activation function, for whole pixels: its number (0: none), then its parameters. */
  kind: i32 = 0;
  a0: f32 = 0;
  a1: f32 = 0;
  a2: f32 = 0;
}

/** Address of a task's limits (`least` and `most`). */
export function limitsOf(task: Conv2dTask): usize {
  return changetype<usize>(task) + offsetof<Conv2dTask>('least');
}
