/**
 * Gradients of activation functions, four elements at a time. Those with an exponential share its code: eˣ within
 * 2⁻²⁷ (the polynomial of ../../wasm/assembly/activation.ts), 0 below −87 and at most e⁸⁸. Constants are literals,
 * because the module has no memory of its own. Errors: 2⁻²⁰ of the largest term.
 */

// The numbers of the functions: their places in `KINDS` of ../activation.ts.
const LEAKY_RELU: i32 = 0;
const THRESHOLDED_RELU: i32 = 1;
const HARDSIGMOID: i32 = 2;
const HARDSWISH: i32 = 3;
// Functions of e^(−|a·x|): the sigmoid and what is made of it.
const SIGMOID: i32 = 4;
const SOFTPLUS: i32 = 5;
// 6: x·σ(k·x)
const GELU_TANH: i32 = 7;
// Functions of another exponential.
const ELU: i32 = 8;
const GELU: i32 = 9;

/** Beyond it every derivative is 0 or 1; the product with an infinite x would be NaN. */
const FAR: f32 = 100;

/**
 * out = gradient · f′(x); `out` may be `gradient`.
 *
 * @param kind number of the function
 * @param a and b, c: its numbers
 */
export function activationGradient(
  out: usize,
  gradient: usize,
  x: usize,
  length: i32,
  kind: i32,
  a: f32,
  b: f32,
  c: f32,
): void {
  const whole = (<usize>(length & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    const slope = derivative(kind, v128.load(x + i), a, b, c);
    v128.store(out + i, f32x4.mul(v128.load(gradient + i), slope));
  }
  for (let i = whole; i < (<usize>length) << 2; i += 4) {
    const slope = derivative(kind, v128.load32_splat(x + i), a, b, c);
    store<f32>(out + i, load<f32>(gradient + i) * f32x4.extract_lane(slope, 0));
  }
}

function derivative(kind: i32, x: v128, a: f32, b: f32, c: f32): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const as = f32x4.splat(a);
  if (kind === LEAKY_RELU) return v128.bitselect(one, as, f32x4.gt(x, zero));
  if (kind === THRESHOLDED_RELU) return v128.and(one, f32x4.gt(x, as));
  if (kind === HARDSIGMOID) {
    const y = f32x4.add(f32x4.mul(x, as), f32x4.splat(b));
    return v128.and(as, v128.and(f32x4.gt(y, zero), f32x4.lt(y, one)));
  }
  if (kind === HARDSWISH) {
    const inside = f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 3)), f32x4.splat(0.5));
    const below = v128.andnot(inside, f32x4.le(x, f32x4.splat(-3)));
    return v128.bitselect(one, below, f32x4.ge(x, f32x4.splat(3)));
  }
  if (kind === ELU) {
    const left = f32x4.mul(as, exponential(f32x4.mul(x, f32x4.splat(b))));
    return v128.bitselect(f32x4.splat(c), left, f32x4.gt(x, zero));
  }
  const near = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-FAR)), f32x4.splat(FAR));
  if (kind === GELU) return gelu(near);
  if (kind <= GELU_TANH) return sigmoidal(kind, near, as, b);
  return mish(near);
}

/** Functions of s = σ(u), u = a·x (GELU_TANH: a·x·(1 + b·x²)), and of s′ = s·(1 − s), without cancellation. */
function sigmoidal(kind: i32, x: v128, as: v128, b: f32): v128 {
  const one = f32x4.splat(1);
  const square = f32x4.mul(f32x4.mul(x, x), f32x4.splat(b));
  let u = f32x4.mul(x, as);
  if (kind === GELU_TANH) u = f32x4.mul(u, f32x4.add(one, square));
  const e = exponential(f32x4.neg(f32x4.abs(u)));
  const upper = f32x4.div(one, f32x4.add(one, e));
  const lower = f32x4.mul(e, upper);
  const slope = f32x4.mul(lower, upper);
  // For tanh, b is 4.
  if (kind === SIGMOID) return f32x4.mul(slope, f32x4.splat(b));
  const s = v128.bitselect(upper, lower, f32x4.gt(u, f32x4.splat(0)));
  if (kind === SOFTPLUS) return s;
  let du = as;
  if (kind === GELU_TANH) du = f32x4.mul(as, f32x4.add(one, f32x4.mul(square, f32x4.splat(3))));
  return f32x4.add(s, f32x4.mul(f32x4.mul(x, du), slope));
}

