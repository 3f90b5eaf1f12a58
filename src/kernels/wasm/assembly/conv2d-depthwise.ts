/**
 * Depthwise convolution: each output channel reads one input channel.
 *
 * Rows of the input are copied into a band: a ring of as many rows as the kernel spans, with zeros at both ends.
 * So no pixel has to check for the border, and every pixel's channels are whole vectors. Four pixels of an output
 * row are computed together, four channels at a time, so that each weight is loaded once for four products:
 *
 *   band    0 0 │ x x x x x x x │ 0 0 0        kH rows
 *             └─┴─┴─┴─┴─┘
 *   out           y y y y                      four pixels, all channels
 *
 * 3×3 and 5×5 at stride 1 load each input once for all of its products. Weights are packed like those of a
 * convolution with one input channel: [⌈Cout/8⌉, kH·kW, 8].
 */

import { finishesPixels, finishPixels } from './epilogue';
import { ROW } from './gemm';
import { local, SOME } from './local';
import { rowsOf } from './precision';
import { copyFloats, madd } from './simd';
import { Conv2dTask } from './task';

export function conv2dDepthwise(task: Conv2dTask): void {
  const K = task.kH * task.kW;
  const weights = rowsOf(task, 0, (task.Cout + 7) / 8, K, 0, K);
  const span = (task.kH - 1) * task.dilationY + 1;
  const rowBytes = <usize>task.block * pixelBytes(task);
  memory.fill(task.a, 0, <usize>span * rowBytes);
  let m = 0;
  for (let n = 0; n < task.N; n++) {
    let next = 0;
    for (let oy = 0; oy < task.Hout; oy++) {
      const iy0 = oy * task.strideY - task.padY;
      const end = min(iy0 + span, task.H);
      for (next = max(next, iy0); next < end; next++) {
        copyRow(task, n * task.H + next, task.a + <usize>(next % span) * rowBytes);
      }
      // Taps above and below the picture are left out.
      let row = task.rows;
      let skipped = 0;
      for (let ky = 0; ky < task.kH; ky++) {
        const iy = iy0 + ky * task.dilationY;
        if (iy < 0) skipped++;
        else if (iy < task.H) {
          store<usize>(row, task.a + <usize>(iy % span) * rowBytes);
          row += 4;
        }
      }
      const w = weights + <usize>(skipped * task.kW) * ROW;
      computeRow(task, m, w, row);
      if (finishesPixels(task)) finishPixels(task, m, task.Wout);
      m += task.Wout;
    }
  }
}

/** Bytes of a pixel of the band: whole vectors. */
function pixelBytes(task: Conv2dTask): usize {
  return (<usize>((task.Cout + 3) & ~3)) << 2;
}

/** Copies row number `line` of x into a row of the band; each channel as many times as outputs read it. */
function copyRow(task: Conv2dTask, line: i32, to: usize): void {
  const Cin = task.Cin;
  const bytes = pixelBytes(task);
  const width = min(task.W, task.block - task.padX);
  let from = task.x + ((<usize>(line * task.W * Cin)) << 2);
  to += <usize>task.padX * bytes;
  if (bytes === (<usize>Cin) << 2) {
    if (width > 0) memory.copy(to, from, <usize>width * bytes);
    return;
  }
  const times = task.Cout / Cin;
  for (let ix = 0; ix < width; ix++) {
    for (let oc = 0; oc < task.Cout; oc++) {
      store<f32>(to + ((<usize>oc) << 2), load<f32>(from + ((<usize>(oc / times)) << 2)));
    }
    from += (<usize>Cin) << 2;
    to += bytes;
  }
}

/**
 * One row of output pixels, starting at number `m`.
 *
 * @param w the weights of the first tap
 * @param end the end of the table of the band's rows that the taps read
 */
function computeRow(task: Conv2dTask, m: i32, w: usize, end: usize): void {
  const outBytes = (<usize>task.Cout) << 2;
  const step = <usize>task.strideX * pixelBytes(task);
  let column: usize = 0;
  let offset = <usize>m * outBytes;
  for (let ox = 0; ox < task.Wout; ox += 4) {
    fourPixels(task, column, w, end, offset, min(4, task.Wout - ox));
    column += 4 * step;
    offset += 4 * outBytes;
  }
}

/**
 * Computes all channels of four pixels and stores the first `count` pixels.
 *
 * @param column position of the first pixel's first tap in a row of the band
 * @param offset bytes of the first pixel from the beginning of `out`
 */
