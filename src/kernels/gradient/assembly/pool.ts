/** The gradient of max pooling: four channels at a time. */

export function maxPoolGradient(
  out: usize,
  gradient: usize,
  x: usize,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  kH: i32,
  kW: i32,
  strideY: i32,
  strideX: i32,
  padY: i32,
  padX: i32,
  Hout: i32,
  Wout: i32,
): void {
  const pixelBytes = (<usize>C) << 2;
  memory.fill(out, 0, <usize>(N * H * W) * pixelBytes);
  for (let n = 0; n < N; n++) {
    const picture = <usize>(n * H * W) * pixelBytes;
    for (let oy = 0; oy < Hout; oy++) {
      const iy0 = max(0, oy * strideY - padY);
      const iy1 = min(H, oy * strideY - padY + kH);
      for (let ox = 0; ox < Wout; ox++) {
        const ix0 = max(0, ox * strideX - padX);
        const ix1 = min(W, ox * strideX - padX + kW);
        const first = picture + <usize>(iy0 * W + ix0) * pixelBytes;
        scatter(out, gradient, x, first, iy1 - iy0, ix1 - ix0, W, C);
        gradient += pixelBytes;
      }
    }
  }
}

/** One window: each channel's gradient is added at the first of its largest elements. */
function scatter(
  out: usize,
  gradient: usize,
  x: usize,
  first: usize,
  rows: i32,
  columns: i32,
  W: i32,
  C: i32,
): void {
  const pixelBytes = (<usize>C) << 2;
  const down = <usize>(W - columns) * pixelBytes;
  const whole = (<usize>(C & ~3)) << 2;
  for (let c: usize = 0; c < whole; c += 16) {
    let at = first + c;
    let most = f32x4.splat(-Infinity);
    let places = i32x4.splat(<i32>at);
    for (let iy = 0; iy < rows; iy++, at += down) {
      for (let ix = 0; ix < columns; ix++, at += pixelBytes) {
        const value = v128.load(x + at);
        const isMore = f32x4.gt(value, most);
        most = v128.bitselect(value, most, isMore);
        places = v128.bitselect(i32x4.splat(<i32>at), places, isMore);
      }
    }
    const from = gradient + c;
    addAt(out + <usize>(<u32>i32x4.extract_lane(places, 0)), from);
    addAt(out + <usize>(<u32>i32x4.extract_lane(places, 1)) + 4, from + 4);
    addAt(out + <usize>(<u32>i32x4.extract_lane(places, 2)) + 8, from + 8);
    addAt(out + <usize>(<u32>i32x4.extract_lane(places, 3)) + 12, from + 12);
  }
  for (let c = whole; c < pixelBytes; c += 4) {
    let at = first + c;
    let most: f32 = -Infinity;
    let place = at;
    for (let iy = 0; iy < rows; iy++, at += down) {
      for (let ix = 0; ix < columns; ix++, at += pixelBytes) {
        const value = load<f32>(x + at);
        if (value > most) {
          most = value;
          place = at;
        }
      }
    }
    addAt(out + place, gradient + c);
  }
}

function addAt(out: usize, x: usize): void {
  store<f32>(out, load<f32>(out) + load<f32>(x));
}
