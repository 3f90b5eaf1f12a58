/**
 * Batch normalisation as a network is trained: with the mean μ and the variance of the batch itself, over all pixels of
 * all pictures.
 *
 *   x̂ = (x − μ)·r,  r = 1/√(variance + eps)      y = γ·x̂ + β
 *   ∂β = Σ ∂y        ∂γ = Σ ∂y·x̂        ∂x = γ·r·(∂y − (∂β + x̂·∂γ)/M)
 *
 * M is the number of pixels. The variance is that of the batch (divided by M), as in the frameworks. Source: S. Ioffe and
 * C. Szegedy, arXiv 1502.03167. Sums are doubles. The SIMD backend has kernels of its own (assembly/batch-norm.ts).
 */

/**
 * @param out [2, C]: μ and r; overwritten
 * @param x [M, C]
 */
export function batchStatistics(
  out: Float32Array,
  x: Float32Array,
  M: number,
  C: number,
  eps: number,
): void {
  const means = new Float64Array(C);
  const squares = new Float64Array(C);
  for (let i = 0; i < M * C; i += C) {
    for (let c = 0; c < C; c++) means[c]! += x[i + c]!;
  }
  for (let c = 0; c < C; c++) means[c]! /= M;
  for (let i = 0; i < M * C; i += C) {
    for (let c = 0; c < C; c++) squares[c]! += (x[i + c]! - means[c]!) ** 2;
  }
  for (let c = 0; c < C; c++) {
    out[c] = means[c]!;
    out[C + c] = 1 / Math.sqrt(squares[c]! / M + eps);
  }
}

/**
 * y = γ·(x − μ)·r + β
 *
 * @param out [M, C], overwritten; may be `x`
 * @param statistics the result of `batchStatistics`
 */
export function batchNorm(
  out: Float32Array,
  x: Float32Array,
  statistics: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  C: number,
): void {
  for (let i = 0; i < out.length; i += C) {
    for (let c = 0; c < C; c++) {
      out[i + c] = gamma[c]! * (x[i + c]! - statistics[c]!) * statistics[C + c]! + beta[c]!;
    }
  }
}

/**
 * The gradients of γ and β.
 *
 * @param out [2, C]: ∂γ and ∂β; overwritten
 * @param gradient [M, C], of the result
 * @param x [M, C]
 * @param statistics the result of `batchStatistics`
 */
export function batchNormSums(
  out: Float32Array,
  gradient: Float32Array,
  x: Float32Array,
  statistics: Float32Array,
  M: number,
  C: number,
): void {
  const gammas = new Float64Array(C);
  const betas = new Float64Array(C);
  for (let i = 0; i < M * C; i += C) {
    for (let c = 0; c < C; c++) {
      const g = gradient[i + c]!;
      gammas[c]! += g * (x[i + c]! - statistics[c]!);
      betas[c]! += g;
    }
  }
  for (let c = 0; c < C; c++) {
    out[c] = gammas[c]! * statistics[C + c]!;
    out[C + c] = betas[c]!;
  }
}

/**
 * The gradient of x.
 *
 * @param out [M, C], overwritten; may be `gradient`
 * @param sums the result of `batchNormSums`
 */
export function batchNormGradient(
  out: Float32Array,
  gradient: Float32Array,
  x: Float32Array,
  statistics: Float32Array,
  sums: Float32Array,
  gamma: Float32Array,
  M: number,
  C: number,
): void {
  for (let i = 0; i < M * C; i += C) {
    for (let c = 0; c < C; c++) {
      const r = statistics[C + c]!;
      const normal = (x[i + c]! - statistics[c]!) * r;
      const rest = gradient[i + c]! - (sums[C + c]! + normal * sums[c]!) / M;
      out[i + c] = gamma[c]! * r * rest;
    }
  }
}
