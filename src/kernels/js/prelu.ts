/**
 * out[p, c] = x[p, c] > 0 ? x[p, c] : slope[c]·x[p, c], rounded once. NaN stays NaN.
 *
 * @param out [pixels, C], overwritten; may be `x`
 * @param slope [C]
 */
export function prelu(
  out: Float32Array,
  x: Float32Array,
  slope: Float32Array,
  [pixels, C]: readonly [number, number],
): void {
  for (let p = 0; p < pixels; p++) {
    const base = p * C;
    for (let c = 0; c < C; c++) {
      const value = x[base + c]!;
      out[base + c] = value > 0 ? value : slope[c]! * value;
    }
  }
}