/** Φ(x) + x·φ(x), with the series of ../../wasm/assembly/activation.ts for Φ. */
function gelu(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(<f32>(0.3275911 * Math.SQRT1_2)));
  const t = f32x4.div(one, f32x4.add(one, z));
  let series = f32x4.splat(0.5 * 1.061405429);
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.5 * -1.453152027));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.5 * 1.421413741));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.5 * -0.284496736));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.5 * 0.254829592));
  const tail = f32x4.mul(f32x4.mul(series, t), e);
  const whole = v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(x, f32x4.splat(0)));
  return f32x4.add(whole, f32x4.mul(f32x4.mul(x, e), f32x4.splat(0.3989422804014327)));
}

/** t + x·(1 − t²)·σ(x), t = tanh(ln(1 + eˣ)) = o/(o + 2), o = eˣ·(eˣ + 2). */
function mish(x: v128): v128 {
  const two = f32x4.splat(2);
  const e = exponential(f32x4.pmin(x, f32x4.splat(20)));
  const odds = f32x4.mul(e, f32x4.add(e, two));
  const all = f32x4.add(odds, two);
  // 1 − t² = 4·(o + 1)/(o + 2)²
  const rest = f32x4.div(f32x4.add(odds, f32x4.splat(1)), f32x4.mul(all, all));
  const s = f32x4.div(e, f32x4.add(e, f32x4.splat(1)));
  const slope = f32x4.mul(f32x4.mul(rest, f32x4.splat(4)), s);
  return f32x4.add(f32x4.div(odds, all), f32x4.mul(x, slope));
}

/** eˣ. */
function exponential(x: v128): v128 {
  const power = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-88)), f32x4.splat(88));
  const rounder = f32x4.splat(12582912 + 127);
  const rounded = f32x4.add(f32x4.mul(power, f32x4.splat(<f32>Math.LOG2E)), rounder);
  const scale = i32x4.shl(rounded, 23);
  const n = f32x4.sub(rounded, rounder);
  let r = f32x4.add(power, f32x4.mul(n, f32x4.splat(-0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440054715e-4)));
  const r2 = f32x4.mul(r, r);
  let p = f32x4.splat(0.0013814598663);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.0083687169476));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.0416683880503));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.1666652063115));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.4999999344776));
  const m = f32x4.add(r, f32x4.mul(r2, p));
  return f32x4.add(scale, f32x4.mul(scale, m));
}

/** The gradient of a function that clips, such as ReLU. @param floor gradients below it become it */
export function clipGradient(
  out: usize,
  gradient: usize,
  y: usize,
  length: i32,
  least: f32,
  most: f32,
  floor: f32,
): void {
  const leasts = f32x4.splat(least);
  const mosts = f32x4.splat(most);
  const floors = f32x4.splat(floor);
  const whole = (<usize>(length & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    const value = v128.load(y + i);
    const passes = v128.and(f32x4.gt(value, leasts), f32x4.lt(value, mosts));
    v128.store(out + i, v128.and(passes, f32x4.max(v128.load(gradient + i), floors)));
  }
  for (let i = whole; i < (<usize>length) << 2; i += 4) {
    const value = load<f32>(y + i);
    const passes = value > least && value < most;
    store<f32>(out + i, passes ? max<f32>(load<f32>(gradient + i), floor) : 0);
  }
}
