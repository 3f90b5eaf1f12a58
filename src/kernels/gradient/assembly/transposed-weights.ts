/** Rearranges the weights of a convolution, a panel at a time. */

/** Bytes of a panel's row: eight floats. */
export const ROW: usize = 32;

/**
 * Transposes a panel [count, 8] into rows of ⌈count/8⌉ other panels: to[q][j][i] = from[8q + i][j] for j < `rows`.
 * Where a panel of the result has fewer than eight columns, the rest are zeros.
 *
 * @param to the first of the rows, in the first panel
 * @param toBytes bytes from one panel of the result to the next
 */
export function transposePanel(
  to: usize,
  toBytes: usize,
  from: usize,
  rows: i32,
  count: i32,
): void {
  for (; count >= 8 && rows === 8; count -= 8, from += 8 * ROW, to += toBytes) {
    transpose4(to, from);
    transpose4(to + 16, from + 4 * ROW);
    transpose4(to + 4 * ROW, from + 16);
    transpose4(to + 4 * ROW + 16, from + 4 * ROW + 16);
  }
  for (; count > 0; count -= 8, from += 8 * ROW, to += toBytes) {
    for (let j: usize = 0; j < <usize>rows; j++) {
      for (let i: usize = 0; i < 8; i++) {
        const value = i < <usize>count ? load<f32>(from + i * ROW + (j << 2)) : 0;
        store<f32>(to + j * ROW + (i << 2), value);
      }
    }
  }
}

/** A block of four by four. */
function transpose4(to: usize, from: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + ROW);
  const c = v128.load(from + 2 * ROW);
  const d = v128.load(from + 3 * ROW);
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(to + ROW, v128.shuffle<i64>(ab0, cd0, 1, 3));
  v128.store(to + 2 * ROW, v128.shuffle<i64>(ab1, cd1, 0, 2));
  v128.store(to + 3 * ROW, v128.shuffle<i64>(ab1, cd1, 1, 3));
}
