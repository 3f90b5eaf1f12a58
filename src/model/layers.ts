/**
 * The layers of a network, which are the nodes with weights: the tensors of each layer, its precision in memory,
 * and how it is read.
 */

import { FormatError } from '../errors.js';
import {
  type LayerWeights,
  PRECISIONS,
  type Precision,
  type RestingLayer,
} from '../kernels/operators.js';
import { checkFloats, checkWeights, SCALED_DTYPE } from './formats/dtype.js';
import { dtypePrecision } from './formats/metadata.js';
import { scaledName, scaleName, sizeOf, type TensorSource } from './formats/tensor-source.js';
import type { Graph, Operator } from './graph/node.js';
import { type BatchNorm, hasVectors, type VectorLayer } from './graph/operators/affine.js';
import { type Conv, isConv, type TensorInfo } from './graph/operators/conv.js';

/** The layers by the keys of their weights, in the order of the pass. */
export type Layers = ReadonlyMap<string, Conv | VectorLayer>;

/** How each layer is kept, by its key. */
export type RestingLayers = ReadonlyMap<string, RestingLayer>;

export type ExpectedTensor = readonly [name: string, shape: readonly number[]];

/** @param graph folded */
export function layersOf({ nodes }: Graph): Layers {
  const layers = nodes
    .map(({ operator }) => operator)
    .filter(
      (operator: Operator): operator is Conv | VectorLayer =>
        isConv(operator) || hasVectors(operator),
    );
  return new Map(layers.map((layer) => [layer.layer, layer]));
}

/** The tensors of a layer, a convolution's weight first. */
export function tensorsOf({ tensors }: TensorSource, layer: Conv | VectorLayer): ExpectedTensor[] {
  const vectors = layer.batchNorms.flatMap(({ gamma, beta, mean, variance }) =>
    [gamma, beta, mean, variance].flatMap((name) => name ?? []),
  );
  const shape = isConv(layer) ? [layer.extents.Cout] : (layer.tensorShape ?? [layer.channels]);
  const own = (names: readonly string[]) => names.map((name): ExpectedTensor => [name, shape]);
  if (!isConv(layer)) return own(vectors);
  const { weight, bias, magnitude } = layer;
  const isScaled = tensors.get(weight.name)?.dtype === SCALED_DTYPE;
  const scale = isScaled ? [scaleName(weight.name)] : [];
  const lengths: ExpectedTensor[] = magnitude ? [[magnitude, tensors.get(magnitude)!.shape]] : [];
  const biases = bias ? [bias] : [];
  return [[weight.name, weight.shape], ...own([...scale, ...biases, ...vectors]), ...lengths];
}

/**
 * Checks that every tensor of every layer is there and has a dtype that can be read.
 *
 * @throws {FormatError} with the name of the tensor
 */
export function checkTensors(source: TensorSource, layers: Layers): void {
  const { name, tensors } = source;
  for (const layer of layers.values()) {
    for (const [i, [tensor, shape]] of tensorsOf(source, layer).entries()) {
      const info = tensors.get(tensor);
      if (!info) {
        throw new FormatError(
          `${name}: tensor ${tensor} is missing, and ${scaledName(tensor)} is of I8`,
        );
      }
      if (`${info.shape}` !== `${shape}`) {
        throw new FormatError(`${name}: tensor ${tensor} expected [${shape}], got [${info.shape}]`);
      }
      const check = i === 0 && isConv(layer) ? checkWeights : checkFloats;
      check(name, tensor, info.dtype);
    }
  }
}

/** The next finer precision. */
const FINER: Readonly<Record<Precision, Precision>> = { f32: 'f32', f16: 'f32', int8: 'f16' };

/**
 * The number of scales that are kept one step finer, with all layers before them: at most the first three, never
 * the last. In a ResNet-50 they have 6 % of the weights, but their rounding would cause most of the maps' error.
 * The error of the combined map with f16 is at most 1.7e-3 if they are finer, 1.2e-2 if not (the golden ResNet-50
 * of 224×224).
 */
const FINE_SCALES = 3;

/**
 * How each layer is kept: in the precision of the network; one step finer up to the end of the third scale. With
 * int8, the layer that makes the logits is finer, too.
 *
 * @param ends the values where scales end
 * @param stored given if nobody asked for a precision: then a layer that is stored finer keeps every bit
 */
