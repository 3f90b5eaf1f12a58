/**
 * The weights of a network on their way into a backend. What a file says of its tensors is enough to check
 * them, to refuse what is beyond a budget and to reserve the memory; then layers are packed one by one,
 * in any order, as their tensors are there.
 */

import { ShapeError } from '../errors.js';
import type { Preprocessing } from '../image/preprocess.js';
import type {
  Kernels,
  PackedLinear,
  PackedWeights,
  Precision,
  RestingLayer,
} from '../kernels/index.js';
import {
  type Architecture,
  type ConvolutionSpec,
  convolutionsOf,
  type Layers,
  layersOf,
} from './architecture.js';
import { architectureOf, labelsOf, preprocessingOf } from './formats/metadata.js';
import { asTorchvision } from './formats/naming.js';
import { storedPrecision } from './formats/stored-tensor.js';
import type { TensorSource } from './formats/tensor-source.js';
import { checkLayers, type LayerTensors, WeightReader } from './formats/weight-reader.js';
import { megabytes, packedBytes, passBytes, restingLayers } from './memory.js';
import { plan } from './plan.js';

export interface ResNetOptions {
  readonly kernels: Kernels;
  /** A name of the table: the weights are checked against it. Default: inferred from the weights. */
  readonly architecture?: string;
  /** Where bottlenecks stride. Default: what the file says, else `3x3`. */
  readonly strideOn?: Architecture['strideOn'];
  /**
   * How the weights are kept: f32, f16 or int8, in 4, 2 or 1 bytes each. The stem and the first two
   * stages are kept one step finer, and of int8 the classifier too. Default: what they are stored in, the
   * coarsest that a kernel has.
   */
  readonly precision?: Precision;
  /** Class names in index order. Default: what the file says, else the index as text. */
  readonly labels?: readonly string[];
  /** What the network was trained behind. Default: what the file says, else ImageNet's. */
  readonly preprocessing?: Preprocessing;
  /**
   * The most that weights and forward pass may take, `Memory`'s weights, arena and scratch. Beyond it
   * loading and `forward` refuse before they allocate. Default: no bound.
   */
  readonly budgetBytes?: number;
}

export class NetworkWeights {
  readonly architecture: Architecture;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly string[];
  readonly precision: Precision;
  readonly kernels: Kernels;
  readonly budgetBytes: number;
  /** What has to be there before a layer can be packed. */
  readonly tensors: LayerTensors;
  readonly #packed = new Map<string, PackedWeights>();
  readonly #layers: Layers;
  readonly #convolutions: ReadonlyMap<string, ConvolutionSpec>;
  readonly #resting: ReadonlyMap<string, RestingLayer>;
  readonly #reader: WeightReader;

  /**
   * Checks the tensors by name, shape and dtype, and reserves memory for them. Reads none.
   *
   * @throws {FormatError} naming the tensor that is missing, unexpected, of a wrong shape or dtype
   * @throws {ShapeError} for labels that do not fit the classes, or weights beyond the budget
   */
  constructor(source: TensorSource, options: ResNetOptions) {
    const { kernels, budgetBytes = Number.POSITIVE_INFINITY } = options;
    this.kernels = kernels;
    this.budgetBytes = budgetBytes;
    const named = asTorchvision(source);
    this.architecture = architectureOf(named, options);
    this.precision = options.precision ?? storedPrecision(named);
    this.preprocessing = options.preprocessing ?? preprocessingOf(named);
    const { classes } = this.architecture;
    this.labels =
      options.labels ?? labelsOf(named) ?? Array.from({ length: classes }, (_, i) => String(i));
    if (this.labels.length !== classes) {
      throw new ShapeError(
        `labels: expected ${classes}, one for each class of ${source.name}, got ${this.labels.length}`,
      );
    }
    this.#layers = layersOf(this.architecture);
    // Names alone can claim a network of any size: what is reserved is in the file, every tensor.
    this.tensors = checkLayers(named, this.#layers);
    this.#reader = new WeightReader(named);
    this.#convolutions = new Map(convolutionsOf(this.#layers).map((spec) => [spec.name, spec]));
    this.#resting = restingLayers(this.#layers, this.precision);
    this.#refuse();
    kernels.reserve([...this.#resting.values()]);
  }

  /** Weights by the key of their layer, as far as they are packed. */
  get packed(): ReadonlyMap<string, PackedWeights> {
    return this.#packed;
  }

  /** The classifier, once it is packed. */
  get fc(): PackedLinear {
    return this.#packed.get(this.#layers.fc.name) as PackedLinear;
  }

  /** Packs a layer. @throws {FormatError} for a weight that is not finite */
  pack(layer: string): void {
    const { shape, precision } = this.#resting.get(layer)!;
    const spec = this.#convolutions.get(layer);
    const packed = spec
      ? this.kernels.packConv2d(shape, { ...this.#reader.convolution(spec), precision })
      : this.kernels.packLinear(shape.Cin, shape.Cout, {
          ...this.#reader.linear(layer),
          precision,
        });
    this.#packed.set(layer, packed);
  }

  /** Packs every layer; where one fails, none stays. @throws as `pack` */
  packAll(): this {
    try {
      for (const layer of this.tensors.keys()) this.pack(layer);
    } catch (error) {
      this.release();
      throw error;
    }
    return this;
  }

  /** Gives back the memory of what is packed. */
  release(): void {
    for (const packed of this.#packed.values()) this.kernels.release(packed);
    this.#packed.clear();
  }

  #refuse(): void {
    const { kernels, architecture, precision, budgetBytes } = this;
    const weightBytes = packedBytes(kernels, architecture, precision);
    if (weightBytes <= budgetBytes) return;
    const { size } = this.preprocessing;
    const bytes = passBytes(kernels, architecture, precision, plan(architecture, [1, size, size]));
    throw new ShapeError(
      `load: the weights take ${megabytes(weightBytes)}, a pass over ${size}×${size} another ${megabytes(bytes)}, and the budget is ${megabytes(budgetBytes)}: choose a smaller network`,
    );
  }
}
