/**
 * Weights in memory (../../precision.ts): packed into panels as float32, binary16 or 8-bit whole numbers,
 * and widened to float32, a panel at a time, when they are used.
 *
 * Packing takes rows of output channels, as files store them. It makes panels of eight columns, in which the
 * channels of a tap are together, in the order of a gathered pixel.
 */

import { ROW } from './gemm';
import { Conv2dTask } from './task';

export const F32: i32 = 0;
export const F16: i32 = 1;
export const INT8: i32 = 2;

/** The factors that encode the weights of a panel's eight columns. */
const factors = memory.data(32, 16);

/** Bytes of a panel's row, eight weights. */
function rowBytes(precision: i32): usize {
  return ROW >> <usize>precision;
}

/**
 * panel[tap·Cin + ic][j] = rows[j][ic·taps + tap] · scale[j], j < 8; a product is rounded once.
 *
 * @param panel [K, 8] in `precision`
 * @param columnScales [8] floats, for F16 and INT8: widening multiplies the columns by them
 * @param rows [8, K] floats, K = Cin·taps
 * @param scale [8] doubles
 * @returns false when a weight is not finite
 */
export function packPanel(
  precision: i32,
  panel: usize,
  columnScales: usize,
  rows: usize,
  K: i32,
  taps: i32,
  scale: usize,
): bool {
  if (precision === F32) return packFloats(panel, rows, K, taps, scale);
  const bytes = (<usize>K) << 2;
  for (let j: usize = 0; j < 8; j++) {
    const largest = largestOf(rows + j * bytes, bytes);
    if (!(largest < Infinity)) return false;
    const factor = encodingFactor(precision, largest);
    store<f32>(factors + (j << 2), factor);
    // The float that widening makes from the bits of a half is 2^112 times too small.
    const unit: f64 = precision === F16 ? 5.192296858534828e33 : 1;
    const columnScale = (load<f64>(scale + (j << 3)) * unit) / <f64>factor;
    store<f32>(columnScales + (j << 2), <f32>columnScale);
  }
  const f0 = v128.load(factors);
  const f1 = v128.load(factors, 16);
  const step = (<usize>taps) << 2;
  const end = rows + bytes;
  for (let tap = 0; tap < taps; tap++) {
    for (let at = rows + ((<usize>tap) << 2); at < end; at += step) {
      const v0 = f32x4.mul(column(at, bytes), f0);
      const v1 = f32x4.mul(column(at + 4 * bytes, bytes), f1);
      if (precision === F16) {
        v128.store(panel, i16x8.narrow_i32x4_u(halvesOf(v0), halvesOf(v1)));
      } else {
        const words = i16x8.narrow_i32x4_s(wholeOf(v0), wholeOf(v1));
        v128.store64_lane(panel, i8x16.narrow_i16x8_s(words, words), 0);
      }
      panel += rowBytes(precision);
    }
  }
  return true;
}

/** Panel number `index`, [K, 8], as floats: in its place, or widened into scratch. */
export function floatsOf(task: Conv2dTask, index: i32, K: i32): usize {
  return rowsOf(task, index, 1, K, 0, K);
}

/**
 * Rows k … k + `rows` − 1 of `count` panels [K, 8] as floats, starting at number `index`. They are in their
 * place, one panel apart, or widened into scratch, without gaps.
 */
export function rowsOf(task: Conv2dTask, index: i32, count: i32, K: i32, k: i32, rows: i32): usize {
  const bytes = rowBytes(task.precision);
  let from = task.panels + <usize>(index * K + k) * bytes;
  if (task.precision === F32) return from;
  let to = task.widened;
  for (let i = index; i < index + count; i++) {
    widenPanel(task.precision, to, from, task.columnScales + <usize>i * ROW, rows);
    from += <usize>K * bytes;
    to += <usize>rows * ROW;
  }
  return task.widened;
}

