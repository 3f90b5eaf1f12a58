/**
 * The work for each pixel of a drawing, four pixels at a time. ../pixels.ts calls it. It is as fast for the first picture
 * of a process as for the last. Pixels are RGBA bytes. Rows may be read and written up to 15 bytes beyond their ends.
 */

export { cross, extremes } from './class-maps';
export { lovi } from './lovi';
export { resizeRows } from './resize';

/** Where memory is free: beyond what the module itself keeps there. */
export function heapBase(): usize {
  return __heap_base;
}

/**
 * The steps of a color map: 255·value, rounded, and 0 for negative values; `colorStep` of ../../../viz/colormap.ts.
 *
 * @param out n bytes
 * @param values n floats
 * @returns the greatest of them and 1, or NaN where one is
 */
export function steps(out: usize, values: usize, n: i32): f32 {
  let most = f32x4.splat(1);
  let isNumber = i32x4.splat(-1);
  const end = out + <usize>n;
  for (; out < end; out += 4, values += 16) {
    const value = v128.load(values);
    isNumber = v128.and(isNumber, f32x4.eq(value, value));
    most = f32x4.pmax(most, value);
    const positive = f32x4.pmax(f32x4.splat(0), value);
    const low = rounded(f64x2.promote_low_f32x4(positive));
    const high = rounded(f64x2.promote_low_f32x4(v128.shuffle<i64>(positive, positive, 1, 1)));
    const whole = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    const halves = i16x8.narrow_i32x4_s(whole, whole);
    v128.store32_lane(out, i8x16.narrow_i16x8_u(halves, halves), 0);
  }
  if (!i32x4.all_true(isNumber)) return NaN;
  const pair = f32x4.pmax(most, v128.shuffle<i64>(most, most, 1, 1));
  return max<f32>(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** 255·value in the low half of each lane: beyond 2^52 numbers are whole. The one tie, 127.5, goes up to 128. */
function rounded(value: v128): v128 {
  return f64x2.add(f64x2.mul(f64x2.splat(255), value), f64x2.splat(4503599627370496.0));
}

/**
 * n pixels, each the mean of a color of the table and a pixel of the picture. Halves are rounded up.
 *
 * @param indices n bytes, of `colors`
 */
export function mix(out: usize, pixels: usize, indices: usize, colors: usize, n: i32): void {
  const end = out + ((<usize>n) << 2);
  for (; out < end; out += 16, pixels += 16, indices += 4) {
    let color = v128.load32_zero(colors + ((<usize>load<u8>(indices)) << 2));
    color = v128.load32_lane(colors + ((<usize>load<u8>(indices, 1)) << 2), color, 1);
    color = v128.load32_lane(colors + ((<usize>load<u8>(indices, 2)) << 2), color, 2);
    color = v128.load32_lane(colors + ((<usize>load<u8>(indices, 3)) << 2), color, 3);
    v128.store(out, i8x16.avgr_u(v128.load(pixels), color));
  }
}

/** PNG's filter Up. */
const UP: u8 = 2;

/**
 * Rows of RGB as PNG stores them: the filter, then the differences to the row above.
 *
 * @param out [rows, 1 + 3·width] bytes
 * @param pixels [1 + rows, width], the row above first
 */
export function rgbDifferences(out: usize, pixels: usize, rows: i32, width: i32): void {
  const rowBytes = (<usize>width) << 2;
  for (let y = 0; y < rows; y++, pixels += rowBytes, out += 3 * <usize>width + 1) {
    store<u8>(out, UP);
    let to = out + 1;
    for (let x: usize = 0; x < rowBytes; x += 16, to += 12) {
      const above = v128.load(pixels + x);
      const rgba = i8x16.sub(v128.load(pixels + rowBytes + x), above);
      v128.store(
        to,
        v128.shuffle<i8>(rgba, rgba, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15),
      );
    }
  }
}

/** The same of rows of bytes, [1 + rows, width] → [rows, 1 + width]. */
export function byteDifferences(out: usize, bytes: usize, rows: i32, width: i32): void {
  for (let y = 0; y < rows; y++, bytes += <usize>width, out += <usize>width + 1) {
    store<u8>(out, UP);
    for (let x: usize = 0; x < <usize>width; x += 16) {
      const above = v128.load(bytes + x);
      v128.store(out + 1 + x, i8x16.sub(v128.load(bytes + <usize>width + x), above));
    }
  }
}

/**
 * Adds a row of pixels to sums.
 *
 * @param sums [width, 4] of 16 bits
 * @param weight of the row: 255 times that of all rows fits
 */
export function addRow(sums: usize, pixels: usize, width: i32, weight: i32): void {
  const weights = i16x8.splat(<i16>weight);
  const end = sums + ((<usize>width) << 3);
  for (; sums < end; sums += 32, pixels += 16) {
    const four = v128.load(pixels);
    const low = i16x8.mul(i16x8.extend_low_i8x16_u(four), weights);
    const high = i16x8.mul(i16x8.extend_high_i8x16_u(four), weights);
    v128.store(sums, i16x8.add(v128.load(sums), low));
    v128.store(sums, i16x8.add(v128.load(sums, 16), high), 16);
  }
}

/**
 * Means along a row of sums, as opaque pixels.
 *
 * @param out [outputs]
 * @param first [outputs], the first sum of each
 * @param weights [outputs, count] floats; of sum 1 for each output of sums that are 1 for white
 */
export function means(
  out: usize,
  sums: usize,
  outputs: i32,
  first: usize,
  weights: usize,
  count: i32,
): void {
  for (let i = 0; i < outputs; i++, out += 4, first += 4) {
    let mean = f32x4.splat(0.5);
    let sum = sums + ((<usize>load<i32>(first)) << 3);
    for (const end = sum + ((<usize>count) << 3); sum < end; sum += 8, weights += 4) {
      const whole = i32x4.extend_low_i16x8_u(v128.load64_zero(sum));
      const weight = v128.load32_splat(weights);
      mean = f32x4.add(mean, f32x4.mul(f32x4.convert_i32x4_u(whole), weight));
    }
    const levels = i32x4.trunc_sat_f32x4_s(mean);
    const halves = i16x8.narrow_i32x4_s(levels, levels);
    const bytes = i8x16.narrow_i16x8_u(halves, halves);
    v128.store32_lane(out, v128.or(bytes, i32x4.splat(0xff000000)), 0);
  }
}
