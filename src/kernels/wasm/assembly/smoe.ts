/**
 * SMOE Scale of columns: φ = μ·(log2 μ − mean log2 z), z = max(x, 0) + 1e-7 (../../statistics/smoe.ts has the
 * formula and the reference).
 *
 * The tap keeps three vectors for each pixel: Σz, and the exponents and mantissas of Πz. Lane i holds
 * channels i, i + 4, … . Two or four z are multiplied into a lane. Then the exponent is taken out of the
 * product, so that it stays in [1, 2): no logarithm is needed until the column is complete. A product of
 * four stays in range while z < 2e9; a column with a larger sum is computed by the formula.
 *
 * Σz is rounded to float32 C/8 times in each lane. If all roundings go the same way, as in a constant column,
 * the relative error is up to C·2⁻²⁸. A column within this error counts as constant: φ = 0.
 */

import { FOUR_SUMS, FOUR_VALUES, local } from './local';

/** Constants of `accumulate`: 1e-7, the bits of a mantissa, 1, and the bias of an exponent. In memory like LOG2. */
const BITS = memory.data<u32>([0x33d6bf95, 0x007fffff, 0x3f800000, 127]);

/** Bytes of a pixel's sums: three vectors. */
export const SUMS_BYTES: usize = 48;

const EPS: f32 = 1e-7;
const EXPONENT_BIAS: i32 = 127;
const TWO_TO_400: f64 = 2.5822498780869086e120;
const LARGEST_SUM: f64 = 2.0e9;
/** Error of a difference of logarithms: from each channel summed as float32, and from log2 in doubles. */
const FLOAT_NOISE: f64 = 7.450580596923828e-9; // 2^-27
const LOG2_NOISE: f64 = 1.1641532182693481e-10; // 2^-33

/** SMOE Scale of M columns of C. @param out [M]; @param x [M, C] */
export function smoe(out: usize, x: usize, M: i32, C: i32): void {
  const fourSums = local + FOUR_SUMS;
  const bytes = (<usize>C) << 2;
  if (C % 8 !== 0) {
    for (let m = 0; m < M; m++, x += bytes, out += 4) store<f32>(out, smoeOfColumn(x, C));
    return;
  }
  for (let m = 0; m < M; m += 4, x += bytes << 2, out += 16) {
    const pixels = min(4, M - m);
    for (let i: usize = 0; i < <usize>pixels; i++) {
      accumulate(fourSums + i * SUMS_BYTES, x + i * bytes, C / 8, true);
    }
    finishColumns(out, x, fourSums, pixels, C);
  }
}

/** SMOE Scale of one to four columns at x from their sums. */
export function finishColumns(out: usize, x: usize, sums: usize, pixels: i32, C: i32): void {
  const fourValues = local + FOUR_VALUES;
  v128.store(fourValues, finishFour(sums, C));
  for (let i: usize = 0; i < <usize>pixels; i++) {
    const value = load<f32>(fourValues + (i << 2));
    store<f32>(out + (i << 2), value < 0 ? smoeOfColumn(x + ((i * <usize>C) << 2), C) : value);
  }
}

/**
 * Adds activations of one pixel to its sums: `panels` times eight channels that were just stored.
 *
 * @param isFirst whether these are the first of the pixel
 */
export function accumulate(sums: usize, stored: usize, panels: i32, isFirst: bool): void {
  const eps = v128.load32_splat(BITS);
  const mantissaBits = v128.load32_splat(BITS, 4);
  const one = v128.load32_splat(BITS, 8);
  const bias = v128.load32_splat(BITS, 12);
  let sum = f32x4.splat(0);
  let exponents = i32x4.splat(0);
  let mantissas = one;
  if (!isFirst) {
    sum = v128.load(sums);
    exponents = v128.load(sums, 16);
    mantissas = v128.load(sums, 32);
  }
  // The old product is in [1, 2), so the new one is a normal number if all z are in range.
  for (let pairs = panels >> 1; pairs > 0; pairs--, stored += 64) {
    const z0 = shifted(v128.load(stored), eps);
    const z1 = shifted(v128.load(stored, 16), eps);
    const z2 = shifted(v128.load(stored, 32), eps);
    const z3 = shifted(v128.load(stored, 48), eps);
    sum = f32x4.add(f32x4.add(sum, f32x4.add(z0, z1)), f32x4.add(z2, z3));
    const product = f32x4.mul(f32x4.mul(mantissas, f32x4.mul(z0, z1)), f32x4.mul(z2, z3));
    exponents = i32x4.add(exponents, i32x4.sub(i32x4.shr_u(product, 23), bias));
    mantissas = v128.or(v128.and(product, mantissaBits), one);
  }
  if (panels & 1) {
    const z0 = shifted(v128.load(stored), eps);
    const z1 = shifted(v128.load(stored, 16), eps);
    sum = f32x4.add(sum, f32x4.add(z0, z1));
    const product = f32x4.mul(mantissas, f32x4.mul(z0, z1));
    exponents = i32x4.add(exponents, i32x4.sub(i32x4.shr_u(product, 23), bias));
    mantissas = v128.or(v128.and(product, mantissaBits), one);
  }
  v128.store(sums, sum);
  v128.store(sums, exponents, 16);
  v128.store(sums, mantissas, 32);
}

