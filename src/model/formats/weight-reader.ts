/**
 * From named tensors to layers: every tensor of a network checked by name and shape, batch norm and
 * biases folded, nothing left over.
 */

import { FormatError, inFile } from '../../errors.js';
import type { LayerWeights } from '../../kernels/index.js';
import { type ConvolutionSpec, convolutionsOf, type Layers } from '../architecture.js';
import { checkFloats, checkWeights, SCALED_DTYPE } from './dtype.js';
import { batchNormEpsOf } from './metadata.js';
import { scaledName, scaleName, sizeOf, type TensorSource } from './tensor-source.js';

export type ExpectedTensor = readonly [name: string, shape: readonly number[]];

/** The tensors of a network by the key of their layer's weights, in the order of the forward pass. */
export type LayerTensors = ReadonlyMap<string, readonly ExpectedTensor[]>;

/**
 * Checks a state dict against a network.
 *
 * @returns the tensors that the network uses; a layer's weight is the first of it
 * @throws {FormatError} naming the tensor that is missing, of another shape or dtype, or of another network
 */
export function checkLayers(source: TensorSource, layers: Layers): LayerTensors {
  const { name, tensors } = source;
  const used = layerTensors(source, layers);
  for (const own of used.values()) {
    for (const [i, [tensor, shape]] of own.entries()) {
      const info = tensors.get(tensor);
      if (!info) {
        const reason =
          scaledName(tensor) === undefined ? '' : `, and ${scaledName(tensor)} is of I8`;
        throw new FormatError(`${name}: tensor ${tensor} is missing${reason}`);
      }
      if (`${info.shape}` !== `${shape}`) {
        throw new FormatError(`${name}: tensor ${tensor} expected [${shape}], got [${info.shape}]`);
      }
      const check = i === 0 ? checkWeights : checkFloats;
      inFile(name, () => check(tensor, info.dtype));
    }
  }
  const known = new Set([...used.values()].flatMap((own) => own.map(([tensor]) => tensor)));
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

/** `checkLayers`, all tensors in one list. */
export function checkTensors(source: TensorSource, layers: Layers): ExpectedTensor[] {
  return [...checkLayers(source, layers).values()].flat();
}

function layerTensors(source: TensorSource, layers: Layers): LayerTensors {
  const { name, Cin, Cout } = layers.fc;
  const convolutions = convolutionsOf(layers).map((spec): [string, ExpectedTensor[]] => [
    spec.name,
    tensorsOf(source, spec),
  ]);
  return new Map([
    ...convolutions,
    [name, [...weightOf(source, name, [Cout, Cin]), [`${name}.bias`, [Cout]]]],
  ]);
}

/** The tensors of a convolution and of its batch norm. torchvision's have no bias, Keras' have. */
function tensorsOf(source: TensorSource, spec: ConvolutionSpec): ExpectedTensor[] {
  const { name, batchNorm, Cin, Cout, kernel, groups } = spec;
  const bias = `${name}.bias`;
  return [
    ...weightOf(source, name, [Cout, Cin / groups, kernel, kernel]),
    ...(source.tensors.has(bias) ? [[bias, [Cout]] as const] : []),
    [`${batchNorm}.weight`, [Cout]],
    [`${batchNorm}.bias`, [Cout]],
    [`${batchNorm}.running_mean`, [Cout]],
    [`${batchNorm}.running_var`, [Cout]],
  ];
}

/** A layer's weight and, if it is of whole numbers, its scales. */
function weightOf(
  { tensors }: TensorSource,
  layer: string,
  shape: readonly number[],
): ExpectedTensor[] {
  const weight = `${layer}.weight`;
  const isScaled = tensors.get(weight)?.dtype === SCALED_DTYPE;
  return [[weight, shape], ...(isScaled ? [[scaleName(weight), [shape[0]!]] as const] : [])];
}

/** Reads layers whose tensors `checkLayers` has checked. */
export class WeightReader {
  readonly #source: TensorSource;
  readonly #eps: number;

  constructor(source: TensorSource) {
    this.#source = source;
    this.#eps = batchNormEpsOf(source);
  }

  /**
   * A convolution's weights with its batch norm and, where it has one, its own bias b folded in:
   * w′ = w·γ/√(variance + eps), b′ = β − (mean − b)·γ/√(variance + eps). Of whole numbers the scales are
   * folded in too, so that these come to the backend as they are: kept in f16 or int8 they lose nothing.
   */
  convolution({ name, batchNorm, Cout }: ConvolutionSpec): LayerWeights {
    const gamma = this.#vector(`${batchNorm}.weight`);
    const beta = this.#vector(`${batchNorm}.bias`);
    const mean = this.#vector(`${batchNorm}.running_mean`);
    const variance = this.#vector(`${batchNorm}.running_var`);
    const own = this.#source.tensors.has(`${name}.bias`)
      ? this.#vector(`${name}.bias`)
      : new Float32Array(Cout);
    const scales = this.#scales(name);
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
      if (scales) scale[oc]! *= scales[oc]!;
    }
    return { ...this.#weight(`${name}.weight`), scale, bias };
  }

  /** A linear layer's weights. */
  linear(name: string): LayerWeights {
    const scales = this.#scales(name);
    return {
      ...this.#weight(`${name}.weight`),
      ...(scales && { scale: Float64Array.from(scales) }),
      bias: this.#vector(`${name}.bias`),
    };
  }

  #scales(layer: string): Float32Array | undefined {
    const scales = scaleName(`${layer}.weight`);
    return this.#source.tensors.has(scales) ? this.#vector(scales) : undefined;
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
