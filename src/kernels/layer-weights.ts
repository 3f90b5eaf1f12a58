/**
 * A layer's weights, as a backend reads them. The backend asks for a few output channels at a time, which
 * are decoded into its own buffer, and packs them. So there is never a second copy of a network.
 */

import { ShapeError } from '../errors.js';
import type { Precision } from './precision.js';

export interface LayerWeights {
  /** Number of elements of the weight: OIHW, [Cout, Cin/groups, kH, kW]; [Cout, Cin] for a linear layer. */
  readonly length: number;
  /** Writes elements `begin` … `begin + out.length` of the weight to `out`. */
  read(out: Float32Array, begin: number): void;
  /** Called for an element that is not finite. It throws an error that names the weights. */
  refuse(element: number, value: number): never;
  /** [Cout]: each output channel's weights are multiplied by this factor; for a folded batch norm. */
  readonly scale?: Float64Array | undefined;
  /** [Cout] */
  readonly bias: Float32Array;
  /** How a backend keeps them; default `f32`. */
  readonly precision?: Precision;
}

/** Weights from an array, used unchanged. An element that is not finite gives a `ShapeError`. */
export function layerWeights(weight: Float32Array, bias: Float32Array): LayerWeights {
  return {
    length: weight.length,
    read: (out, begin) => out.set(weight.subarray(begin, begin + out.length)),
    refuse(element, value) {
      throw new ShapeError(`weight has ${value} at element ${element}`);
    },
    bias,
  };
}

/**
 * @param shape of the weight, output channels first
 * @throws {ShapeError} in the name of `operation`, when a length does not fit the shape
 */
export function checkLayerWeights(
  operation: string,
  shape: readonly number[],
  { length, scale, bias }: LayerWeights,
): void {
  const expected = shape.reduce((product, extent) => product * extent, 1);
  if (length !== expected) {
    throw new ShapeError(
      `${operation}: weight expected length ${expected} for [${shape.join(', ')}], got ${length}`,
    );
  }
  for (const [name, array] of Object.entries({ scale, bias })) {
    if (array !== undefined && array.length !== shape[0]) {
      throw new ShapeError(
        `${operation}: ${name} expected length ${shape[0]}, got ${array.length}`,
      );
    }
  }
}

/** Calls `refuse` for an element that is not finite. @param begin index in the weight of the first of `rows` */
export function refuseNonFinite(weights: LayerWeights, rows: Float32Array, begin: number): void {
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isFinite(rows[i])) weights.refuse(begin + i, rows[i]!);
  }
}
