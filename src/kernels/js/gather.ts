/**
 * Copies elements by tables of rows, columns and channels, NHWC:
 *
 *   out[n, oy, ox, oc] = x[n, rows[oy], columns[ox], channels[oc]]
 *
 * Slices, borders and nearest-neighbour resizing all use it, with different tables.
 */

/** Where each row, column and channel of `out` comes from; a negative index is outside of `x`. */
export interface GatherTables {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly channels: Int32Array;
  /** Extents of `x`. */
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

/**
 * @param out [N, rows, columns, channels], overwritten; not `x`
 * @param x [N, H, W, C]
 * @param value stored for elements outside of `x`
 */
export function gather(
  out: Float32Array,
  x: Float32Array,
  N: number,
  { rows, columns, channels, H, W, C }: GatherTables,
  value: number,
): void {
  const Cout = channels.length;
  const rowLength = columns.length * Cout;
  const begin = channels[0]!;
  const isRun = isRunOf(channels);
  let o = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < rows.length; oy++, o += rowLength) {
      const iy = rows[oy]!;
      if (iy < 0) out.fill(value, o, o + rowLength);
      else gatherRow(out, o, x, (n * H + iy) * W * C, columns, channels, C, isRun, begin, value);
    }
  }
}

/** Whether the channels are consecutive, as they mostly are. */
function isRunOf(channels: Int32Array): boolean {
  if (channels[0]! < 0) return false;
  for (let c = 1; c < channels.length; c++) if (channels[c] !== channels[0]! + c) return false;
  return true;
}

/** One row of pixels. @param rowBase where the row begins in `x` */
function gatherRow(
  out: Float32Array,
  o: number,
  x: Float32Array,
  rowBase: number,
  columns: Int32Array,
  channels: Int32Array,
  C: number,
  isRun: boolean,
  begin: number,
  value: number,
): void {
  const Cout = channels.length;
  for (let ox = 0; ox < columns.length; ox++) {
    const to = o + ox * Cout;
    const ix = columns[ox]!;
    if (ix < 0) {
      out.fill(value, to, to + Cout);
    } else if (isRun) {
      const from = rowBase + ix * C + begin;
      for (let c = 0; c < Cout; c++) out[to + c] = x[from + c]!;
    } else {
      const from = rowBase + ix * C;
      for (let c = 0; c < Cout; c++) {
        const ic = channels[c]!;
        out[to + c] = ic < 0 ? value : x[from + ic]!;
      }
    }
  }
}
