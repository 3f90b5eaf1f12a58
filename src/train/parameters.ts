/** Weights that are trained: their values, and how one step of gradient descent changes them. */

import { FormatError } from '../errors.js';
import type { Conv2dWeightShape } from '../kernels/operators.js';
import { checkFloats } from '../model/formats/dtype.js';
import {
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
} from '../model/formats/tensor-source.js';
import type { Conv } from '../model/graph/operators/conv.js';

/** One tensor that is trained. */
export interface Parameter {
  /** The tensor's name. */
  readonly name: string;
  /** In the layout of its gradient: a convolution's weight is [kH, kW, Cin/groups, Cout]. */
  readonly values: Float32Array;
  readonly velocity: Float32Array;
}

export interface Descent {
  readonly learningRate: number;
  /** How much of the velocity is left after a step: v ← momentum·v + gradient + weightDecay·w, w ← w − rate·v. */
  readonly momentum: number;
  readonly weightDecay: number;
}

export function parameter(name: string, values: Float32Array): Parameter {
  return { name, values, velocity: new Float32Array(values.length) };
}

/**
 * One step of stochastic gradient descent with momentum, as PyTorch computes it.
 *
 * @param gradients of the loss, one array for each use of the tensor; they are added
 */
export function descend(
  { values, velocity }: Parameter,
  gradients: readonly Float32Array[],
  { learningRate, momentum, weightDecay }: Descent,
): void {
  for (let i = 0; i < values.length; i++) {
    let gradient = weightDecay * values[i]!;
    for (let j = 0; j < gradients.length; j++) gradient += gradients[j]![i]!;
    velocity[i] = momentum * velocity[i]! + gradient;
    values[i]! -= learningRate * velocity[i]!;
  }
}

/** A tensor's values. @throws {FormatError} if it has no floats */
export function readTensor(source: TensorSource, name: string): Float32Array {
  const { dtype, shape } = source.tensors.get(name)!;
  checkFloats(source.name, name, dtype);
  const values = new Float32Array(sizeOf(shape));
  source.readInto(values, name, 0);
  return values;
}

/** A convolution's weight as [kH, kW, Cin/groups, Cout]. @throws {FormatError} if it is made of whole numbers or lengths */
export function readWeight(
  source: TensorSource,
  { weight, magnitude, extents }: Conv,
): Float32Array {
  if (magnitude !== undefined || source.tensors.has(scaleName(weight.name))) {
    throw new FormatError(
      `${source.name}: tensor ${weight.name} cannot be trained: save it as floats, without weight norm`,
    );
  }
  return rearranged(readTensor(source, weight.name), extents, 'hwio');
}

/** A weight as the file has it, [Cout, Cin/groups, kH, kW]. */
export function fileOrder(values: Float32Array, extents: Conv2dWeightShape): Float32Array {
  return rearranged(values, extents, 'oihw');
}

function rearranged(
  values: Float32Array,
  { Cin, Cout, kH, kW, groups }: Conv2dWeightShape,
  to: 'oihw' | 'hwio',
): Float32Array {
  const out = new Float32Array(values.length);
  const CinG = Cin / groups;
  const taps = kH * kW;
  for (let oc = 0; oc < Cout; oc++) {
    for (let ic = 0; ic < CinG; ic++) {
      for (let tap = 0; tap < taps; tap++) {
        const oihw = (oc * CinG + ic) * taps + tap;
        const hwio = (tap * CinG + ic) * Cout + oc;
        if (to === 'hwio') out[hwio] = values[oihw]!;
        else out[oihw] = values[hwio]!;
      }
    }
  }
  return out;
}

/** The weights of a file, with those that were trained in their place, as float32. */
export function trainedSource(
  source: TensorSource,
  trained: ReadonlyMap<string, Float32Array>,
): TensorSource {
  const tensors = new Map<string, TensorShape>(source.tensors);
  for (const name of trained.keys()) {
    tensors.set(name, { dtype: 'F32', shape: source.tensors.get(name)!.shape });
  }
  return {
    ...{ name: source.name, metadata: source.metadata, tensors },
    readInto(out, tensor, begin) {
      const values = trained.get(tensor);
      if (values) out.set(values.subarray(begin, begin + out.length));
      else source.readInto(out, tensor, begin);
    },
  };
}
