/**
 * Saliency maps: the same as `normalizeGaussian` and `combineMaps` of ../../../viz, operation by operation
 * in double precision, so that the results have the same bits.
 */

/** A map, and two of its rows stretched to the picture's width. `sumUpsampled` of ../maps.ts writes the fields. */
export class Scale {
  /** [h, w] floats, w ≥ 2. */
  data: usize = 0;
  h: i32 = 0;
  w: i32 = 0;
  /** Scratch of W + 1 words: for each picture pixel, the offset in bytes of the map pixel to its left. */
  index: usize = 0;
  /** Scratch of 2·(W + 1) doubles: the shares of this map pixel and of the next one. */
  shares: usize = 0;
  /** Scratch of W + 7 doubles each: map row `iy`, and the next row, at the picture's width. */
  upper: usize = 0;
  lower: usize = 0;
  iy: i32 = 0;
  weight: f64 = 0;
  /** Weights of the two rows at the height of the picture row. */
  upperWeight: f64 = 0;
  lowerWeight: f64 = 0;
}

/** Half the range of the table, and its nodes in a unit: ../../normal-cdf.ts. */
const LIMIT: f64 = 8;
const NODES_PER_UNIT: f64 = 16;

/**
 * Φ((x − mean)/sd) of n values, in place.
 *
 * @param table `normalCdfTable()`
 * @returns false for values outside of the table; then x is partly overwritten
 */
export function normalizeGaussian(x: usize, n: i32, table: usize): bool {
  const end = x + ((<usize>n) << 2);
  let first = x;
  while (first < end && F32.isNaN(load<f32>(first))) first += 4;
  const pivot: f64 = first < end ? <f64>load<f32>(first) : NaN;
  let count = 0;
  let sum: f64 = 0;
  for (let at = x; at < end; at += 4) {
    const deviation = <f64>load<f32>(at) - pivot;
    if (F64.isNaN(deviation)) continue;
    sum += deviation;
    count++;
  }
  const shift = sum / <f64>count;
  let squares: f64 = 0;
  for (let at = x; at < end; at += 4) {
    const deviation = <f64>load<f32>(at) - pivot - shift;
    if (!F64.isNaN(deviation)) squares += deviation * deviation;
  }
  if (squares === 0) {
    for (let at = x; at < end; at += 4) if (!F32.isNaN(load<f32>(at))) store<f32>(at, 0.5);
    return true;
  }
  const scale = Math.sqrt(<f64>(count - 1) / squares);
  for (let at = x; at < end; at += 4) {
    const z = (<f64>load<f32>(at) - pivot - shift) * scale;
    if (abs(z) < LIMIT) store<f32>(at, <f32>normalCdf(table, z));
    else if (F64.isNaN(z)) store<f32>(at, NaN);
    else return false;
  }
  return true;
}

function normalCdf(table: usize, z: f64): f64 {
  // Rounds to the nearest node. Adding 2^52 puts the whole number into the lowest bits of the double.
  const whole = Math.floor(z * NODES_PER_UNIT + (LIMIT * NODES_PER_UNIT + 0.5));
  const node = <i32>reinterpret<i64>(whole + 4503599627370496.0);
  const d = z - (whole / NODES_PER_UNIT - LIMIT);
  const at = table + ((<usize>node) << 6);
  let sum = load<f64>(at, 56);
  sum = sum * d + load<f64>(at, 48);
  sum = sum * d + load<f64>(at, 40);
  sum = sum * d + load<f64>(at, 32);
  sum = sum * d + load<f64>(at, 24);
  sum = sum * d + load<f64>(at, 16);
  sum = sum * d + load<f64>(at, 8);
  return sum * d + load<f64>(at);
}

/**
 * Rows `begin` … `end` − 1 of Σ weight·up(map), [end − begin, W] floats and up to seven more; NaN outside
 * of the region. Call it from top to bottom, starting with row 0.
 *
 * @param scales addresses of n `Scale`s
 */
export function sumUpsampled(
  out: usize,
  scales: usize,
  n: i32,
  H: i32,
  W: i32,
  begin: i32,
  end: i32,
  x: f64,
  y: f64,
  width: f64,
  height: f64,
): void {
  const top = firstCovered(y, H);
  const bottom = lastCovered(y, height, H, top);
  const left = firstCovered(x, W);
  const right = lastCovered(x, width, W, left);
  const scalesEnd = scales + ((<usize>n) << 2);
  if (begin === 0) {
    for (let at = scales; at < scalesEnd; at += 4) {
      sampleColumns(changetype<Scale>(load<usize>(at)), left, right, x, width);
    }
  }
  for (let oy = begin; oy < end; oy++, out += (<usize>W) << 2) {
    if (oy < top || oy >= bottom) {
      fillWithNaN(out, 0, W);
      continue;
    }
    for (let at = scales; at < scalesEnd; at += 4) {
      const scale = changetype<Scale>(load<usize>(at));
      seek(scale, position(oy, y, height, scale.h), left, right);
    }
    sumRow(out, scales, scalesEnd, left, right);
    fillWithNaN(out, 0, left);
    fillWithNaN(out, right, W);
  }
}

