/**
 * Batch normalisation in training. Sums take sixteen channels at a time, a cache line; then four, or the one to three that are
 * left over. They are float32, with one partial sum for each 256 pixels, so that their error stays below 2⁻¹⁵ of Σ|terms|.
 */

/** Pixels that are added before the sum is added to the whole. */
const RUN: i32 = 256;

/** out [2, C]: mean, and 1/√(variance + eps), of x [M, C]. */
export function batchStatistics(out: usize, x: usize, M: i32, C: i32, eps: f32): void {
  const step = (<usize>C) << 2;
  const share = f32x4.splat(<f32>1 / <f32>M);
  memory.fill(out, 0, 2 * step);
  for (let begin = 0; begin < M; begin += RUN) {
    addColumns(out, x + <usize>begin * step, min(RUN, M - begin), C);
  }
  for (let c = 0; c < C; c += 4) {
    const at = out + ((<usize>c) << 2);
    storeSome(at, f32x4.mul(some(at, C - c), share), C - c);
  }
  for (let begin = 0; begin < M; begin += RUN) {
    const from = x + <usize>begin * step;
    addProducts(out + step, from, from, out, out, min(RUN, M - begin), C);
  }
  for (let c = 0; c < C; c += 4) {
    const at = out + step + ((<usize>c) << 2);
    const variance = f32x4.add(f32x4.mul(some(at, C - c), share), f32x4.splat(eps));
    storeSome(at, f32x4.div(f32x4.splat(1), f32x4.sqrt(variance)), C - c);
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
  memory.fill(out, 0, 2 * step);
  for (let begin = 0; begin < M; begin += RUN) {
    const offset = <usize>begin * step;
    const count = min(RUN, M - begin);
    addProducts(out, gradient + offset, x + offset, 0, statistics, count, C);
    addColumns(out + step, gradient + offset, count, C);
  }
  for (let c = 0; c < C; c += 4) {
    const at = (<usize>c) << 2;
    const r = some(statistics + step + at, C - c);
    storeSome(out + at, f32x4.mul(some(out + at, C - c), r), C - c);
  }
}

/** out[c] += Σ x[m, c] over `count` pixels. */
function addColumns(out: usize, x: usize, count: i32, C: i32): void {
  const step = (<usize>C) << 2;
  const end = x + <usize>count * step;
  let c = 0;
  for (; c + 16 <= C; c += 16) {
    const at = (<usize>c) << 2;
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    for (let ptr = x + at; ptr < end; ptr += step) {
      s0 = f32x4.add(s0, v128.load(ptr));
      s1 = f32x4.add(s1, v128.load(ptr, 16));
      s2 = f32x4.add(s2, v128.load(ptr, 32));
      s3 = f32x4.add(s3, v128.load(ptr, 48));
    }
    const to = out + at;
    v128.store(to, f32x4.add(v128.load(to), s0));
    v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
    v128.store(to, f32x4.add(v128.load(to, 32), s2), 32);
    v128.store(to, f32x4.add(v128.load(to, 48), s3), 48);
  }
  for (; c < C; c += 4) {
    const at = (<usize>c) << 2;
    let sum = f32x4.splat(0);
    for (let ptr = x + at; ptr < end; ptr += step) sum = f32x4.add(sum, some(ptr, C - c));
    storeSome(out + at, f32x4.add(some(out + at, C - c), sum), C - c);
  }
}

/** out[c] += Σ (a[m, c] − p[c])·(b[m, c] − q[c]) over `count` pixels; p is 0 where its address is. */
function addProducts(out: usize, a: usize, b: usize, p: usize, q: usize, count: i32, C: i32): void {
  const step = (<usize>C) << 2;
  const length = <usize>count * step;
  let c = 0;
  for (; c + 16 <= C; c += 16) {
    const at = (<usize>c) << 2;
    const q0 = v128.load(q + at);
    const q1 = v128.load(q + at, 16);
    const q2 = v128.load(q + at, 32);
    const q3 = v128.load(q + at, 48);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    for (let i = at; i < length; i += step) {
      const d0 = f32x4.sub(v128.load(b + i), q0);
      const d1 = f32x4.sub(v128.load(b + i, 16), q1);
      const d2 = f32x4.sub(v128.load(b + i, 32), q2);
      const d3 = f32x4.sub(v128.load(b + i, 48), q3);
      // Either a sum of squares, or of products with gradients.
      s0 = f32x4.add(s0, f32x4.mul(p === 0 ? v128.load(a + i) : d0, d0));
      s1 = f32x4.add(s1, f32x4.mul(p === 0 ? v128.load(a + i, 16) : d1, d1));
      s2 = f32x4.add(s2, f32x4.mul(p === 0 ? v128.load(a + i, 32) : d2, d2));
      s3 = f32x4.add(s3, f32x4.mul(p === 0 ? v128.load(a + i, 48) : d3, d3));
    }
    const to = out + at;
    v128.store(to, f32x4.add(v128.load(to), s0));
    v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
    v128.store(to, f32x4.add(v128.load(to, 32), s2), 32);
    v128.store(to, f32x4.add(v128.load(to, 48), s3), 48);
  }
  for (; c < C; c += 4) {
    const at = (<usize>c) << 2;
    const mean = some(q + at, C - c);
    let sum = f32x4.splat(0);
    for (let i = at; i < length; i += step) {
      const d = f32x4.sub(some(b + i, C - c), mean);
      sum = f32x4.add(sum, f32x4.mul(p === 0 ? some(a + i, C - c) : d, d));
    }
    storeSome(out + at, f32x4.add(some(out + at, C - c), sum), C - c);
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
  const end = x + <usize>M * step;
  for (; x < end; x += step, out += step) {
    for (let c = 0; c < C; c += 4) {
      const at = (<usize>c) << 2;
      const count = C - c;
      const factor = f32x4.mul(some(vectors + at, count), some(statistics + step + at, count));
      const d = f32x4.sub(some(x + at, count), some(statistics + at, count));
      storeSome(out + at, f32x4.add(f32x4.mul(d, factor), some(vectors + step + at, count)), count);
    }
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
  const end = x + <usize>M * step;
  for (; x < end; x += step, gradient += step, out += step) {
    for (let c = 0; c < C; c += 4) {
      const at = (<usize>c) << 2;
      const count = C - c;
      const r = some(statistics + step + at, count);
      const normal = f32x4.mul(f32x4.sub(some(x + at, count), some(statistics + at, count)), r);
      const drift = f32x4.add(
        some(sums + step + at, count),
        f32x4.mul(normal, some(sums + at, count)),
      );
      const rest = f32x4.sub(some(gradient + at, count), f32x4.mul(drift, share));
      storeSome(out + at, f32x4.mul(f32x4.mul(some(vectors + at, count), r), rest), count);
    }
  }
}

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
