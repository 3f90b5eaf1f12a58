/**
 * The gradient of a convolution's weights, 4 input by 8 output channels at a time, with their sums in registers:
 *
 *            8 output channels
 *   x  ic₀ ─▶ ┌────┬────┐       each step takes one pixel: four values of x, splatted, times two vectors of the
 *      ic₁ ─▶ │    │    │       gradient
 *      ic₂ ─▶ │    │    │
 *      ic₃ ─▶ └────┴────┘
 *
 * All tiles of a block of rows are computed before the next block, so that the block stays in the second-level cache; the
 * sums of a tile are added to what the blocks before left in `out`. Float32 sums: error ≤ N·H·W·2⁻²⁴·Σ|terms|, in
 * practice far less.
 */

/** Bytes of x and gradient in a block of rows. */
const BLOCK_BYTES: i32 = 1 << 17;

// The convolution of the call. A module runs one call at a time.
let H: i32 = 0;
let W: i32 = 0;
let Cin: i32 = 0;
let Cout: i32 = 0;
let strideY: i32 = 0;
let strideX: i32 = 0;
let padY: i32 = 0;
let padX: i32 = 0;
let dilationY: i32 = 0;
let dilationX: i32 = 0;
let Hout: i32 = 0;
let Wout: i32 = 0;

/**
 * @param out [kH, kW, Cin/groups, Cout], overwritten
 * @param x [N, H, W, Cin]
 * @param g [N, Hout, Wout, Cout]
 */
export function weightGradient(
  out: usize,
  x: usize,
  g: usize,
  N: i32,
  height: i32,
  width: i32,
  channels: i32,
  outputs: i32,
  kH: i32,
  kW: i32,
  groups: i32,
  downBy: i32,
  rightBy: i32,
  top: i32,
  left: i32,
  dilatedY: i32,
  dilatedX: i32,
  heightOut: i32,
  widthOut: i32,
): void {
  H = height;
  W = width;
  Cin = channels;
  Cout = outputs;
  strideY = downBy;
  strideX = rightBy;
  padY = top;
  padX = left;
  dilationY = dilatedY;
  dilationX = dilatedX;
  Hout = heightOut;
  Wout = widthOut;
  const CinG = Cin / groups;
  const CoutG = Cout / groups;
  memory.fill(out, 0, (<usize>(kH * kW * CinG * Cout)) << 2);
  const rowBytes = (W * strideY * Cin + Wout * Cout) << 2;
  const block = max(1, BLOCK_BYTES / rowBytes);
  const rows = N * Hout;
  for (let begin = 0; begin < rows; begin += block) {
    const end = min(begin + block, rows);
    for (let tap = 0; tap < kH * kW; tap++) {
      const ky = tap / kW;
      const to = out + ((<usize>(tap * CinG * Cout)) << 2);
      for (let group = 0; group < groups; group++) {
        const xGroup = x + ((<usize>(group * CinG)) << 2);
        const offset = (<usize>(group * CoutG)) << 2;
        groupGradient(to + offset, xGroup, g + offset, CinG, CoutG, ky, tap - ky * kW, begin, end);
      }
    }
  }
}

/** One tap and one group of a block: tiles of 4×8, then what is left over, value by value. */
function groupGradient(
  out: usize,
  x: usize,
  g: usize,
  CinG: i32,
  CoutG: i32,
  ky: i32,
  kx: i32,
  begin: i32,
  end: i32,
): void {
  const wholeIn = CinG & ~3;
  const wholeOut = CoutG & ~7;
  for (let oc = 0; oc < CoutG; oc += oc < wholeOut ? 8 : 1) {
    const gOwn = g + ((<usize>oc) << 2);
    for (let ic = 0; ic < CinG; ) {
      const to = out + ((<usize>(ic * Cout + oc)) << 2);
      const xOwn = x + ((<usize>ic) << 2);
      if (oc < wholeOut && ic < wholeIn) {
        tile4x8(to, xOwn, gOwn, ky, kx, begin, end);
        ic += 4;
      } else if (oc < wholeOut) {
        tile1x8(to, xOwn, gOwn, ky, kx, begin, end);
        ic++;
      } else {
        tile1x1(to, xOwn, gOwn, ky, kx, begin, end);
        ic++;
      }
    }
  }
}

/** The first output column whose input is inside the picture. */
function firstColumn(kx: i32): i32 {
  const before = padX - kx * dilationX;
  return before <= 0 ? 0 : (before + strideX - 1) / strideX;
}

/** The output column behind the last one whose input is inside. */
function endColumn(kx: i32): i32 {
  const last = W - 1 + padX - kx * dilationX;
  return last < 0 ? 0 : min(Wout, last / strideX + 1);
}

