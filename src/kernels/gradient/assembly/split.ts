/** Copies some channels of each pixel. */

export function split(out: usize, x: usize, pixels: i32, C: i32, width: i32, begin: i32): void {
  const bytes = (<usize>C) << 2;
  x += (<usize>begin) << 2;
  for (let p = 0; p < pixels; p++) {
    memory.copy(out, x, bytes);
    out += bytes;
    x += (<usize>width) << 2;
  }
}
