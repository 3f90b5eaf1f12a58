/** The layers of a network in training: their weights, and how these change after a batch. */

import type { Kernels, PackedConv2d, PackedVectors, PackedWeights } from '../kernels/operators.js';
import { layerWeights } from '../kernels/operators.js';
import { trainingKernels, weightPanels } from '../kernels/training/index.js';
import type { TensorSource } from '../model/formats/tensor-source.js';
import {
  type Descent,
  descend,
  fileOrder,
  type Parameter,
  parameter,
  readTensor,
  readWeight,
} from './parameters.js';
import type { TrainedConv, TrainedNorm } from './trained-graph.js';

/** How much of a batch norm's running mean and variance comes from each new batch, as in PyTorch. */
const NORM_MOMENTUM = 0.1;

/** A view of one of the graph's values. */
export type ValueView = (value: number) => Float32Array;

export interface TrainedLayer {
  readonly packed: PackedWeights;
  /** The gradients of the latest batch, by the names of the tensors, in the layouts of the file. */
  gradients(view: ValueView): Map<string, Float32Array>;
  /** Changes the weights, here and in the backend. */
  update(view: ValueView, descent: Descent): void;
  /** The weights by the names of the tensors, in the layouts of the file. */
  tensors(): Map<string, Float32Array>;
}

/** @param uses the nodes of the layer: several if it is used several times, whose gradients are added */
export function trainedConv(
  kernels: Kernels,
  source: TensorSource,
  uses: readonly TrainedConv[],
): TrainedLayer {
  const { conv } = uses[0]!;
  const { extents, bias: biasName } = conv;
  const { Cout } = extents;
  const weight = parameter(conv.weight.name, readWeight(source, conv));
  const bias =
    biasName === undefined ? undefined : parameter(biasName, readTensor(source, biasName));
  const own = bias?.values ?? new Float32Array(Cout);
  const empty = layerWeights(new Float32Array(weight.values.length), new Float32Array(Cout));
  const packed: PackedConv2d = kernels.packConv2d(extents, empty);
  const write = weightPanels(trainingKernels.engineOf(kernels), packed, extents);
  write(weight.values, own);
  const parts: [Parameter, number[]][] = [[weight, uses.map((use) => use.weight)]];
  if (bias) parts.push([bias, uses.map((use) => use.bias!)]);
  const inFileOrder = (values: Float32Array): Float32Array => fileOrder(values, extents);
  return {
    packed,
    gradients(view) {
      const sums = parts.map(([{ name, values }, at]): [string, Float32Array] => {
        const sum = values.map((_, i) => at.reduce((total, value) => total + view(value)[i]!, 0));
        return [name, name === weight.name ? inFileOrder(sum) : sum];
      });
      return new Map(sums);
    },
    update(view, descent) {
      for (const [one, at] of parts) descend(one, at.map(view), descent);
      write(weight.values, own);
    },
    tensors() {
      const all = new Map([[weight.name, inFileOrder(weight.values)]]);
      if (bias) all.set(bias.name, bias.values.slice());
      return all;
    },
  };
}

/** A batch norm: γ and β by their gradients; the running mean and variance follow those of the batches. */
export function trainedNorm(
  kernels: Kernels,
  source: TensorSource,
  uses: readonly TrainedNorm[],
): TrainedLayer {
  const { channels: C, batchNorms } = uses[0]!.affine;
  const { gamma, beta, mean, variance, eps = 0 } = batchNorms[0]!;
  const vector = (name: string | undefined, usual: number): Parameter =>
    name === undefined
      ? parameter('', new Float32Array(C).fill(usual))
      : parameter(name, readTensor(source, name));
  const scale = vector(gamma, 1);
  const shift = vector(beta, 0);
  const running = [readTensor(source, mean!), readTensor(source, variance!)] as const;
  const packed: PackedVectors = kernels.packVectors(scale.values, shift.values);
  const named = [scale, shift].filter(({ name }) => name !== '');
  const partOf = (one: Parameter, sums: Float32Array): Float32Array =>
    one === scale ? sums.subarray(0, C) : sums.subarray(C, 2 * C);
  return {
    packed,
    gradients(view) {
      const sums = named.map((one): [string, Float32Array] => {
        const at = uses.map((use) => partOf(one, view(use.sums)));
        return [one.name, one.values.map((_, c) => at.reduce((sum, part) => sum + part[c]!, 0))];
      });
      return new Map(sums);
    },
    update(view, descent) {
      for (const one of named) {
        descend(
          one,
          uses.map((use) => partOf(one, view(use.sums))),
          descent,
        );
      }
      packed.scale.set(scale.values);
      packed.shift.set(shift.values);
      for (const { statistics, M } of uses) follow(running, view(statistics), M, C, eps);
    },
    tensors: () =>
      new Map([
        ...named.map(({ name, values }): [string, Float32Array] => [name, values.slice()]),
        ...[mean!, variance!].map((name, i): [string, Float32Array] => [name, running[i]!.slice()]),
      ]),
  };
}

/** Brings the running mean and variance closer to those of a batch of M pixels. The variance is that of a sample. */
function follow(
  [mean, variance]: readonly [Float32Array, Float32Array],
  statistics: Float32Array,
  M: number,
  C: number,
  eps: number,
): void {
  for (let c = 0; c < C; c++) {
    const own = (1 / statistics[C + c]! ** 2 - eps) * (M / Math.max(M - 1, 1));
    mean[c]! += NORM_MOMENTUM * (statistics[c]! - mean[c]!);
    variance[c]! += NORM_MOMENTUM * (Math.max(own, 0) - variance[c]!);
  }
}
