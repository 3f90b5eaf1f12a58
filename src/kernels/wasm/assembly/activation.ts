/**
 * Activation functions (../../js/activation.ts has the formulas), four elements at a time. All of them share one
 * loop, and those with an exponential share its code. The loop branches on the function at every vector. The
 * branch is always the same, so it costs almost nothing.
 *
 * The exponential: x = n·ln 2 + r with |r| ≤ ln 2/2; eˣ = 2ⁿ·(1 + m), m = r + r²·p(r) with p of degree 4, within
 * 2⁻²⁷·⁹ of eˣ (minimax, fitted). Above 88.4 it is ∞, below −87.7 it is 0.
 *
 * Errors, beside 2⁻¹¹⁸:
 *
 *   sigmoid, silu, tanh, mish, elu, celu, selu, functions of straight lines   2⁻²¹ of the value
 *   the GELUs                                                                 2⁻²¹ of |x|
 *   softplus                                                                  2⁻²² of max(1, x)
 *
 * GELU of −∞ is 0.
 */

import { local, TAIL } from './local';
import { copyFloats, madd } from './simd';
import { log2OfFloats } from './smoe';

// The numbers of the functions in ../activation.ts. Functions made of straight lines:
const CLIP: i32 = 0;
const LEAKY_RELU: i32 = 1;
const THRESHOLDED_RELU: i32 = 2;
const HARDSIGMOID: i32 = 3;
const HARDSWISH: i32 = 4;
// Functions with an exponential of a multiple of x:
const ELU: i32 = 5;
const SIGMOID: i32 = 6;
const SILU: i32 = 7;
// Functions with an exponential of something else:
const GELU_TANH: i32 = 8;
const GELU: i32 = 9;
const TANH: i32 = 10;
const MISH: i32 = 11;

/**
 * Constants, four bytes each. A literal is built from words at every use, for every vector. Loading it from memory
 * makes the loop a fifth faster (measured).
 */
const CONSTANTS = memory.data<f32>([
  1,
  // The exponential is 0 below the first, and ∞ above the second.
  -88,
  89,
  <f32>Math.LOG2E,
  // Adding it leaves a whole number plus an exponent's bias in the lowest bits.
  12582912 + 127,
  // −ln 2 in two parts.
  -0.693359375,
  2.12194440054715e-4,
  // p, the highest power first.
  0.0013814598663,
  0.0083687169476,
  0.0416683880503,
  0.1666652063115,
  0.4999999344776,
  // The polynomial of erfc, halved, the highest power first; then the constant of t.
  0.5 * 1.061405429,
  0.5 * -1.453152027,
  0.5 * 1.421413741,
  0.5 * -0.284496736,
  0.5 * 0.254829592,
  <f32>(0.3275911 * Math.SQRT1_2),
]);

/**
 * out = f(x) of `length` elements; `out` may be x.
 *
 * @param kind number of the function
 * @param a and b, c: its parameters, from ../activation.ts
 */
export function activate(
  out: usize,
  x: usize,
  length: i32,
  kind: i32,
  a: f32,
  b: f32,
  c: f32,
): void {
  const bytes = (<usize>length) << 2;
  const whole = bytes & ~15;
  activateVectors(out, x, whole, kind, a, b, c);
  if (whole === bytes) return;
  const tail = local + TAIL;
  copyFloats(tail, x + whole, bytes - whole);
  activateVectors(tail, tail, 16, kind, a, b, c);
  copyFloats(out + whole, tail, bytes - whole);
}

/** The same for `bytes` bytes of whole vectors. */
function activateVectors(
  out: usize,
  x: usize,
  bytes: usize,
  kind: i32,
  a: f32,
  b: f32,
  c: f32,
): void {
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  for (const end = x + bytes; x < end; x += 16, out += 16) {
    const value = v128.load(x);
    if (kind <= HARDSWISH) {
      v128.store(out, straight(kind, value, as, bs));
      continue;
    }
    let power = exponent(kind, value, as, bs);
    power = f32x4.pmax(power, v128.load32_splat(CONSTANTS, 4));
    power = f32x4.pmin(power, v128.load32_splat(CONSTANTS, 8));
    const rounder = v128.load32_splat(CONSTANTS, 16);
    const rounded = madd(power, v128.load32_splat(CONSTANTS, 12), rounder);
    const scale = i32x4.shl(rounded, 23);
    const n = f32x4.sub(rounded, rounder);
    let r = madd(n, v128.load32_splat(CONSTANTS, 20), power);
    r = madd(n, v128.load32_splat(CONSTANTS, 24), r);
    // The polynomial is evaluated in pairs: waiting for one result at a time takes longer than computing it.
    const r2 = f32x4.mul(r, r);
    const p01 = madd(r, v128.load32_splat(CONSTANTS, 40), v128.load32_splat(CONSTANTS, 44));
    const p23 = madd(r, v128.load32_splat(CONSTANTS, 32), v128.load32_splat(CONSTANTS, 36));
    const p234 = madd(r2, v128.load32_splat(CONSTANTS, 28), p23);
    const m = madd(r2, madd(r2, p234, p01), r);
    const one = v128.load32_splat(CONSTANTS);
    if (kind >= SIGMOID && kind <= GELU_TANH) {
      const numerator = kind === SIGMOID ? one : value;
      const e = f32x4.mul(scale, f32x4.add(one, m));
      v128.store(out, f32x4.div(numerator, f32x4.add(one, e)));
    } else v128.store(out, curved(kind, value, scale, m, bs, c));
  }
}

