/** The gradient of a function that clips, such as ReLU. */

/** @param floor gradients below it become it */
export function clipGradient(
  out: usize,
  gradient: usize,
  y: usize,
  length: i32,
  least: f32,
  most: f32,
  floor: f32,
): void {
  const leasts = f32x4.splat(least);
  const mosts = f32x4.splat(most);
  const floors = f32x4.splat(floor);
  const whole = (<usize>(length & ~3)) << 2;
  for (let i: usize = 0; i < whole; i += 16) {
    const value = v128.load(y + i);
    const passes = v128.and(f32x4.gt(value, leasts), f32x4.lt(value, mosts));
    v128.store(out + i, v128.and(passes, f32x4.max(v128.load(gradient + i), floors)));
  }
  for (let i = whole; i < (<usize>length) << 2; i += 4) {
    const value = load<f32>(y + i);
    const passes = value > least && value < most;
    store<f32>(out + i, passes ? max<f32>(load<f32>(gradient + i), floor) : 0);
  }
}
