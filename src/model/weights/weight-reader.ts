/**
 * From named tensors to layers: every tensor of a network checked by name and shape, batch norm and
 * biases folded, nothing left over.
 */

import { FormatError } from '../../errors.js';
import type { LayerWeights } from '../../kernels/index.js';
import { type ConvolutionSpec, convolutionsOf, type Layers } from '../architecture.js';
import { batchNormEpsOf } from './metadata.js';
import { sizeOf, type TensorSource } from './tensor-source.js';

export type ExpectedTensor = readonly [name: string, shape: readonly number[]];

/** The tensors that a network cannot do without. */
export function requiredTensors(layers: Layers): ExpectedTensor[] {
  const { name, Cin, Cout } = layers.fc;
  return [
    ...convolutionsOf(layers).flatMap(tensorsOf),
    [`${name}.weight`, [Cout, Cin]],
    [`${name}.bias`, [Cout]],
  ];
}

/** The tensors that it may have: torchvision's convolutions have no bias, Keras' have. */
export function optionalTensors(layers: Layers): ExpectedTensor[] {
  return convolutionsOf(layers).map(({ name, Cout }) => [`${name}.bias`, [Cout]]);
}

/** The tensors of a convolution and of its batch norm. */
function tensorsOf(spec: ConvolutionSpec): ExpectedTensor[] {
  const { name, batchNorm, Cin, Cout, kernel, groups } = spec;
  return [
    [`${name}.weight`, [Cout, Cin / groups, kernel, kernel]],
    [`${batchNorm}.weight`, [Cout]],
    [`${batchNorm}.bias`, [Cout]],
    [`${batchNorm}.running_mean`, [Cout]],
    [`${batchNorm}.running_var`, [Cout]],
  ];
}

/**
 * Checks a state dict against a network.
 *
 * @returns the tensors that the network uses, in the order of its forward pass
 * @throws {FormatError} naming the tensor that is missing, of another shape, or of another network
 */
export function checkTensors(source: TensorSource, layers: Layers): ExpectedTensor[] {
  const { name, tensors } = source;
  const optional = optionalTensors(layers).filter(([tensor]) => tensors.has(tensor));
  const used = [...requiredTensors(layers), ...optional];
  for (const [tensor, shape] of used) {
    const info = tensors.get(tensor);
    if (!info) throw new FormatError(`${name}: tensor ${tensor} is missing`);
    if (`${info.shape}` !== `${shape}`) {
      throw new FormatError(`${name}: tensor ${tensor} expected [${shape}], got [${info.shape}]`);
    }
  }
  const known = new Set(used.map(([tensor]) => tensor));
  // Training's step counter has no part in inference.
  const others = [...tensors.keys()].filter(
    (tensor) => !known.has(tensor) && !tensor.endsWith('.num_batches_tracked'),
  );
  if (others.length > 0) {
    throw new FormatError(
      `${name}: ${others.length} unexpected tensors, the first is ${others[0]}`,
    );
  }
  return used;
}

/** Reads tensors whose names and shapes `checkTensors` has checked. */
export class WeightReader {
  readonly #source: TensorSource;
  readonly #eps: number;

  constructor(source: TensorSource) {
    this.#source = source;
    this.#eps = batchNormEpsOf(source);
  }

  /**
   * A convolution's weights with its batch norm and, where it has one, its own bias b folded in:
   * w′ = w·γ/√(variance + eps), b′ = β − (mean − b)·γ/√(variance + eps).
   */
  convolution({ name, batchNorm, Cout }: ConvolutionSpec): LayerWeights {
    const gamma = this.#vector(`${batchNorm}.weight`);
    const beta = this.#vector(`${batchNorm}.bias`);
    const mean = this.#vector(`${batchNorm}.running_mean`);
    const variance = this.#vector(`${batchNorm}.running_var`);
    const own = this.#source.tensors.has(`${name}.bias`)
      ? this.#vector(`${name}.bias`)
      : new Float32Array(Cout);
    const scale = new Float64Array(Cout);
    const bias = new Float32Array(Cout);
    for (let oc = 0; oc < Cout; oc++) {
      if (variance[oc]! < 0) {
        throw new FormatError(
          `${this.#source.name}: tensor ${batchNorm}.running_var has ${variance[oc]} at element ${oc}`,
        );
      }
      scale[oc] = gamma[oc]! / Math.sqrt(variance[oc]! + this.#eps);
      bias[oc] = beta[oc]! - (mean[oc]! - own[oc]!) * scale[oc]!;
    }
    return { ...this.#weight(`${name}.weight`), scale, bias };
  }

  /** A linear layer's weights. */
  linear(name: string): LayerWeights {
    return { ...this.#weight(`${name}.weight`), bias: this.#vector(`${name}.bias`) };
  }

  #weight(tensor: string): Omit<LayerWeights, 'bias'> {
    const { name, tensors } = this.#source;
    return {
      length: sizeOf(tensors.get(tensor)!.shape),
      read: (out, begin) => this.#source.readInto(out, tensor, begin),
      refuse(element, value) {
        throw new FormatError(`${name}: tensor ${tensor} has ${value} at element ${element}`);
      },
    };
  }

  #vector(tensor: string): Float32Array {
    const { length, read, refuse } = this.#weight(tensor);
    const out = new Float32Array(length);
    read(out, 0);
    const bad = out.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) refuse(bad, out[bad]!);
    return out;
  }
}
