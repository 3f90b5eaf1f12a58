/**
 * Batch normalisation in training, four channels at a time. Channels that are left over (C mod 4) go one by one. Sums are
 * float32, with one partial sum for each 256 pixels, so that their error stays below 2⁻¹⁵ of Σ|terms|.
 */

/** Pixels that are added before the sum is added to the whole. */
const RUN: i32 = 256;

/** Four floats at `ptr`, or the first `count` of them. */
function some(ptr: usize, count: i32): v128 {
  if (count >= 4) return v128.load(ptr);
  let v = v128.load32_zero(ptr);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(ptr, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(ptr, 8));
  return v;
}

function storeSome(ptr: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(ptr, v);
    return;
  }
  store<f32>(ptr, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(ptr, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(ptr, f32x4.extract_lane(v, 2), 8);
}

/** out [2, C]: mean, and 1/√(variance + eps), of x [M, C]. */
export function batchStatistics(out: usize, x: usize, M: i32, C: i32, eps: f32): void {
  const step = (<usize>C) << 2;
  const share = f32x4.splat(<f32>1 / <f32>M);
  for (let c = 0; c < C; c += 4) {
    const count = C - c;
    const at = (<usize>c) << 2;
    let total = f32x4.splat(0);
    for (let begin = 0; begin < M; begin += RUN) {
      let sum = f32x4.splat(0);
      const end = min(begin + RUN, M);
      let ptr = x + at + <usize>begin * step;
      for (let m = begin; m < end; m++, ptr += step) sum = f32x4.add(sum, some(ptr, count));
      total = f32x4.add(total, sum);
    }
    const mean = f32x4.mul(total, share);
    total = f32x4.splat(0);
    for (let begin = 0; begin < M; begin += RUN) {
      let sum = f32x4.splat(0);
      const end = min(begin + RUN, M);
      let ptr = x + at + <usize>begin * step;
      for (let m = begin; m < end; m++, ptr += step) {
        const d = f32x4.sub(some(ptr, count), mean);
        sum = f32x4.add(sum, f32x4.mul(d, d));
      }
      total = f32x4.add(total, sum);
    }
    const variance = f32x4.add(f32x4.mul(total, share), f32x4.splat(eps));
    storeSome(out + at, mean, count);
    storeSome(out + step + at, f32x4.div(f32x4.splat(1), f32x4.sqrt(variance)), count);
  }
}

/** out = γ·(x − μ)·r + β. @param vectors γ, then β, [C] each */
export function batchNorm(
  out: usize,
  x: usize,
  statistics: usize,
  vectors: usize,
  M: i32,
  C: i32,
): void {
  const step = (<usize>C) << 2;
  for (let c = 0; c < C; c += 4) {
    const count = C - c;
    const at = (<usize>c) << 2;
    const mean = some(statistics + at, count);
    const factor = f32x4.mul(some(vectors + at, count), some(statistics + step + at, count));
    const beta = some(vectors + step + at, count);
    const end = x + at + <usize>M * step;
    let to = out + at;
    for (let ptr = x + at; ptr < end; ptr += step, to += step) {
      const y = f32x4.mul(f32x4.sub(some(ptr, count), mean), factor);
      storeSome(to, f32x4.add(y, beta), count);
    }
  }
}

/** out [2, C]: Σ ∂y·x̂ and Σ ∂y. */
export function batchNormSums(
  out: usize,
  gradient: usize,
  x: usize,
  statistics: usize,
  M: i32,
  C: i32,
): void {
  const step = (<usize>C) << 2;
  for (let c = 0; c < C; c += 4) {
    const count = C - c;
    const at = (<usize>c) << 2;
    const mean = some(statistics + at, count);
    let gammas = f32x4.splat(0);
    let betas = f32x4.splat(0);
    for (let begin = 0; begin < M; begin += RUN) {
      let gammaSum = f32x4.splat(0);
      let betaSum = f32x4.splat(0);
      const end = min(begin + RUN, M);
      let ptr = at + <usize>begin * step;
      for (let m = begin; m < end; m++, ptr += step) {
        const g = some(gradient + ptr, count);
        const d = f32x4.sub(some(x + ptr, count), mean);
        gammaSum = f32x4.add(gammaSum, f32x4.mul(g, d));
        betaSum = f32x4.add(betaSum, g);
      }
      gammas = f32x4.add(gammas, gammaSum);
      betas = f32x4.add(betas, betaSum);
    }
    storeSome(out + at, f32x4.mul(gammas, some(statistics + step + at, count)), count);
    storeSome(out + step + at, betas, count);
  }
}

/** out = γ·r·(∂y − (∂β + x̂·∂γ)/M). @param vectors γ, then β */
export function batchNormGradient(
  out: usize,
  gradient: usize,
  x: usize,
  statistics: usize,
  sums: usize,
  vectors: usize,
  M: i32,
  C: i32,
): void {
  const step = (<usize>C) << 2;
  const share = f32x4.splat(<f32>1 / <f32>M);
  for (let c = 0; c < C; c += 4) {
    const count = C - c;
    const at = (<usize>c) << 2;
    const mean = some(statistics + at, count);
    const r = some(statistics + step + at, count);
    const factor = f32x4.mul(some(vectors + at, count), r);
    const slope = f32x4.mul(f32x4.mul(some(sums + at, count), share), r);
    const offset = f32x4.mul(some(sums + step + at, count), share);
    const end = at + <usize>M * step;
    for (let ptr = at; ptr < end; ptr += step) {
      const d = f32x4.sub(some(x + ptr, count), mean);
      const rest = f32x4.sub(some(gradient + ptr, count), f32x4.add(offset, f32x4.mul(d, slope)));
      storeSome(out + ptr, f32x4.mul(factor, rest), count);
    }
  }
}