function tile4x8(out: usize, x: usize, g: usize, ky: i32, kx: i32, begin: i32, end: i32): void {
  const oxBegin = firstColumn(kx);
  const count = endColumn(kx) - oxBegin;
  if (count <= 0) return;
  const xStep = (<usize>(strideX * Cin)) << 2;
  const gStep = (<usize>Cout) << 2;
  const gRowStep = <usize>Wout * gStep;
  const pictureStep = (<usize>(H * W * Cin)) << 2;
  // Where the inputs of the first row and column are.
  const above = ky * dilationY - padY;
  const left = oxBegin * strideX - padX + kx * dilationX;
  const row1 = out + gStep;
  const row2 = row1 + gStep;
  const row3 = row2 + gStep;
  let s0a = v128.load(out);
  let s0b = v128.load(out, 16);
  let s1a = v128.load(row1);
  let s1b = v128.load(row1, 16);
  let s2a = v128.load(row2);
  let s2b = v128.load(row2, 16);
  let s3a = v128.load(row3);
  let s3b = v128.load(row3, 16);
  let oy = begin % Hout;
  let iy = oy * strideY + above;
  let picture = x + ((<usize>((begin / Hout) * H * W * Cin + left * Cin)) << 2);
  let gRow = g + <usize>(begin * Wout + oxBegin) * gStep;
  for (let row = begin; row < end; row++, gRow += gRowStep) {
    let xPtr = picture + ((<usize>(iy * W * Cin)) << 2);
    const isInside = iy >= 0 && iy < H;
    iy += strideY;
    if (++oy === Hout) {
      oy = 0;
      iy = above;
      picture += pictureStep;
    }
    if (!isInside) continue;
    let gPtr = gRow;
    const gEnd = gPtr + <usize>count * gStep;
    for (; gPtr < gEnd; gPtr += gStep, xPtr += xStep) {
      const ga = v128.load(gPtr);
      const gb = v128.load(gPtr, 16);
      const x0 = v128.load32_splat(xPtr);
      s0a = f32x4.add(s0a, f32x4.mul(x0, ga));
      s0b = f32x4.add(s0b, f32x4.mul(x0, gb));
      const x1 = v128.load32_splat(xPtr, 4);
      s1a = f32x4.add(s1a, f32x4.mul(x1, ga));
      s1b = f32x4.add(s1b, f32x4.mul(x1, gb));
      const x2 = v128.load32_splat(xPtr, 8);
      s2a = f32x4.add(s2a, f32x4.mul(x2, ga));
      s2b = f32x4.add(s2b, f32x4.mul(x2, gb));
      const x3 = v128.load32_splat(xPtr, 12);
      s3a = f32x4.add(s3a, f32x4.mul(x3, ga));
      s3b = f32x4.add(s3b, f32x4.mul(x3, gb));
    }
  }
  v128.store(out, s0a);
  v128.store(out, s0b, 16);
  v128.store(row1, s1a);
  v128.store(row1, s1b, 16);
  v128.store(row2, s2a);
  v128.store(row2, s2b, 16);
  v128.store(row3, s3a);
  v128.store(row3, s3b, 16);
}

function tile1x8(out: usize, x: usize, g: usize, ky: i32, kx: i32, begin: i32, end: i32): void {
  const oxBegin = firstColumn(kx);
  const count = endColumn(kx) - oxBegin;
  if (count <= 0) return;
  const xStep = (<usize>(strideX * Cin)) << 2;
  const gStep = (<usize>Cout) << 2;
  const gRowStep = <usize>Wout * gStep;
  const pictureStep = (<usize>(H * W * Cin)) << 2;
  // Where the inputs of the first row and column are.
  const above = ky * dilationY - padY;
  const left = oxBegin * strideX - padX + kx * dilationX;
  let sa = v128.load(out);
  let sb = v128.load(out, 16);
  let oy = begin % Hout;
  let iy = oy * strideY + above;
  let picture = x + ((<usize>((begin / Hout) * H * W * Cin + left * Cin)) << 2);
  let gRow = g + <usize>(begin * Wout + oxBegin) * gStep;
  for (let row = begin; row < end; row++, gRow += gRowStep) {
    let xPtr = picture + ((<usize>(iy * W * Cin)) << 2);
    const isInside = iy >= 0 && iy < H;
    iy += strideY;
    if (++oy === Hout) {
      oy = 0;
      iy = above;
      picture += pictureStep;
    }
    if (!isInside) continue;
    let gPtr = gRow;
    const gEnd = gPtr + <usize>count * gStep;
    for (; gPtr < gEnd; gPtr += gStep, xPtr += xStep) {
      const value = v128.load32_splat(xPtr);
      sa = f32x4.add(sa, f32x4.mul(value, v128.load(gPtr)));
      sb = f32x4.add(sb, f32x4.mul(value, v128.load(gPtr, 16)));
    }
  }
  v128.store(out, sa);
  v128.store(out, sb, 16);
}

function tile1x1(out: usize, x: usize, g: usize, ky: i32, kx: i32, begin: i32, end: i32): void {
  const oxBegin = firstColumn(kx);
  const count = endColumn(kx) - oxBegin;
  if (count <= 0) return;
  const xStep = (<usize>(strideX * Cin)) << 2;
  const gStep = (<usize>Cout) << 2;
  const gRowStep = <usize>Wout * gStep;
  const pictureStep = (<usize>(H * W * Cin)) << 2;
  // Where the inputs of the first row and column are.
  const above = ky * dilationY - padY;
  const left = oxBegin * strideX - padX + kx * dilationX;
  let sum = load<f32>(out);
  let oy = begin % Hout;
  let iy = oy * strideY + above;
  let picture = x + ((<usize>((begin / Hout) * H * W * Cin + left * Cin)) << 2);
  let gRow = g + <usize>(begin * Wout + oxBegin) * gStep;
  for (let row = begin; row < end; row++, gRow += gRowStep) {
    let xPtr = picture + ((<usize>(iy * W * Cin)) << 2);
    const isInside = iy >= 0 && iy < H;
    iy += strideY;
    if (++oy === Hout) {
      oy = 0;
      iy = above;
      picture += pictureStep;
    }
    if (!isInside) continue;
    let gPtr = gRow;
    const gEnd = gPtr + <usize>count * gStep;
    for (; gPtr < gEnd; gPtr += gStep, xPtr += xStep) sum += load<f32>(xPtr) * load<f32>(gPtr);
  }
  store<f32>(out, sum);
}
