/**
 * Normalizes to mean 0 and variance 1: out = (x − mean)/√(variance + eps), without the learned factors.
 *
 *   over the channels of each pixel                  LayerNorm
 *   over all pixels of a group of channels           GroupNorm
 *   likewise, each channel a group                   InstanceNorm
 *   likewise, one group                              LayerNorm over a picture
 *
 * The variance is Σ(x − mean)²/n. Two passes; sums are doubles.
 */

/**
 * @param out [N, pixels, C], overwritten; may be `x`
 * @param x [N, pixels, C]; to normalize each pixel's column, pass every pixel as a picture
 * @param groups that divide C
 */
export function normalize(
  out: Float32Array,
  x: Float32Array,
  [N, pixels, C]: readonly [number, number, number],
  groups: number,
  eps: number,
): void {
  const width = C / groups;
  for (let n = 0; n < N; n++) {
    for (let group = 0; group < groups; group++) {
      normalizeBlock(out, x, n * pixels * C + group * width, pixels, C, width, eps);
    }
  }
}

/** `width` channels, starting at `base`, of pixels that are C elements apart. */
function normalizeBlock(
  out: Float32Array,
  x: Float32Array,
  base: number,
  pixels: number,
  C: number,
  width: number,
  eps: number,
): void {
  const count = pixels * width;
  let sum = 0;
  for (let p = 0; p < pixels; p++) {
    const from = base + p * C;
    for (let c = 0; c < width; c++) sum += x[from + c]!;
  }
  const mean = sum / count;
  let squares = 0;
  for (let p = 0; p < pixels; p++) {
    const from = base + p * C;
    for (let c = 0; c < width; c++) {
      const apart = x[from + c]! - mean;
      squares += apart * apart;
    }
  }
  const factor = 1 / Math.sqrt(squares / count + eps);
  for (let p = 0; p < pixels; p++) {
    const from = base + p * C;
    for (let c = 0; c < width; c++) out[from + c] = (x[from + c]! - mean) * factor;
  }
}