/** z of four activations; a NaN stays. */
function shifted(x: v128, eps: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), eps);
}

/**
 * SMOE Scale of four pixels from their sums, in float32 lanes. A logarithm has a long latency, and four take
 * as long as one. −1 for a column that is out of the tap's range.
 */
function finishFour(sums: usize, C: i32): v128 {
  const sums01 = addPairs(halvesOf(v128.load(sums)), halvesOf(v128.load(sums, 48)));
  const sums23 = addPairs(halvesOf(v128.load(sums, 96)), halvesOf(v128.load(sums, 144)));
  const e01 = addNeighbours(v128.load(sums, 16), v128.load(sums, 64));
  const e23 = addNeighbours(v128.load(sums, 112), v128.load(sums, 160));
  const m01 = multiplyNeighbours(v128.load(sums, 32), v128.load(sums, 80));
  const m23 = multiplyNeighbours(v128.load(sums, 128), v128.load(sums, 176));
  const exponents = addNeighbours(e01, e23);
  const logs = log2OfFloats(multiplyNeighbours(m01, m23));
  const perChannel = f64x2.splat(1.0 / <f64>C);
  const noise = f64x2.splat(<f64>(C + 32) * FLOAT_NOISE);
  const phi01 = smoeOfPair(sums01, exponents, logs, perChannel, noise);
  const phi23 = smoeOfPair(sums23, upperHalf(exponents), upperHalf(logs), perChannel, noise);
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(phi01), f32x4.demote_f64x2_zero(phi23), 0, 2);
}

/**
 * φ of two pixels from their Σz and, in the lower lanes, exponents and logarithms of mantissas.
 *
 * @param perChannel 1/C
 * @param noise rounding error of the difference of the logarithms: if the difference is not larger, φ is 0
 */
function smoeOfPair(sums: v128, exponents: v128, logs: v128, perChannel: v128, noise: v128): v128 {
  const means = f64x2.mul(sums, perChannel);
  const logSums = f64x2.add(f64x2.convert_low_i32x4_s(exponents), f64x2.promote_low_f32x4(logs));
  const bits = f64x2.sub(log2(means), f64x2.mul(logSums, perChannel));
  const isMore = f64x2.gt(bits, noise);
  const phi = v128.and(f64x2.mul(means, bits), isMore);
  // The comparison is false for a NaN, too.
  return v128.bitselect(phi, f64x2.splat(-1), f64x2.lt(sums, f64x2.splat(LARGEST_SUM)));
}

/** The sum of lanes 0 and 2, and of 1 and 3, as doubles. */
function halvesOf(x: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(upperHalf(x)));
}

function addPairs(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}

