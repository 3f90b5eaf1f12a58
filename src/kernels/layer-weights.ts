/**
 * A layer's weights on their way into a backend. The backend asks for a few output channels at a
 * time, decoded to where it wants them, and packs those: a second copy of a network never exists.
 */

import { ShapeError } from '../errors.js';
import type { Precision } from './precision.js';

export interface LayerWeights {
  /** Elements of the weight in all: OIHW, [Cout, Cin/groups, kH, kW]; of a linear layer [Cout, Cin]. */
  readonly length: number;
  /** Writes elements `begin` … `begin + out.length` of the weight to `out`. */
  read(out: Float32Array, begin: number): void;
  /** Called for an element that is not finite: whoever has the weights knows what to call them. */
  refuse(element: number, value: number): never;
  /** [Cout]: what each output channel's weights are multiplied by, as a folded batch norm asks. */
  readonly scale?: Float64Array | undefined;
  /** [Cout] */
  readonly bias: Float32Array;
  /** How a backend keeps them; default `f32`. */
  readonly precision?: Precision;
}

/** Weights that are in an array as they shall be. What is not finite is a `ShapeError`. */
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

/** Looks for an element that is not finite, and has it refused. @param begin of the first in `rows` */
export function refuseNonFinite(weights: LayerWeights, rows: Float32Array, begin: number): void {
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isFinite(rows[i])) weights.refuse(begin + i, rows[i]!);
  }
}
