/**
 * Copies some channels of each pixel: the gradient of one input of a concatenation.
 *
 * @param out [pixels, C], overwritten
 * @param x [pixels, width]
 * @param numbers as for the kernel `concat`
 */
export function split(
  out: Float32Array,
  x: Float32Array,
  [pixels, C, width, begin]: readonly [number, number, number, number],
): void {
  for (let p = 0; p < pixels; p++) {
    const from = p * width + begin;
    for (let c = 0; c < C; c++) out[p * C + c] = x[from + c]!;
  }
}
