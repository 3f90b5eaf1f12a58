/** Operators on columns (../../js/columns.ts), four channels at a time, with the same roundings. */

/** @param vectors [2, width]: scale, then shift */
export function affine(
  out: usize,
  x: usize,
  vectors: usize,
  pixels: i32,
  C: i32,
  width: i32,
  begin: i32,
  least: f32,
  most: f32,
): void {
  const floors = f32x4.splat(least);
  const ceilings = f32x4.splat(most);
  const scale = vectors + ((<usize>begin) << 2);
  const toShift = (<usize>width) << 2;
  const whole = (<usize>(C & ~3)) << 2;
  const bytes = (<usize>C) << 2;
  out += (<usize>begin) << 2;
  for (let p = 0; p < pixels; p++) {
    for (let c: usize = 0; c < whole; c += 16) {
      const product = f32x4.mul(v128.load(x + c), v128.load(scale + c));
      const value = f32x4.add(product, v128.load(scale + toShift + c));
      v128.store(out + c, f32x4.pmin(f32x4.pmax(value, floors), ceilings));
    }
    for (let c = whole; c < bytes; c += 4) {
      const value = load<f32>(x + c) * load<f32>(scale + c) + load<f32>(scale + toShift + c);
      store<f32>(out + c, clipped(value, least, most));
    }
    x += bytes;
    out += toShift;
  }
}

export function concat(out: usize, x: usize, pixels: i32, C: i32, width: i32, begin: i32): void {
  const bytes = (<usize>C) << 2;
  out += (<usize>begin) << 2;
  for (let p = 0; p < pixels; p++) {
    memory.copy(out, x, bytes);
    x += bytes;
    out += (<usize>width) << 2;
  }
}

export function add(out: usize, a: usize, b: usize, length: i32, least: f32, most: f32): void {
  const floors = f32x4.splat(least);
  const ceilings = f32x4.splat(most);
  const whole = (<usize>(length & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    const value = f32x4.add(v128.load(a + i), v128.load(b + i));
    v128.store(out + i, f32x4.pmin(f32x4.pmax(value, floors), ceilings));
  }
  for (let i = whole; i < (<usize>length) << 2; i += 4) {
    const value = load<f32>(a + i) + load<f32>(b + i);
    store<f32>(out + i, clipped(value, least, most));
  }
}

/** A NaN stays. */
function clipped(value: f32, least: f32, most: f32): f32 {
  if (value < least) return least;
  return value > most ? most : value;
}

/** @param factor [N, C] */
export function mul(out: usize, x: usize, factor: usize, N: i32, pixels: i32, C: i32): void {
  const bytes = (<usize>C) << 2;
  const whole = bytes & ~15;
  for (let n = 0; n < N; n++) {
    for (let p = 0; p < pixels; p++) {
      for (let c: usize = 0; c < whole; c += 16) {
        v128.store(out + c, f32x4.mul(v128.load(x + c), v128.load(factor + c)));
      }
      for (let c = whole; c < bytes; c += 4) {
        store<f32>(out + c, load<f32>(x + c) * load<f32>(factor + c));
      }
      x += bytes;
      out += bytes;
    }
    factor += bytes;
  }
}
