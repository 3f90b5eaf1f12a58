/**
 * SMOE Scale of columns: φ = μ·(log2 μ − mean log2 z), z = x + 1e-7 (../../statistics/smoe.ts has the
 * formula and the reference).
 *
 * The tap keeps three vectors a pixel: Σz, and the exponents and mantissas of Πz; lane i holds
 * channels i, i + 4, … . Each visit multiplies two z into a lane and takes the exponent out of the
 * product, so that it stays in [1, 2): no logarithm is taken before the column is complete. A pair's
 * product stays in range while z < 4e18; a column with a larger sum is computed by the formula.
 *
 * Σz is rounded as float32 C/8 times in each lane, which takes up to C·2⁻²⁸ of it where all roundings
 * go one way, as those of a constant column do. What is within that is a constant column: φ = 0.
 */

/** Bytes of a pixel's sums: three vectors. */
export const SUMS_BYTES: usize = 48;

const EPS: f32 = 1e-7;
const EXPONENT_BIAS: f64 = 127;
const TWO_TO_400: f64 = 2.5822498780869086e120;
const LARGEST_SUM: f64 = 4.0e18;
/** Of a difference of logarithms: for each channel summed as float32, and of log2 in doubles. */
const FLOAT_NOISE: f64 = 7.450580596923828e-9; // 2^-27
const LOG2_NOISE: f64 = 1.1641532182693481e-10; // 2^-33

/** Readies the sums of a block's pixels. */
export function clearSums(sums: usize, pixels: i32): void {
  const end = sums + <usize>pixels * SUMS_BYTES;
  for (let p = sums; p < end; p += SUMS_BYTES) {
    v128.store(p, f32x4.splat(0));
    v128.store(p, i32x4.splat(0), 16);
    v128.store(p, f32x4.splat(1), 32);
  }
}

/** Adds activations of one pixel, `panels` times eight channels that were just stored, to its sums. */
export function accumulate(sums: usize, stored: usize, panels: i32): void {
  const eps = f32x4.splat(EPS);
  let sum = v128.load(sums);
  let exponents = v128.load(sums, 16);
  let mantissas = v128.load(sums, 32);
  for (const end = stored + ((<usize>panels) << 5); stored < end; stored += 32) {
    const z0 = f32x4.add(v128.load(stored), eps);
    const z1 = f32x4.add(v128.load(stored, 16), eps);
    sum = f32x4.add(sum, f32x4.add(z0, z1));
    // The old product lies in [1, 2), so this one is normal wherever z0·z1 is.
    const product = f32x4.mul(mantissas, f32x4.mul(z0, z1));
    exponents = i32x4.add(exponents, i32x4.shr_u(product, 23));
    const mantissa = v128.and(product, i32x4.splat(0x007fffff));
    mantissas = v128.or(mantissa, i32x4.splat(0x3f800000));
  }
  v128.store(sums, sum);
  v128.store(sums, exponents, 16);
  v128.store(sums, mantissas, 32);
}

/**
 * SMOE Scale of a pixel from its sums.
 *
 * @param column address of its C stored activations, for a column out of the tap's range
 */
export function finishSums(sums: usize, column: usize, C: i32): f32 {
  const s = v128.load(sums);
  const s2 = f64x2.add(f64x2.promote_low_f32x4(s), f64x2.promote_low_f32x4(upperHalf(s)));
  const sum = f64x2.extract_lane(s2, 0) + f64x2.extract_lane(s2, 1);
  // Also true for a NaN.
  if (!(sum < LARGEST_SUM)) return smoeOfColumn(column, C);
  const e = v128.load(sums, 16);
  const e2 = i32x4.add(e, upperHalf(e));
  const exponents = i32x4.extract_lane(e2, 0) + i32x4.extract_lane(e2, 1);
  const m = v128.load(sums, 32);
  const m2 = f64x2.mul(f64x2.promote_low_f32x4(m), f64x2.promote_low_f32x4(upperHalf(m)));
  const mantissas = f64x2.extract_lane(m2, 0) * f64x2.extract_lane(m2, 1);
  // Each lane took one exponent, with its bias, for every eight channels.
  const unbiased = <f64>exponents - EXPONENT_BIAS * <f64>(C >> 1);
  return smoeFromSums(sum, unbiased, mantissas, C, <f64>(C + 32) * FLOAT_NOISE);
}

/** The formula in double precision, for any column: products of activations of any size. */
export function smoeOfColumn(column: usize, C: i32): f32 {
  let sum: f64 = 0;
  let product: f64 = 1;
  let exponents: f64 = 0;
  for (let c = 0; c < C; c++) {
    const z = <f64>load<f32>(column + ((<usize>c) << 2)) + <f64>EPS;
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
  return smoeFromSums(sum, exponents, product, C, LOG2_NOISE);
}

/**
 * φ = mean·(log2 mean − logSum/C) from Σz, and Σlog2 z = exponents + log2 rest.
 *
 * @param noise what rounding can make of the difference of the logarithms: within it φ is 0
 */
function smoeFromSums(sum: f64, exponents: f64, rest: f64, C: i32, noise: f64): f32 {
  const perChannel = 1.0 / <f64>C;
  const mean = sum * perChannel;
  if (!(rest > 0 && mean < Infinity)) return NaN;
  const logs = log2(f64x2.replace_lane(f64x2.splat(mean), 1, rest));
  const meanLog = (exponents + f64x2.extract_lane(logs, 1)) * perChannel;
  const bits = f64x2.extract_lane(logs, 0) - meanLog;
  return bits > noise ? <f32>(mean * bits) : 0;
}

/** Lanes 2 and 3 in the place of 0 and 1. */
function upperHalf(x: v128): v128 {
  return v128.shuffle<f64>(x, x, 1, 1);
}

/**
 * The constants of `log2`, eight bytes each. A literal is put together from words wherever it is used,
 * for every pixel; loading it takes a quarter off the tap (measured).
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

/**
 * log2 of two normal, positive numbers; NaN stays.
 *
 * Method: x = 2^e·m with m in [√½, √2); log m = 2·artanh t, t = (m − 1)/(m + 1), |t| < 0.1716, by
 * its series to t^11. Absolute error below 3e-11, a thousandth of what float32 sums leave unknown.
 */
function log2(x: v128): v128 {
  const one = v128.load64_splat(LOG2);
  // The exponent as a float: its bits below those of 2^52, less 2^52 and the bias.
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