export function restingLayers(
  { nodes, output, classes }: Graph,
  ends: readonly number[],
  precision: Precision,
  stored?: TensorSource,
): RestingLayers {
  const fineEnd = ends[Math.min(FINE_SCALES, ends.length - 1) - 1] ?? -1;
  const resting = new Map<string, RestingLayer>();
  for (const [i, { operator }] of nodes.entries()) {
    if (hasVectors(operator)) resting.set(operator.layer, { channels: operator.channels });
    if (!isConv(operator)) continue;
    const isLast = i === output && classes > 0 && precision === 'int8';
    const own = i <= fineEnd || isLast ? FINER[precision] : precision;
    const dtype = stored?.tensors.get(operator.weight.name)?.dtype;
    const kept = dtype === undefined ? own : finerOf(own, dtypePrecision(dtype));
    resting.set(operator.layer, { shape: operator.extents, precision: kept });
  }
  return resting;
}

function finerOf(a: Precision, b: Precision): Precision {
  return PRECISIONS.indexOf(a) < PRECISIONS.indexOf(b) ? a : b;
}

/** Reads layers, once their tensors are there. */
export class LayerReader {
  readonly #source: TensorSource;

  constructor(source: TensorSource) {
    this.#source = source;
  }

  /**
   * A convolution's weights with its bias b and its batch norms folded in: w′ = w·γ/√(variance + eps),
   * b′ = β − (mean − b)·γ/√(variance + eps). For weights of whole numbers, their scales are folded in, too. So the
   * backend receives the whole numbers themselves, and loses nothing if it keeps them in f16 or int8.
   */
  convolution({ weight, magnitude, bias, batchNorms, extents: { Cout } }: Conv): LayerWeights {
    const { scale, shift } = this.#affine(batchNorms, Cout, bias);
    if (magnitude !== undefined) this.#scaleByLengths(scale, weight, this.#vector(magnitude));
    const scales = scaleName(weight.name);
    if (magnitude === undefined && this.#source.tensors.has(scales)) {
      const own = this.#vector(scales);
      for (let oc = 0; oc < Cout; oc++) scale[oc]! *= own[oc]!;
    }
    return { ...this.#weight(weight.name), scale, bias: Float32Array.from(shift) };
  }

  /** The vectors of batch norms that were not folded into a convolution. */
  vectors({ batchNorms, channels }: VectorLayer): { scale: Float32Array; shift: Float32Array } {
    const { scale, shift } = this.#affine(batchNorms, channels);
    return { scale: Float32Array.from(scale), shift: Float32Array.from(shift) };
  }

  /** A bias and several batch norms, one after the other, as one factor and one summand for each channel. */
  #affine(batchNorms: readonly BatchNorm[], C: number, bias?: string) {
    const scale = new Float64Array(C).fill(1);
    const shift = bias === undefined ? new Float64Array(C) : Float64Array.from(this.#vector(bias));
    for (const { gamma, beta, mean, variance, eps = 0 } of batchNorms) {
      const [gammas, betas, means, variances] = [gamma, beta, mean, variance].map((name) =>
        name === undefined ? undefined : this.#vector(name),
      );
      for (let c = 0; c < C; c++) {
        if (variances && variances[c]! < 0) {
          const what = `tensor ${variance} has ${variances[c]} at element ${c}`;
          throw new FormatError(`${this.#source.name}: ${what}`);
        }
        const deviation = variances ? Math.sqrt(variances[c]! + eps) : 1;
        const factor = (gammas?.[c] ?? 1) / deviation;
        shift[c] = (betas?.[c] ?? 0) - ((means?.[c] ?? 0) - shift[c]!) * factor;
        scale[c]! *= factor;
      }
    }
    return { scale, shift };
  }

  /** Weight norm: each row v of the weight means v·g/‖v‖. The scale of whole numbers cancels out. */
  #scaleByLengths(scale: Float64Array, { name, shape }: TensorInfo, lengths: Float32Array): void {
    const row = new Float32Array(sizeOf(shape) / lengths.length);
    for (const [oc, length] of lengths.entries()) {
      this.#source.readInto(row, name, oc * row.length);
      let sum = 0;
      for (const v of row) sum += v * v;
      scale[oc]! *= length / Math.sqrt(sum);
    }
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
