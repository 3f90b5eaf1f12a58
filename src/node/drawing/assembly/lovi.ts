/**
 * LOVI. The same operations as in ../../../viz/lovi.ts, in the same order and in double precision. So the bytes are the
 * same.
 */

import { mixed, position, Scale, sampleColumns, seek } from '../../../kernels/wasm/assembly/maps';

/** A scale, and its place on the axis of hue: 1 for the first, 0 for the last. */
class LoviScale extends Scale {
  hue: f64 = 0;
}

/**
 * Rows `begin` … `end` − 1 of LOVI's colors, [end − begin, W] RGBA pixels and one more. The region must be the whole
 * picture. The caller asks for rows from top to bottom, beginning with row 0.
 *
 * @param scales addresses of n `LoviScale`s of weight 1
 */
export function lovi(
  out: usize,
  scales: usize,
  n: i32,
  W: i32,
  begin: i32,
  end: i32,
  x: f64,
  y: f64,
  width: f64,
  height: f64,
): void {
  const scalesEnd = scales + ((<usize>n) << 2);
  const rowEnd = (<usize>W) << 3;
  for (let oy = begin; oy < end; oy++, out += (<usize>W) << 2) {
    for (let at = scales; at < scalesEnd; at += 4) {
      const scale = changetype<LoviScale>(load<usize>(at));
      if (oy === 0) sampleColumns(scale, 0, W, x, width);
      seek(scale, position(oy, y, height, scale.h), 0, W);
    }
    for (let at: usize = 0; at < rowEnd; at += 16) {
      v128.store64_lane(out + (at >> 1), loviColors(scales, scalesEnd, n, at), 0);
    }
  }
}

/** Two pixels of LOVI, `at` bytes into the rows of doubles; in the low half. */
function loviColors(scales: usize, scalesEnd: usize, n: i32, at: usize): v128 {
  let moment = f64x2.splat(0);
  let sum = f64x2.splat(0);
  let most = f64x2.splat(0);
  for (let i = scales; i < scalesEnd; i += 4) {
    const scale = changetype<LoviScale>(load<usize>(i));
    const a = f64x2.splat(scale.upperWeight);
    const b = f64x2.splat(scale.lowerWeight);
    const value = clamped(mixed(a, b, v128.load(scale.upper + at), v128.load(scale.lower + at)));
    moment = f64x2.add(moment, f64x2.mul(f64x2.splat(scale.hue), value));
    sum = f64x2.add(sum, value);
    most = f64x2.pmax(most, value);
  }
  const hue = f64x2.div(f64x2.mul(f64x2.splat(5), moment), sum);
  const alone = f64x2.sub(f64x2.splat(<f64>n), f64x2.div(sum, most));
  const saturation = n > 1 ? f64x2.div(alone, f64x2.splat(<f64>(n - 1))) : f64x2.splat(1);
  const chroma = f64x2.mul(saturation, most);
  const red = level(most, chroma, hue);
  const green = level(most, chroma, f64x2.sub(hue, f64x2.splat(2)));
  const blue = level(most, chroma, f64x2.sub(hue, f64x2.splat(4)));
  const rgb = v128.or(red, v128.or(i32x4.shl(green, 8), i32x4.shl(blue, 16)));
  return v128.or(rgb, i32x4.splat(0xff000000));
}

/**
 * A channel of HSV, 0 … 255: value − chroma·trapezium(sextants), as writeHsv of ../../../viz/hsv.ts. Not a number
 * becomes 0: the hue of nothing.
 */
function level(value: v128, chroma: v128, sextants: v128): v128 {
  const away = f64x2.abs(sextants);
  const lacking = clamped(
    f64x2.sub(f64x2.pmin(away, f64x2.sub(f64x2.splat(6), away)), f64x2.splat(1)),
  );
  const share = f64x2.sub(value, f64x2.mul(chroma, lacking));
  const scaled = f64x2.add(f64x2.mul(f64x2.splat(255), share), f64x2.splat(0.5));
  return i32x4.trunc_sat_f64x2_s_zero(scaled);
}

/** Held in [0, 1]; NaN stays. pmin and pmax are one instruction, min and max seven. */
function clamped(x: v128): v128 {
  return f64x2.pmin(f64x2.pmax(x, f64x2.splat(0)), f64x2.splat(1));
}