/** Widens a panel: to[k][j] = panel[k][j] · columnScales[j]. */
export function widenPanel(
  precision: i32,
  to: usize,
  panel: usize,
  columnScales: usize,
  K: i32,
): void {
  const scale0 = v128.load(columnScales);
  const scale1 = v128.load(columnScales, 16);
  const end = to + <usize>K * ROW;
  if (precision === F16) {
    // Exponent and mantissa of a half, shifted up by thirteen bits, are those of a float. The bits between them and
    // the sign are cleared.
    const kept = i32x4.splat(0x8fffffff);
    for (; to < end; to += ROW, panel += 16) {
      const v0 = v128.and(i32x4.shl(v128.load16x4_s(panel), 13), kept);
      const v1 = v128.and(i32x4.shl(v128.load16x4_s(panel, 8), 13), kept);
      v128.store(to, f32x4.mul(v0, scale0));
      v128.store(to, f32x4.mul(v1, scale1), 16);
    }
  } else {
    for (; to < end; to += ROW, panel += 8) {
      const words = v128.load8x8_s(panel);
      const v0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words));
      const v1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words));
      v128.store(to, f32x4.mul(v0, scale0));
      v128.store(to, f32x4.mul(v1, scale1), 16);
    }
  }
}

function packFloats(panel: usize, rows: usize, K: i32, taps: i32, scale: usize): bool {
  const bytes = (<usize>K) << 2;
  const step = (<usize>taps) << 2;
  const scale01 = v128.load(scale);
  const scale23 = v128.load(scale, 16);
  const scale45 = v128.load(scale, 32);
  const scale67 = v128.load(scale, 48);
  const end = rows + bytes;
  // Σ (v − v) is 0 if every v is finite, else NaN.
  let nan = f32x4.splat(0);
  for (let tap = 0; tap < taps; tap++) {
    for (let at = rows + ((<usize>tap) << 2); at < end; at += step) {
      const v0 = scaled(column(at, bytes), scale01, scale23);
      const v1 = scaled(column(at + 4 * bytes, bytes), scale45, scale67);
      v128.store(panel, v0);
      v128.store(panel, v1, 16);
      nan = f32x4.add(nan, f32x4.add(f32x4.sub(v0, v0), f32x4.sub(v1, v1)));
      panel += ROW;
    }
  }
  return !v128.any_true(nan);
}

/** Loads four floats that are `bytes` apart. */
function column(at: usize, bytes: usize): v128 {
  const low = v128.load32_lane(at + bytes, v128.load32_zero(at), 1);
  return v128.load32_lane(at + 3 * bytes, v128.load32_lane(at + 2 * bytes, low, 2), 3);
}

/** Four floats times four doubles. */
function scaled(v: v128, scale01: v128, scale23: v128): v128 {
  const upper = v128.shuffle<f64>(v, v, 1, 1);
  const products01 = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(v), scale01));
  const products23 = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(upper), scale23));
  return v128.shuffle<f64>(products01, products23, 0, 2);
}

/** max |x| of `bytes` bytes of floats; NaN if one of them is NaN. */
function largestOf(x: usize, bytes: usize): f32 {
  let most = f32x4.splat(0);
  const end = x + bytes;
  for (const vectors = x + (bytes & ~15); x < vectors; x += 16) {
    most = f32x4.max(most, f32x4.abs(v128.load(x)));
  }
  let largest = max<f32>(
    max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; x < end; x += 4) largest = max<f32>(largest, abs<f32>(load<f32>(x)));
  return largest;
}

/** `encodingFactor` of ../../precision.ts. */
function encodingFactor(precision: i32, largest: f32): f32 {
  if (largest === 0) return 1;
  if (precision === INT8) return 127 / largest;
  // Biased exponents: 14 for 2^14, minus the exponent of the largest.
  const exponent = 127 + 14 + 127 - <i32>(reinterpret<u32>(largest) >> 23);
  return reinterpret<f32>(min(exponent, 254) << 23);
}

/** Bits of the nearest binary16, ties to even; 0 below 2^-14. */
function halvesOf(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff)), odd);
  const half = i32x4.sub(i32x4.shr_u(rounded, 13), i32x4.splat(112 << 10));
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000));
  const isNormal = i32x4.ge_s(magnitude, i32x4.splat(113 << 23));
  return v128.and(v128.or(half, sign), isNormal);
}

/** The nearest whole numbers. */
function wholeOf(x: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}
