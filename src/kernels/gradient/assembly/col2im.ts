/** Adds the columns of a matrix product where the taps of a convolution had read its input. */

export function col2im(
  out: usize,
  columns: usize,
  N: i32,
  H: i32,
  W: i32,
  Cin: i32,
  kH: i32,
  kW: i32,
  groups: i32,
  strideY: i32,
  strideX: i32,
  padY: i32,
  padX: i32,
  dilationY: i32,
  dilationX: i32,
  Hout: i32,
  Wout: i32,
): void {
  const CinG = Cin / groups;
  const bytes = (<usize>CinG) << 2;
  const pixelBytes = (<usize>Cin) << 2;
  memory.fill(out, 0, <usize>(N * H * W) * pixelBytes);
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < Hout; oy++) {
      for (let ox = 0; ox < Wout; ox++) {
        for (let group = 0; group < groups; group++) {
          const to = out + <usize>group * bytes;
          for (let ky = 0; ky < kH; ky++) {
            const iy = oy * strideY + ky * dilationY - padY;
            if (iy < 0 || iy >= H) {
              columns += <usize>kW * bytes;
              continue;
            }
            const row = to + <usize>((n * H + iy) * W) * pixelBytes;
            for (let kx = 0; kx < kW; kx++, columns += bytes) {
              const ix = ox * strideX + kx * dilationX - padX;
              if (ix < 0 || ix >= W) continue;
              addTo(row + <usize>ix * pixelBytes, columns, bytes);
            }
          }
        }
      }
    }
  }
}

function addTo(out: usize, x: usize, bytes: usize): void {
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(out + i, f32x4.add(v128.load(out + i), v128.load(x + i)));
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(out + i) + load<f32>(x + i));
}
