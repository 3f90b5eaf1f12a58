/**
 * Fully connected layer: out[n, oc] = bias[oc] + Σ_ic x[n, ic] · weight[oc, ic]. It is a
 * two-thousandth of a ResNet-50, so the formula's loops are the fast path too; sums are doubles.
 */

import type { PackedLinear } from '../kernels.js';
import { checkLayerWeights, type LayerWeights, refuseNonFinite } from '../layer-weights.js';
import { type Precision, STORAGE } from '../precision.js';

/** Weights as files store them. */
export interface JsLinear extends PackedLinear {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Reads the weights, [Cout, Cin], as they are. @throws {ShapeError} when a length does not fit */
export function packLinear(Cin: number, Cout: number, weights: LayerWeights): JsLinear {
  checkLayerWeights('linear', [Cout, Cin], weights);
  const { scale, bias } = weights;
  const weight = new Float32Array(weights.length);
  weights.read(weight, 0);
  refuseNonFinite(weights, weight, 0);
  if (scale) for (let i = 0; i < weight.length; i++) weight[i]! *= scale[Math.floor(i / Cin)]!;
  return {
    weight,
    bias,
    bytes: weight.byteLength + bias.byteLength,
    row(out, oc) {
      for (let ic = 0; ic < Cin; ic++) out[ic] = weight[oc * Cin + ic]!;
    },
  };
}

/** Bytes of the weights that `packLinear` reads, with their bias and scales. */
export function packedLinearBytes(Cin: number, Cout: number, precision: Precision = 'f32'): number {
  const { weightBytes, scaleBytes } = STORAGE[precision];
  return Cout * (weightBytes * Cin + 4 + scaleBytes);
}

/** @param out [N, Cout], overwritten; @param x [N, Cin] */
export function linear(
  out: Float32Array,
  x: Float32Array,
  { weight, bias }: JsLinear,
  N: number,
  Cin: number,
  Cout: number,
): void {
  for (let n = 0; n < N; n++) {
    for (let oc = 0; oc < Cout; oc++) {
      const row = oc * Cin;
      let sum = bias[oc]!;
      for (let ic = 0; ic < Cin; ic++) sum += x[n * Cin + ic]! * weight[row + ic]!;
      out[n * Cout + oc] = sum;
    }
  }
}
