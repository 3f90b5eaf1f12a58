/**
 * Activation functions (../../js/activation.ts has the formulas), four elements at a time. All of them share one
 * loop and, those that have one, one exponential: which function it is is asked for each vector, which a
 * processor foresees.
 *
 * The exponential: x = n·ln 2 + r with |r| ≤ ln 2/2; eˣ = 2ⁿ·(1 + m), m = r + r²·p(r) with p of degree 4, within
 * 2⁻²⁷·⁹ of eˣ (minimax, fitted). Above 88.4 it is ∞, below −87.7 it is 0.
 *
 * Errors, beside 2⁻¹¹⁸: of sigmoid, silu, tanh, mish, elu, celu and selu, and of the functions of straight
 * lines, 2⁻²¹ of the value; of the GELUs 2⁻²¹ of |x|, of softplus 2⁻²² of max(1, x). GELU of −∞ is 0.
 */

import { madd } from './simd';
import { log2OfFloats } from './smoe';

// The numbers of the functions in ../activation.ts.
export const CLIP: i32 = 0;
const LEAKY_RELU: i32 = 1;
const THRESHOLDED_RELU: i32 = 2;
/** 4 is hardswish. */
const HARDSIGMOID: i32 = 3;
/** From here on they take an exponential. 6 is silu. */
const SIGMOID: i32 = 5;
const GELU_TANH: i32 = 7;
const GELU: i32 = 8;
const ELU: i32 = 9;
const TANH: i32 = 10;
const MISH: i32 = 11;
const SOFTPLUS: i32 = 12;

/** log2 e; what leaves a whole number plus an exponent's bias in the lowest bits; ln 2 in two parts. */
const LOG2E: f32 = <f32>Math.LOG2E;
const ROUNDER: f32 = 12582912 + 127;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440054715e-4;

/**
 * out = f(x) of `length` elements; `out` may be x.
 *
 * @param kind number of the function
 * @param a and b, c: its numbers, as ../activation.ts gives them
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
  const end = x + ((<usize>length) << 2);
  while (x < end) {
    // The elements behind the last whole vector come one by one, in the first lane.
    const isWhole = x + 16 <= end;
    const value = isWhole ? v128.load(x) : v128.load32_zero(x);
    const result = kind < SIGMOID ? straight(kind, value, a, b) : curved(kind, value, a, b, c);
    if (isWhole) v128.store(out, result);
    else v128.store32_lane(out, result, 0);
    const step = isWhole ? 16 : 4;
    x += step;
    out += step;
  }
}

/** Functions of straight lines. `pmin` and `pmax` keep a NaN that comes first. */
function straight(kind: i32, x: v128, a: f32, b: f32): v128 {
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  if (kind === CLIP) return f32x4.pmin(f32x4.pmax(x, as), bs);
  if (kind === LEAKY_RELU) {
    return v128.bitselect(x, f32x4.mul(x, as), f32x4.gt(x, f32x4.splat(0)));
  }
  if (kind === THRESHOLDED_RELU) return v128.andnot(x, f32x4.le(x, as));
  const line = f32x4.mul(f32x4.add(x, as), bs);
  const gate = f32x4.pmin(f32x4.pmax(line, f32x4.splat(0)), f32x4.splat(1));
  return kind === HARDSIGMOID ? gate : f32x4.mul(x, gate);
}

/** Functions of an exponential. */
function curved(kind: i32, x: v128, a: f32, b: f32, c: f32): v128 {
  const as = f32x4.splat(a);
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  let power = f32x4.mul(x, as);
  if (kind === GELU_TANH) {
    power = f32x4.mul(power, madd(f32x4.mul(x, x), f32x4.splat(b), one));
  } else if (kind === GELU) power = f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5));
  else if (kind === TANH) power = f32x4.mul(size, f32x4.splat(-2));
  else if (kind === MISH) power = f32x4.pmin(x, f32x4.splat(20));
  else if (kind === SOFTPLUS) power = f32x4.neg(size);

  power = f32x4.pmin(f32x4.pmax(power, f32x4.splat(-88)), f32x4.splat(89));
  const rounder = f32x4.splat(ROUNDER);
  const rounded = madd(power, f32x4.splat(LOG2E), rounder);
  const scale = i32x4.shl(rounded, 23);
  const n = f32x4.sub(rounded, rounder);
  const r = madd(n, f32x4.splat(-LN2_LOW), madd(n, f32x4.splat(-LN2_HIGH), power));
  let p = f32x4.splat(0.0013814598663);
  p = madd(p, r, f32x4.splat(0.0083687169476));
  p = madd(p, r, f32x4.splat(0.0416683880503));
  p = madd(p, r, f32x4.splat(0.1666652063115));
  p = madd(p, r, f32x4.splat(0.4999999344776));
  const m = madd(f32x4.mul(r, r), p, r);
  const e = f32x4.mul(scale, f32x4.add(one, m));
  // eˣ − 1, in which nothing cancels.
  const less = madd(scale, m, f32x4.sub(scale, one));

  if (kind <= GELU_TANH) {
    return f32x4.div(kind === SIGMOID ? one : x, f32x4.add(one, e));
  }
  if (kind === GELU) {
    // x·Φ(x) = max(x, 0) − |x|·½erfc(|x|/√2), erfc z = t·(…)·e^(−z²), t = 1/(1 + 0.3275911z)
    // (Abramowitz & Stegun, 7.1.26).
    const t = f32x4.div(one, madd(size, f32x4.splat(<f32>(0.3275911 * Math.SQRT1_2)), one));
    let series = f32x4.splat(0.5 * 1.061405429);
    series = madd(series, t, f32x4.splat(0.5 * -1.453152027));
    series = madd(series, t, f32x4.splat(0.5 * 1.421413741));
    series = madd(series, t, f32x4.splat(0.5 * -0.284496736));
    series = madd(series, t, f32x4.splat(0.5 * 0.254829592));
    const tail = f32x4.mul(f32x4.mul(series, t), e);
    // ∞·0 would be no number.
    const finite = f32x4.pmin(size, f32x4.splat(16));
    return f32x4.sub(f32x4.pmax(x, f32x4.splat(0)), f32x4.mul(finite, tail));
  }
  if (kind === ELU) {
    return v128.bitselect(
      f32x4.mul(x, f32x4.splat(c)),
      f32x4.mul(less, f32x4.splat(b)),
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
