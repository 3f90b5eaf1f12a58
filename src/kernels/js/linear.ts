/**
 * Fully connected layer: out[n, oc] = bias[oc] + Σ_ic x[n, ic] · weight[oc, ic]. It is a
 * two-thousandth of a ResNet-50, so the formula's loops are the fast path too; sums are doubles.
 */

import { ShapeError } from '../../errors.js';
import type { PackedLinear } from '../kernels.js';

/** Weights as files store them. */
export interface JsLinear extends PackedLinear {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** @param weight [Cout, Cin], kept; @param bias [Cout], kept; @throws {ShapeError} */
export function packLinear(
  Cin: number,
  Cout: number,
  weight: Float32Array,
  bias: Float32Array,
): JsLinear {
  checkLinear(Cin, Cout, weight, bias);
  return {
    weight,
    bias,
    bytes: weight.byteLength + bias.byteLength,
    row(out, oc) {
      for (let ic = 0; ic < Cin; ic++) out[ic] = weight[oc * Cin + ic]!;
    },
  };
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

/** @throws {ShapeError} when a length does not fit */
export function checkLinear(
  Cin: number,
  Cout: number,
  weight: Float32Array,
  bias: Float32Array,
): void {
  if (weight.length !== Cout * Cin || bias.length !== Cout) {
    throw new ShapeError(
      `linear: weight and bias expected lengths ${Cout * Cin} and ${Cout} for [${Cout}, ${Cin}], got ${weight.length} and ${bias.length}`,
    );
  }
}