function fourPixels(
  task: Conv2dTask,
  column: usize,
  w: usize,
  end: usize,
  offset: usize,
  count: i32,
): void {
  const bytes = pixelBytes(task);
  const step = <usize>task.strideX * bytes;
  const step2 = step + step;
  const step3 = step2 + step;
  const tap = <usize>task.dilationX * bytes;
  const panelBytes = <usize>(task.kH * task.kW) * ROW;
  const outBytes = (<usize>task.Cout) << 2;
  const least = f32x4.splat(task.least);
  const most = f32x4.splat(task.most);
  const isUnit = task.strideX === 1 && task.dilationX === 1;
  const isFive = isUnit && task.kW === 5;
  const shares = isFive || (isUnit && task.kW === 3);
  for (let c: usize = 0; c < outBytes; c += 16) {
    let b = w + (c >> 5) * panelBytes + (c & 16);
    const bias = v128.load(task.bias + c);
    let v0 = bias;
    let v1 = bias;
    let v2 = bias;
    let v3 = bias;
    for (let row = task.rows; row < end; row += 4) {
      let at = load<usize>(row) + column + c;
      if (!shares) {
        for (const last = b + <usize>task.kW * ROW; b < last; b += ROW, at += tap) {
          const b0 = v128.load(b);
          v0 = madd(v128.load(at), b0, v0);
          v1 = madd(v128.load(at + step), b0, v1);
          v2 = madd(v128.load(at + step2), b0, v2);
          v3 = madd(v128.load(at + step3), b0, v3);
        }
      } else {
        // Input ix is multiplied by tap ix − p for pixel p.
        const b0 = v128.load(b);
        const b1 = v128.load(b, 32);
        const b2 = v128.load(b, 64);
        let x = v128.load(at);
        v0 = madd(x, b0, v0);
        x = v128.load(at + step);
        v0 = madd(x, b1, v0);
        v1 = madd(x, b0, v1);
        x = v128.load(at + step2);
        v0 = madd(x, b2, v0);
        v1 = madd(x, b1, v1);
        v2 = madd(x, b0, v2);
        x = v128.load(at + step3);
        v1 = madd(x, b2, v1);
        v2 = madd(x, b1, v2);
        v3 = madd(x, b0, v3);
        at += step2 + step2;
        const x4 = v128.load(at);
        const x5 = v128.load(at + step);
        v2 = madd(x4, b2, v2);
        v3 = madd(x4, b1, v3);
        v3 = madd(x5, b2, v3);
        if (isFive) {
          const b3 = v128.load(b, 96);
          const b4 = v128.load(b, 128);
          v0 = madd(x, b3, v0);
          v0 = madd(x4, b4, v0);
          v1 = madd(x4, b3, v1);
          v1 = madd(x5, b4, v1);
          v2 = madd(x5, b3, v2);
          x = v128.load(at + step2);
          v2 = madd(x, b4, v2);
          v3 = madd(x, b3, v3);
          v3 = madd(v128.load(at + step3), b4, v3);
          b += 2 * ROW;
        }
        b += 3 * ROW;
      }
    }
    const out = task.out + offset + c;
    if (task.residual) {
      const residual = task.residual + offset + c;
      v0 = f32x4.add(v0, v128.load(residual));
      v1 = f32x4.add(v1, v128.load(residual + outBytes));
      v2 = f32x4.add(v2, v128.load(residual + 2 * outBytes));
      v3 = f32x4.add(v3, v128.load(residual + 3 * outBytes));
    }
    v0 = f32x4.pmin(f32x4.pmax(v0, least), most);
    v1 = f32x4.pmin(f32x4.pmax(v1, least), most);
    v2 = f32x4.pmin(f32x4.pmax(v2, least), most);
    v3 = f32x4.pmin(f32x4.pmax(v3, least), most);
    if (count === 4 && c + 16 <= outBytes) {
      v128.store(out, v0);
      v128.store(out + outBytes, v1);
      v128.store(out + 2 * outBytes, v2);
      v128.store(out + 3 * outBytes, v3);
    } else {
      const some = local + SOME;
      v128.store(some, v0);
      v128.store(some, v1, 16);
      v128.store(some, v2, 32);
      v128.store(some, v3, 48);
      for (let p: usize = 0; p < <usize>count; p++) {
        copyFloats(out + p * outBytes, some + (p << 4), min(16, outBytes - c));
      }
    }
  }
}
