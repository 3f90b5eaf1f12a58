/** One network in training: a pass that computes the loss of a batch, and changes the weights by their gradients. */

import { checkKernels, owned } from '../disposal.js';
import { expectWhole, ShapeError } from '../errors.js';
import type { Kernels, PackedWeights, Program } from '../kernels/operators.js';
import { trainingKernels } from '../kernels/training/index.js';
import type { TensorSource } from '../model/formats/tensor-source.js';
import { extraWeights } from '../model/gradient/pass.js';
import type { Graph, ValueShape } from '../model/graph/node.js';
import { hasVectors } from '../model/graph/operators/affine.js';
import { type Plan, plan } from '../model/graph/plan.js';
import { LayerReader } from '../model/layers.js';
import type { RecognizedNetwork } from '../model/nets/index.js';
import { type TrainedLayer, trainedConv, trainedNorm, type ValueView } from './layers.js';
import type { BatchLoss } from './loss.js';
import { type Descent, trainedSource } from './parameters.js';
import { type TrainedGraph, trainedGraph } from './trained-graph.js';

export interface TrainerOptions {
  readonly kernels: Kernels;
  /** Height and width of the pictures. */
  readonly size: readonly [H: number, W: number];
  /** Pictures of a batch. Batch norms use the statistics of a batch. */
  readonly batch: number;
  /**
   * Name of a value, such as the end of a scale. What comes behind it is trained, and the value becomes the input. Default:
   * the whole network.
   */
  readonly from?: string;
  /** Share of the probability that is spread over all classes; default 0. */
  readonly labelSmoothing?: number;
}

/** What `dispose` frees. */
interface Own {
  readonly program: Program;
  readonly layers: readonly TrainedLayer[];
  release(): void;
}

/** Trains a network batch by batch: fill `input` and `targets`, then `step`. */
export class Trainer {
  /** Extents of the input. */
  readonly shape: ValueShape;
  readonly batch: number;
  /** [batch]: the class of each picture. */
  readonly targets: Int32Array;
  /** Bytes of arena and scratch. */
  readonly bytes: number;
  readonly #plan: Plan;
  readonly #source: TensorSource;
  readonly #loss: BatchLoss;
  readonly #view: ValueView;
  #own: Own | undefined;

  /**
   * @param network the result of `recognizeNetwork`, or the contents of an ONNX file
   * @throws {ShapeError} if there is no classifier, an operator has no gradient, or the logits do not depend on `from` alone
   * @throws {FormatError} for weights that are stored as whole numbers
   */
  constructor(network: RecognizedNetwork, options: TrainerOptions) {
    const { kernels, size, batch, from, labelSmoothing = 0 } = options;
    checkKernels(kernels);
    expectWhole('train', { batch });
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new ShapeError(`train: labelSmoothing expected 0 … 1, got ${labelSmoothing}`);
    }
    const { source, activation } = network;
    this.batch = batch;
    this.targets = new Int32Array(batch);
    this.#source = source;
    this.#loss = { targets: this.targets, loss: Number.NaN };
    const whole = network.at && network.size ? network.at(size) : network.graph;
    const trained = trainedGraph(whole, {
      ...{ N: batch, size, from, activation, labelSmoothing, loss: this.#loss },
    });
    this.shape = trained.input;
    const values = keptValues(trained);
    const { H, W } = trained.input;
    this.#plan = plan({ graph: trained.graph, ends: [], kept: values }, [batch, H, W]);
    const buffers = new Map(values.map((value, i) => [value, this.#plan.kept[i]!.buffer]));
    this.#view = (value) => this.own.program.buffer(buffers.get(value)!);
    this.#own = bound(trained, this.#plan, source, kernels);
    this.bytes = this.#own.program.bytes;
  }

  /** @throws {TypeError} after `dispose` */
  private get own(): Own {
    return owned('trainer', this.#own);
  }

  /** [batch, H, W, C] of `shape`; a view, valid until the backend allocates memory. */
  get input(): Float32Array {
    return this.own.program.buffer(this.#plan.input);
  }

  /** [batch, classes] of the latest step, before it changed the weights. */
  get logits(): Float32Array {
    return this.own.program.buffer(this.#plan.logits!);
  }

  /** Computes the loss of the batch, the mean over its pictures, and the gradients; the weights stay. */
  run(): number {
    this.own.program.run();
    return this.#loss.loss;
  }

  /** `run`, then one step of gradient descent. @returns the loss before it */
  step(descent: Descent): number {
    const loss = this.run();
    if (!Number.isFinite(loss)) {
      throw new ShapeError(`train: the loss is ${loss}: choose a smaller learning rate`);
    }
    for (const layer of this.own.layers) layer.update(this.#view, descent);
    return loss;
  }

  /** The gradients of the latest batch, by the names of the tensors. */
  gradients(): Map<string, Float32Array> {
    return new Map(this.own.layers.flatMap((layer) => [...layer.gradients(this.#view)]));
  }

  /** The file's weights with those that were trained in their place, as they are now. */
  weights(): TensorSource {
    const all = this.own.layers.flatMap((layer) => [...layer.tensors()]);
    return trainedSource(this.#source, new Map(all));
  }

  /** Gives the memory back; the trainer must not be used again. */
  dispose(): void {
    this.#own?.release();
    this.#own = undefined;
  }
}

/** What is read after the pass: gradients, and statistics of batch norms. */
function keptValues({ convolutions, norms }: TrainedGraph): number[] {
  const ofConvolutions = convolutions.flatMap(({ weight, bias = weight }) => [weight, bias]);
  const ofNorms = norms.flatMap(({ sums, statistics }) => [sums, statistics]);
  return [...new Set([...ofConvolutions, ...ofNorms])];
}

/** Packs all weights, and binds the pass. */
function bound(trained: TrainedGraph, passPlan: Plan, source: TensorSource, kernels: Kernels): Own {
  trainingKernels.engineOf(kernels);
  const layers = new Map<string, TrainedLayer>();
  for (const [layer, uses] of grouped(trained.convolutions, ({ conv }) => conv.layer)) {
    layers.set(layer, trainedConv(kernels, source, uses));
  }
  for (const [layer, uses] of grouped(trained.norms, ({ affine }) => affine.layer)) {
    layers.set(layer, trainedNorm(kernels, source, uses));
  }
  const packed = new Map<string, PackedWeights>(
    [...layers].map(([key, { packed: weights }]) => [key, weights]),
  );
  for (const [key, weights] of untrained(trained.graph, source, kernels)) packed.set(key, weights);
  const extra = extraWeights(kernels, trained.graph);
  const program = kernels.bind(passPlan.steps, passPlan.buffers, extra.make(packed));
  return {
    ...{ program, layers: [...layers.values()] },
    release() {
      program.release();
      extra.release();
      for (const weights of packed.values()) kernels.release(weights);
    },
  };
}

/** Vectors that stay as they are. */
function untrained(
  { nodes }: Graph,
  source: TensorSource,
  kernels: Kernels,
): Map<string, PackedWeights> {
  const reader = new LayerReader(source);
  const packed = new Map<string, PackedWeights>();
  for (const { operator } of nodes) {
    if (!hasVectors(operator) || packed.has(operator.layer)) continue;
    const { scale, shift } = reader.vectors(operator);
    packed.set(operator.layer, kernels.packVectors(scale, shift));
  }
  return packed;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