/** One row of the sum, eight pixels at a time. */
function sumRow(out: usize, scales: usize, scalesEnd: usize, left: i32, right: i32): void {
  const end = (<usize>right) << 3;
  for (let at = (<usize>left) << 3; at < end; at += 64) {
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let sum2 = f64x2.splat(0);
    let sum3 = f64x2.splat(0);
    for (let i = scales; i < scalesEnd; i += 4) {
      const scale = changetype<Scale>(load<usize>(i));
      const upper = scale.upper + at;
      const lower = scale.lower + at;
      const a = f64x2.splat(scale.upperWeight);
      const b = f64x2.splat(scale.lowerWeight);
      sum0 = f64x2.add(sum0, mixed(a, b, v128.load(upper), v128.load(lower)));
      sum1 = f64x2.add(sum1, mixed(a, b, v128.load(upper, 16), v128.load(lower, 16)));
      sum2 = f64x2.add(sum2, mixed(a, b, v128.load(upper, 32), v128.load(lower, 32)));
      sum3 = f64x2.add(sum3, mixed(a, b, v128.load(upper, 48), v128.load(lower, 48)));
    }
    v128.store(out + (at >> 1), floats(sum0, sum1));
    v128.store(out + (at >> 1), floats(sum2, sum3), 16);
  }
}

export function mixed(a: v128, b: v128, upper: v128, lower: v128): v128 {
  return f64x2.add(f64x2.mul(a, upper), f64x2.mul(b, lower));
}

function floats(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Sets `upper` and `lower` to the map rows above and below height `u`, and computes their weights. */
export function seek(scale: Scale, u: f64, left: i32, right: i32): void {
  const iy = max(min(<i32>u, scale.h - 2), 0);
  const t = u - <f64>iy;
  scale.upperWeight = scale.weight * (1 - t);
  scale.lowerWeight = scale.weight * t;
  if (iy === scale.iy) return;
  const upper = scale.upper;
  if (iy === scale.iy + 1) {
    scale.upper = scale.lower;
    scale.lower = upper;
  } else stretch(scale, upper, iy, left, right);
  stretch(scale, scale.lower, min(iy + 1, scale.h - 1), left, right);
  scale.iy = iy;
}

/** Map row `iy` at the picture's width, two pixels at a time. */
function stretch(scale: Scale, out: usize, iy: i32, left: i32, right: i32): void {
  const data = scale.data + ((<usize>(iy * scale.w)) << 2);
  const end = out + ((<usize>right) << 3);
  let index = scale.index + ((<usize>left) << 2);
  let shares = scale.shares + ((<usize>left) << 4);
  for (let to = out + ((<usize>left) << 3); to < end; to += 16) {
    const first = neighbours(data + load<usize>(index), shares);
    const second = neighbours(data + load<usize>(index, 4), shares + 16);
    const uppers = v128.shuffle<f64>(first, second, 0, 2);
    v128.store(to, f64x2.add(uppers, v128.shuffle<f64>(first, second, 1, 3)));
    index += 8;
    shares += 32;
  }
}

/** A map pixel and the next one, each multiplied by its share. */
function neighbours(at: usize, shares: usize): v128 {
  return f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(at)), v128.load(shares));
}

/** Where the picture's columns are between the map's columns; and one more, because columns are read in pairs. */
export function sampleColumns(scale: Scale, left: i32, right: i32, start: f64, extent: f64): void {
  for (let ox = left; ox <= right; ox++) {
    const u = position(ox, start, extent, scale.w);
    const ix = max(min(<i32>u, scale.w - 2), 0);
    const t = u - <f64>ix;
    store<i32>(scale.index + ((<usize>ox) << 2), ix << 2);
    const shares = scale.shares + ((<usize>ox) << 4);
    store<f64>(shares, 1 - t);
    store<f64>(shares, t, 8);
  }
  scale.iy = -2;
}

/** The position of pixel o of the picture in a map of n pixels. */
export function position(o: i32, start: f64, extent: f64, n: i32): f64 {
  const u = ((<f64>o + 0.5 - start) * <f64>n) / extent - 0.5;
  return max<f64>(0, min<f64>(<f64>(n - 1), u));
}

function firstCovered(start: f64, extent: i32): i32 {
  return <i32>max<f64>(0, min<f64>(<f64>extent, Math.ceil(start - 0.5)));
}

function lastCovered(start: f64, length: f64, extent: i32, first: i32): i32 {
  return <i32>max<f64>(<f64>first, min<f64>(<f64>extent, Math.ceil(start + length - 0.5)));
}

function fillWithNaN(out: usize, left: i32, right: i32): void {
  // All bits set.
  memory.fill(out + ((<usize>left) << 2), 0xff, (<usize>(right - left)) << 2);
}
