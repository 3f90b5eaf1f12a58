/**
 * SMOE Scale of columns: φ = μ·(log2 μ − mean log2 z), z = x + 1e-7 (../../statistics/smoe.ts has the
 * formula and the reference).
 *
 * The tap keeps three vectors a pixel: Σz, and the exponents and mantissas of Πz; lane i holds
 * channels i, i + 4, … . Each visit multiplies two z into a lane and takes the exponent out of the
 * product, so that it stays in [1, 2): no logarithm is taken before the column is complete. A pair's
 * product stays in range while z < 4e18; a column with a larger sum is computed by the formula.
 */

/** Bytes of a pixel's sums: three vectors. */
export const SUMS_BYTES: usize = 48;

const EPS: f32 = 1e-7;
const EXPONENT_BIAS: f64 = 127;
const TWO_TO_400: f64 = 2.5822498780869086e120;
const LARGEST_SUM: f64 = 4.0e18;

/** Readies the sums of a block's pixels. */
export function clearSums(sums: usize, pixels: i32): void {
  const end = sums + <usize>pixels * SUMS_BYTES;
  for (let p = sums; p < end; p += SUMS_BYTES) {
    v128.store(p, f32x4.splat(0));
    v128.store(p, i32x4.splat(0), 16);
    v128.store(p, f32x4.splat(1), 32);
  }
}

/** Adds eight activations of one pixel to its sums. */
export function accumulate(sums: usize, v0: v128, v1: v128): void {
  const eps = f32x4.splat(EPS);
  const z0 = f32x4.add(v0, eps);
  const z1 = f32x4.add(v1, eps);
  v128.store(sums, f32x4.add(v128.load(sums), f32x4.add(z0, z1)));
  // The old product lies in [1, 2), so this one is normal wherever z0·z1 is.
  const product = f32x4.mul(v128.load(sums, 32), f32x4.mul(z0, z1));
  v128.store(sums, i32x4.add(v128.load(sums, 16), i32x4.shr_u(product, 23)), 16);
  const mantissa = v128.and(product, i32x4.splat(0x007fffff));
  v128.store(sums, v128.or(mantissa, i32x4.splat(0x3f800000)), 32);
}

/**
 * SMOE Scale of a pixel from its sums.
 *
 * @param column address of its C stored activations, for a column out of the tap's range
 */
export function finishSums(sums: usize, column: usize, C: i32): f32 {
  const s = v128.load(sums);
  const sum =
    <f64>f32x4.extract_lane(s, 0) +
    <f64>f32x4.extract_lane(s, 1) +
    <f64>f32x4.extract_lane(s, 2) +
    <f64>f32x4.extract_lane(s, 3);
  // Also true for a NaN.
  if (!(sum < LARGEST_SUM)) return smoeOfColumn(column, C);
  const e = v128.load(sums, 16);
  const exponents =
    i32x4.extract_lane(e, 0) +
    i32x4.extract_lane(e, 1) +
    i32x4.extract_lane(e, 2) +
    i32x4.extract_lane(e, 3);
  const m = v128.load(sums, 32);
  const mantissas =
    <f64>f32x4.extract_lane(m, 0) *
    <f64>f32x4.extract_lane(m, 1) *
    <f64>f32x4.extract_lane(m, 2) *
    <f64>f32x4.extract_lane(m, 3);
  // Each lane took one exponent, with its bias, for every eight channels.
  const unbiased = <f64>exponents - EXPONENT_BIAS * <f64>(C >> 1);
  return smoeFromSums(sum, unbiased, mantissas, C);
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
  return smoeFromSums(sum, exponents, product, C);
}

/** φ = mean·(log2 mean − logSum/C) from Σz, and Σlog2 z = exponents + log2 rest. */
function smoeFromSums(sum: f64, exponents: f64, rest: f64, C: i32): f32 {
  const mean = sum / <f64>C;
  if (!(rest > 0 && mean < Infinity)) return NaN;
  const logs = log2(f64x2.replace_lane(f64x2.splat(mean), 1, rest));
  const meanLog = (exponents + f64x2.extract_lane(logs, 1)) / <f64>C;
  return <f32>max<f64>(0, mean * (f64x2.extract_lane(logs, 0) - meanLog));
}

/**
 * log2 of two normal, positive numbers; NaN stays.
 *
 * Method: x = 2^e·m with m in [√½, √2); log m = 2·artanh t, t = (m − 1)/(m + 1), |t| < 0.1716, by
 * its series to t^13. Absolute error below 1e-13.
 */
function log2(x: v128): v128 {
  const one = f64x2.splat(1);
  // The exponent as a float: its bits below those of 2^52, less 2^52 and the bias.
  const biased = v128.or(i64x2.shr_u(x, 52), f64x2.splat(4503599627370496));
  let e = f64x2.sub(biased, f64x2.splat(4503599627370496 + 1023));
  let m = v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), one);
  const upper = f64x2.gt(m, f64x2.splat(Math.SQRT2));
  m = v128.bitselect(f64x2.mul(m, f64x2.splat(0.5)), m, upper);
  e = f64x2.add(e, v128.and(upper, one));
  const t = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const u = f64x2.mul(t, t);
  let series = f64x2.splat(1.0 / 13);
  series = f64x2.add(f64x2.mul(series, u), f64x2.splat(1.0 / 11));
  series = f64x2.add(f64x2.mul(series, u), f64x2.splat(1.0 / 9));
  series = f64x2.add(f64x2.mul(series, u), f64x2.splat(1.0 / 7));
  series = f64x2.add(f64x2.mul(series, u), f64x2.splat(1.0 / 5));
  series = f64x2.add(f64x2.mul(series, u), f64x2.splat(1.0 / 3));
  series = f64x2.add(f64x2.mul(series, u), one);
  // 2/ln 2
  return f64x2.add(e, f64x2.mul(f64x2.mul(t, series), f64x2.splat(2.8853900817779268)));
}
