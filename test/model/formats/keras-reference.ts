/**
 * ResNet v1 as Keras writes it, as loops in double precision: convolutions with a bias, HWIO, the first
 * 1×1 of a block strides, batch norm with eps 1.001e-5. An oracle that shares no line with the library.
 */

import type { Tensors } from '../../weight-namings.js';

const EPS = 1.001e-5;

interface Activation {
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly data: Float64Array;
}

/** @param depths blocks of each stage @param image [H, W, 3] @returns the logits */
export function kerasLogits(
  weights: Tensors,
  depths: readonly number[],
  { H, W, data }: { H: number; W: number; data: Float32Array },
): Float64Array {
  const image = { H, W, C: 3, data: Float64Array.from(data) };
  const layer = (name: string, x: Activation, stride: number, padding: number): Activation =>
    batchNorm(weights, `${name}_bn`, conv(weights, `${name}_conv`, x, stride, padding));
  let x = maxPool(relu(layer('conv1', image, 2, 3)));
  depths.forEach((depth, s) => {
    for (let b = 1; b <= depth; b++) {
      const name = `conv${s + 2}_block${b}`;
      const stride = s > 0 && b === 1 ? 2 : 1;
      const shortcut = b === 1 ? layer(`${name}_0`, x, stride, 0) : x;
      const first = relu(layer(`${name}_1`, x, stride, 0));
      const second = relu(layer(`${name}_2`, first, 1, 1));
      const third = layer(`${name}_3`, second, 1, 0);
      x = relu({ ...third, data: third.data.map((v, i) => v + shortcut.data[i]!) });
    }
  });
  const { shape, data: kernel } = weights['predictions/kernel']!;
  const [C, classes] = shape as [number, number];
  const pixels = x.H * x.W;
  return Float64Array.from({ length: classes }, (_, k) => {
    let sum = weights['predictions/bias']!.data[k]!;
    x.data.forEach((v, i) => {
      sum += (v / pixels) * kernel[(i % C) * classes + k]!;
    });
    return sum;
  });
}

function conv(
  weights: Tensors,
  name: string,
  x: Activation,
  stride: number,
  padding: number,
): Activation {
  const { shape, data: kernel } = weights[`${name}/kernel`]!;
  const bias = weights[`${name}/bias`]!.data;
  const [kH, kW, I, O] = shape as [number, number, number, number];
  const H = Math.floor((x.H + 2 * padding - kH) / stride) + 1;
  const W = Math.floor((x.W + 2 * padding - kW) / stride) + 1;
  const data = new Float64Array(H * W * O);
  for (let i = 0; i < data.length; i++) {
    const [o, ox, oy] = [i % O, Math.floor(i / O) % W, Math.floor(i / O / W)];
    let sum = bias[o]!;
    for (let ky = 0; ky < kH; ky++) {
      for (let kx = 0; kx < kW; kx++) {
        const [iy, ix] = [oy * stride + ky - padding, ox * stride + kx - padding];
        if (iy < 0 || iy >= x.H || ix < 0 || ix >= x.W) continue;
        for (let c = 0; c < I; c++) {
          sum += x.data[(iy * x.W + ix) * I + c]! * kernel[((ky * kW + kx) * I + c) * O + o]!;
        }
      }
    }
    data[i] = sum;
  }
  return { H, W, C: O, data };
}

function batchNorm(weights: Tensors, name: string, x: Activation): Activation {
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
    (part) => weights[`${name}/${part}`]!.data,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const normalise = (v: number, c: number): number =>
    ((v - mean[c]!) / Math.sqrt(variance[c]! + EPS)) * gamma[c]! + beta[c]!;
  return { ...x, data: x.data.map((v, i) => normalise(v, i % x.C)) };
}

const relu = (x: Activation): Activation => ({ ...x, data: x.data.map((v) => Math.max(v, 0)) });

/** 3×3, stride 2, zeros around: what goes in is ≥ 0. */
function maxPool(x: Activation): Activation {
  const [H, W] = [Math.floor((x.H - 1) / 2) + 1, Math.floor((x.W - 1) / 2) + 1];
  const data = new Float64Array(H * W * x.C);
  for (let i = 0; i < data.length; i++) {
    const [c, ox, oy] = [i % x.C, Math.floor(i / x.C) % W, Math.floor(i / x.C / W)];
    for (let iy = Math.max(0, 2 * oy - 1); iy <= Math.min(x.H - 1, 2 * oy + 1); iy++) {
      for (let ix = Math.max(0, 2 * ox - 1); ix <= Math.min(x.W - 1, 2 * ox + 1); ix++) {
        data[i] = Math.max(data[i]!, x.data[(iy * x.W + ix) * x.C + c]!);
      }
    }
  }
  return { H, W, C: x.C, data };
}