/** Functions made of straight lines. `pmin` and `pmax` keep a NaN in the first argument. */
function straight(kind: i32, x: v128, as: v128, bs: v128): v128 {
  if (kind === CLIP) return f32x4.pmin(f32x4.pmax(x, as), bs);
  if (kind === LEAKY_RELU) {
    return v128.bitselect(x, f32x4.mul(x, as), f32x4.gt(x, f32x4.splat(0)));
  }
  if (kind === THRESHOLDED_RELU) return v128.andnot(x, f32x4.le(x, as));
  const line = f32x4.mul(f32x4.add(x, as), bs);
  const gate = f32x4.pmin(f32x4.pmax(line, f32x4.splat(0)), f32x4.splat(1));
  return kind === HARDSIGMOID ? gate : f32x4.mul(x, gate);
}

/** The argument of the exponential. */
function exponent(kind: i32, x: v128, as: v128, bs: v128): v128 {
  const line = f32x4.mul(x, as);
  if (kind <= SILU) return line;
  if (kind === GELU_TANH) return madd(f32x4.mul(line, f32x4.mul(x, x)), bs, line);
  // For GELU, a is −½.
  if (kind === GELU) return f32x4.mul(line, x);
  return kind === MISH ? f32x4.pmin(x, f32x4.splat(20)) : f32x4.neg(f32x4.abs(line));
}

/** Functions of an exponential scale·(1 + m) that need more than one quotient. */
function curved(kind: i32, x: v128, scale: v128, m: v128, bs: v128, c: f32): v128 {
  const one = v128.load32_splat(CONSTANTS);
  const e = f32x4.mul(scale, f32x4.add(one, m));
  // eˣ − 1 without cancellation.
  const less = madd(scale, m, f32x4.sub(scale, one));
  if (kind === GELU) {
    // x·Φ(x) = max(x, 0) − |x|·½erfc(|x|/√2), erfc z = t·(…)·e^(−z²), t = 1/(1 + 0.3275911z)
    // (Abramowitz & Stegun, 7.1.26).
    const t = f32x4.div(one, madd(f32x4.abs(x), v128.load32_splat(CONSTANTS, 68), one));
    let series = v128.load32_splat(CONSTANTS, 48);
    series = madd(series, t, v128.load32_splat(CONSTANTS, 52));
    series = madd(series, t, v128.load32_splat(CONSTANTS, 56));
    series = madd(series, t, v128.load32_splat(CONSTANTS, 60));
    series = madd(series, t, v128.load32_splat(CONSTANTS, 64));
    const tail = f32x4.mul(f32x4.mul(series, t), e);
    // ∞·0 would be NaN.
    const finite = f32x4.pmin(f32x4.abs(x), f32x4.splat(16));
    return f32x4.sub(f32x4.pmax(x, f32x4.splat(0)), f32x4.mul(finite, tail));
  }
  if (kind === ELU) {
    return v128.bitselect(
      f32x4.mul(x, f32x4.splat(c)),
      f32x4.mul(less, bs),
      f32x4.gt(x, f32x4.splat(0)),
    );
  }
  if (kind === TANH) {
    const ratio = f32x4.abs(f32x4.div(less, f32x4.add(less, f32x4.splat(2))));
    return v128.or(ratio, v128.and(x, f32x4.splat(-0.0)));
  }
  if (kind === MISH) {
    const odds = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)));
    return f32x4.mul(x, f32x4.div(odds, f32x4.add(odds, f32x4.splat(2))));
  }
  const log = log2OfFloats(f32x4.add(one, e));
  return madd(log, f32x4.splat(<f32>Math.LN2), f32x4.pmax(x, f32x4.splat(0)));
}