function addNeighbours(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

function multiplyNeighbours(a: v128, b: v128): v128 {
  return f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
}

/** The formula in double precision, for any column: products of activations of any size. */
function smoeOfColumn(column: usize, C: i32): f32 {
  let sum: f64 = 0;
  let product: f64 = 1;
  let exponents: f64 = 0;
  for (let c = 0; c < C; c++) {
    const x = load<f32>(column + ((<usize>c) << 2));
    const z = <f64>(x < 0 ? 0 : x) + <f64>EPS;
    sum += z;
    product *= z;
    // Powers of two are taken out exactly.
    if (product < 1e-150) {
      product *= TWO_TO_400;
      exponents -= 400;
    } else if (product > 1e150) {
      product /= TWO_TO_400;
      exponents += 400;
    }
  }
  const perChannel = 1.0 / <f64>C;
  const mean = sum * perChannel;
  if (!(product > 0 && mean < Infinity)) return NaN;
  const logs = log2(f64x2.replace_lane(f64x2.splat(mean), 1, product));
  const meanLog = (exponents + f64x2.extract_lane(logs, 1)) * perChannel;
  const bits = f64x2.extract_lane(logs, 0) - meanLog;
  return bits > LOG2_NOISE ? <f32>(mean * bits) : 0;
}

/** Moves lanes 2 and 3 to lanes 0 and 1. */
function upperHalf(x: v128): v128 {
  return v128.shuffle<f64>(x, x, 1, 1);
}

/**
 * The constants of `log2`, eight bytes each. A literal is built from words at every use, for every pixel;
 * loading it from memory makes the tap a quarter faster (measured).
 */
const LOG2 = memory.data<f64>([
  1,
  2 ** 52,
  2 ** 52 + 1023,
  // The bits of sign and exponent, all set.
  -Infinity,
  Math.SQRT2,
  // The lowest bit of the exponent.
  2.2250738585072014e-308,
  // 2/(n·ln 2), n = 11, 9, …, 1.
  2 / (11 * Math.LN2),
  2 / (9 * Math.LN2),
  2 / (7 * Math.LN2),
  2 / (5 * Math.LN2),
  2 / (3 * Math.LN2),
  2 / Math.LN2,
]);

/** The constants of `log2OfFloats`, four bytes each: 1, √2, and 2/(n·ln 2), n = 9, 7, …, 1. */
const LOG2_FLOATS = memory.data<f32>([
  1,
  <f32>Math.SQRT2,
  <f32>(2 / (9 * Math.LN2)),
  <f32>(2 / (7 * Math.LN2)),
  <f32>(2 / (5 * Math.LN2)),
  <f32>(2 / (3 * Math.LN2)),
  <f32>(2 / Math.LN2),
]);

/** log2 of four floats ≥ 1, like `log2`, to t^9. The absolute error is below 1e-7, and φ divides it by C. */
export function log2OfFloats(x: v128): v128 {
  const one = v128.load32_splat(LOG2_FLOATS);
  let m = v128.or(v128.and(x, i32x4.splat(0x007fffff)), one);
  const upper = f32x4.gt(m, v128.load32_splat(LOG2_FLOATS, 4));
  // One less in the exponent halves m.
  m = i32x4.add(m, i32x4.shl(upper, 23));
  const e = i32x4.sub(i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(EXPONENT_BIAS)), upper);
  const t = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const u = f32x4.mul(t, t);
  let series = v128.load32_splat(LOG2_FLOATS, 8);
  series = f32x4.add(f32x4.mul(series, u), v128.load32_splat(LOG2_FLOATS, 12));
  series = f32x4.add(f32x4.mul(series, u), v128.load32_splat(LOG2_FLOATS, 16));
  series = f32x4.add(f32x4.mul(series, u), v128.load32_splat(LOG2_FLOATS, 20));
  series = f32x4.add(f32x4.mul(series, u), v128.load32_splat(LOG2_FLOATS, 24));
  return f32x4.add(f32x4.convert_i32x4_s(e), f32x4.mul(t, series));
}

/**
 * log2 of two normal, positive numbers; NaN stays.
 *
 * Method: x = 2^e·m with m in [√½, √2); log m = 2·artanh t, t = (m − 1)/(m + 1), |t| < 0.1716, by
 * its series to t^11. Absolute error below 3e-11, a thousandth of the error of the float32 sums.
 */
function log2(x: v128): v128 {
  const one = v128.load64_splat(LOG2);
  // The exponent as a float: its bits go into the low bits of 2^52; then 2^52 and the bias are subtracted.
  const biased = v128.or(i64x2.shr_u(x, 52), v128.load64_splat(LOG2, 8));
  let e = f64x2.sub(biased, v128.load64_splat(LOG2, 16));
  let m = v128.or(v128.andnot(x, v128.load64_splat(LOG2, 24)), one);
  const upper = f64x2.gt(m, v128.load64_splat(LOG2, 32));
  m = i64x2.sub(m, v128.and(upper, v128.load64_splat(LOG2, 40)));
  e = f64x2.add(e, v128.and(upper, one));
  const t = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const u = f64x2.mul(t, t);
  let series = v128.load64_splat(LOG2, 48);
  series = f64x2.add(f64x2.mul(series, u), v128.load64_splat(LOG2, 56));
  series = f64x2.add(f64x2.mul(series, u), v128.load64_splat(LOG2, 64));
  series = f64x2.add(f64x2.mul(series, u), v128.load64_splat(LOG2, 72));
  series = f64x2.add(f64x2.mul(series, u), v128.load64_splat(LOG2, 80));
  series = f64x2.add(f64x2.mul(series, u), v128.load64_splat(LOG2, 88));
  return f64x2.add(e, f64x2.mul(t, series));
}
