/**
 * A network in memory: a graph with its packed weights, and the forward pass over a plan.
 *
 * The names, shapes and dtypes of a file's tensors are enough to recognize the network, to check its budget and
 * to reserve the memory. Then layers are packed one by one, in any order, as soon as their tensors are there.
 */

import { checkKernels, owned } from '../disposal.js';
import { oneOf, refuseKind, ShapeError } from '../errors.js';
import type { Preprocessing } from '../image/index.js';
import {
  type Algorithm,
  type Kernels,
  type PackedConv2d,
  type PackedWeights,
  PRECISIONS,
  type Precision,
  type Program,
} from '../kernels/operators.js';
import { classIndex } from './class-index.js';
import {
  type Activation,
  labelsOf,
  type NetOptions,
  preprocessingOf,
  storedPrecision,
} from './formats/metadata.js';
import type { TensorSource } from './formats/tensor-source.js';
import { shapesOf, valueNamed } from './graph/node.js';
import { isConv } from './graph/operators/conv.js';
import { inputChannels } from './graph/operators/input.js';
import { type Plan, type PlanOptions, plan } from './graph/plan.js';
import { scaleCandidates } from './graph/scale-ends.js';
import {
  checkTensors,
  type ExpectedTensor,
  LayerReader,
  type RestingLayers,
  tensorsOf,
} from './layers.js';
import {
  type Architecture,
  type RecognizedNetwork,
  type RecognizeOptions,
  recognizeNetwork,
} from './nets/index.js';
import {
  megabytes,
  type PreparedNetwork,
  packedBytes,
  passBytes,
  prepareNetwork,
  usualSize,
} from './prepared.js';

export interface NetworkOptions extends RecognizeOptions {
  readonly kernels: Kernels;
  /**
   * How the weights are kept: f32, f16 or int8, in 4, 2 or 1 bytes each. The first three scales are kept one
   * step finer; with int8 the last layer, too. Default: the precision that the file stores; if it stores several,
   * the coarsest that a kernel has.
   */
  readonly precision?: Precision;
  /** Class names in index order. Default: those of the file, else the index as text. */
  readonly labels?: readonly string[];
  /** The preprocessing that the network was trained with. Default for each part: the file's, else ImageNet's. */
  readonly preprocessing?: Partial<Preprocessing>;
  /**
   * The most bytes for weights and forward pass: weights, arena and scratch of `Memory`. If more is needed,
   * loading and `forward` throw before they allocate. Default: no limit.
   */
  readonly budgetBytes?: number;
}

/**
 * Views of the results of a forward pass in the arena. They are valid until the network runs again, runs
 * another shape, or its backend loads another network.
 */
export interface Forward {
  readonly plan: Plan;
  /** [N, H, W, channels]: fill it, then `run`. */
  readonly input: Float32Array;
  /** [N, classes]; empty where there is no classifier. */
  readonly logits: Float32Array;
  /** [N, h, w, C], the features that the classifier averages; empty if it does something else. */
  readonly features: Float32Array;
  /** One map for each tap of the plan, [N, H, W]: the tap's statistic. */
  readonly maps: readonly Float32Array[];
  /** Bytes of arena and scratch. */
  readonly bytes: number;
  /** Computes everything from `input`. Allocates nothing; the same input gives the same bits. */
  run(): void;
  /** Runs step `index` of the plan alone, to time it. */
  runStep(index: number): void;
  /** How the backend computes step `index` of the plan; `undefined` if it is no convolution. */
  algorithm(index: number): Algorithm | undefined;
}

export interface ForwardOptions extends Omit<PlanOptions, 'taps'> {
  /** Where to measure: at the ends of scales (true, the default), nowhere (false), or at values of these names. */
  readonly taps?: boolean | readonly string[];
}

/** The most memory of a pass, 2 GiB: a ResNet-50 on about 4000×4000. WebAssembly’s memory ends at 4 GiB. */
const MAX_PASS_BYTES = 2 ** 31;

const NOTHING = new Float32Array(0);

/** What `dispose` frees: the file, the packed weights, the forward pass. */
interface Own {
  readonly source: TensorSource;
  readonly recognized: RecognizedNetwork;
  /** How each layer is kept. */
  readonly resting: RestingLayers;
  readonly budgetBytes: number;
  readonly packed: Map<string, PackedWeights>;
  /** The pass of the latest shape. A new shape replaces it and its arena. */
  forward?: { readonly key: string; readonly pass: Pass } | undefined;
}

export class Network {
  readonly architecture: Architecture;
  /** Warnings about the weights, one line each. */
  readonly warnings: readonly string[];
  /** Options that neither the weights nor the caller state: the usual value is assumed. */
  readonly assumed: readonly (keyof NetOptions)[];
  readonly preprocessing: Preprocessing;
  /** Channels of the input. */
  readonly channels: number;
  readonly labels: readonly string[];
  readonly activation: Activation;
  /** How the weights are kept. */
  readonly precision: Precision;
  /** The backend that computes it. */
  readonly kernels: Kernels;
  readonly prepared: PreparedNetwork;
  /** Bytes of the packed weights. */
  readonly weightBytes: number;
  /** Height and width of the input, if the network accepts only this size. */
  readonly fixedSize: readonly [H: number, W: number] | undefined;
  /** Height and width that the graph was made for, or that the network was trained with. */
  readonly ownSize: readonly [H: number, W: number];
  #own: Own | undefined;

  /**
   * Checks the tensors of `weights` by name, shape and dtype, and reserves memory for them. Reads none.
   *
   * @param weights in any known naming, or the result of `recognizeNetwork`
   * @throws {FormatError} with the name of the tensor that is missing, unexpected, or of a wrong shape or dtype
   * @throws {ShapeError} for labels that do not fit the classes, or weights beyond the budget
   */
  constructor(weights: TensorSource | RecognizedNetwork, options: NetworkOptions) {
    const { kernels, precision, budgetBytes = Number.POSITIVE_INFINITY } = options ?? {};
    checkKernels(kernels);
    if (precision !== undefined) oneOf('precision', precision, PRECISIONS);
    if (!(budgetBytes >= 0))
      throw new ShapeError(`budgetBytes: expected bytes, got ${budgetBytes}`);
    if (!('graph' in weights || 'tensors' in weights)) {
      refuseKind('weights:', 'tensors (bytes: loadNetwork)', weights);
    }
    const recognized = 'graph' in weights ? weights : recognizeNetwork(weights, options);
    const { architecture, source, graph, activation } = recognized;
    const { classes } = graph;
    this.kernels = kernels;
    this.fixedSize = recognized.isFixed ? recognized.size : undefined;
    this.activation = activation;
    this.architecture = architecture;
    this.warnings = recognized.warnings;
    this.assumed = recognized.assumed;
    this.precision = precision ?? storedPrecision(source);
    this.channels = inputChannels(graph);
    const { preprocessing } = options;
    const usual = recognized.size ? Math.min(...recognized.size) : usualSize(graph);
    this.preprocessing = preprocessingOf(source, this.channels, preprocessing, usual);
    const { size } = this.preprocessing;
    this.ownSize = recognized.size ?? [size, size];
    const given = options.labels ?? labelsOf(source);
    this.labels = given ?? Array.from({ length: classes }, (_, i) => String(i));
    if (this.labels.length !== classes) {
      throw new ShapeError(
        `labels: expected ${classes}, one for each class of ${source.name}, got ${this.labels.length}`,
      );
    }
    this.prepared = prepareNetwork(graph, ...this.ownSize);
    // Names alone could claim a network of any size. So memory is reserved only if every tensor is in the file.
    checkTensors(source, this.prepared.layers);
    const stored = precision === undefined ? source : undefined;
    const resting = this.prepared.resting(this.precision, stored);
    this.#own = { source, recognized, resting, budgetBytes, packed: new Map() };
    this.weightBytes = packedBytes(kernels, resting);
    if (this.weightBytes > budgetBytes) {
      const usualPass = plan(this.prepared, [1, ...this.ownSize]);
      throw new ShapeError(this.#refusal({ plan: usualPass }, true));
    }
    kernels.reserve([...resting.values()]);
  }

  /** @throws {TypeError} after `dispose`, and if a framework has wrapped the network in a proxy */
  private get own(): Own {
    return owned('network', #own in this ? this.#own : null);
  }

  /** For each layer the tensors that are needed before it can be packed, its weight first. */
  get tensors(): ReadonlyMap<string, readonly ExpectedTensor[]> {
    const { source } = this.own;
    const layers = [...this.prepared.layers];
    return new Map(layers.map(([key, layer]) => [key, tensorsOf(source, layer)]));
  }

  /** The names of the values where scales end. */
  get scales(): readonly string[] {
    return this.prepared.ends.map((end) => this.prepared.graph.nodes[end]!.name);
  }

  /** If no scale ends were found: the names of values that may be measured. */
  get scaleCandidates(): string[] {
    const { graph } = this.prepared;
    const shapes = shapesOf(graph, ...this.ownSize);
    return scaleCandidates(graph, shapes).map((value) => graph.nodes[value]!.name);
  }

  /** The values of these names. @throws {ShapeError} for an unknown name */
  valuesNamed(names: readonly string[]): number[] {
    return names.map((name) => valueNamed(this.prepared.graph, name));
  }

  /** Packs a layer. @throws {FormatError} for a weight that is not finite */
  pack(key: string): void {
    const { kernels, own } = this;
    const { packed } = own;
    const layer = this.prepared.layers.get(key)!;
    const resting = own.resting.get(key)!;
    const reader = new LayerReader(own.source);
    if (isConv(layer) && 'shape' in resting) {
      const { shape, precision } = resting;
      const weights = { ...reader.convolution(layer), precision };
      packed.set(key, kernels.packConv2d(shape, weights));
    } else if (!isConv(layer)) {
      const { scale, shift } = reader.vectors(layer);
      packed.set(key, kernels.packVectors(scale, shift));
    }
  }

  /** Packs every layer; if one fails, all are released. @throws as `pack` */
  packAll(): this {
    try {
      for (const key of this.prepared.layers.keys()) this.pack(key);
    } catch (error) {
      this.dispose();
      throw error;
    }
    return this;
  }

  /**
   * Gives the memory of weights and forward pass back to the kernels, for the next network. Explanations keep their
   * maps, but cannot make maps of another class. The network must not be used again; a second `dispose` does nothing.
   */
  dispose(): void {
    if (#own in this && !this.#own) return;
    const { packed, forward } = this.own;
    for (const weights of packed.values()) this.kernels.release(weights);
    forward?.pass.release();
    this.#own = undefined;
  }

  /**
   * Prepares the forward pass over N pictures of H×W. The pass of the latest shape is kept.
   *
   * @param options what is measured, and where; by default SMOE Scale at the end of each scale
   * @throws {ShapeError} as `plan`, for an unknown tap, or if the pass needs more than the budget leaves or
   * more than 2 GiB
   */
  forward(N: number, H: number, W: number, options: ForwardOptions = {}): Forward {
    const { taps = true, statistic = 'smoe' } = options;
    const key = `${N} ${H} ${W} ${taps} ${statistic} ${!!this.classActivation}`;
    return this.pass(key, () => ({ plan: this.#plan([N, H, W], taps, statistic) }));
  }

  /**
   * The pass of any plan over these weights, for extensions. Only the latest pass is kept.
   *
   * @param key tells passes apart
   * @param planned is told whether a plan fits into the budget
   * @throws as `forward`
   */
  pass(key: string, planned: (fits: (pass: PlannedPass) => boolean) => PlannedPass): Pass {
    const { own, kernels } = this;
    checkKernels(kernels);
    if (own.forward?.key !== key) {
      const pass = planned((draft) => !this.#refusal(draft));
      const refusal = this.#refusal(pass);
      if (refusal) throw new ShapeError(refusal);
      const { plan: passPlan, extra } = pass;
      // The old arena is released before the new one is allocated.
      own.forward?.pass.release();
      own.forward = undefined;
      const weights = extra?.make(own.packed) ?? own.packed;
      const program = kernels.bind(passPlan.steps, passPlan.buffers, weights);
      own.forward = { key, pass: boundPass(passPlan, program, kernels, extra) };
    }
    return own.forward.pass;
  }

  /** The index of a class. @throws as the function `classIndex` */
  classIndex(target: number | string): number {
    return classIndex(this.labels, target);
  }

  /** Makes class activation maps of any classifier, if there is one. `withGradients` of fastcam/gradients sets it. */
  classActivation?: ClassActivation;

  /** Whether logits are linear in the features. Then class activation maps need no backward pass. */
  get hasLinearHead(): boolean {
    return this.prepared.features !== undefined;
  }

  /** Whether class activation maps can be made. */
  get hasClassMaps(): boolean {
    return this.hasLinearHead || !!this.classActivation;
  }

  /** @throws {ShapeError} if class activation maps cannot be made */
  checkClassMaps(): void {
    if (this.hasClassMaps) return;
    const why =
      this.labels.length === 0
        ? 'the network has no classifier'
        : 'the classifier is not linear: use withGradients of fastcam/gradients';
    throw new ShapeError(`cam: ${why}; or choose none`);
  }

  /** Copies the weights of class `index` of a linear classifier into `out` [C]. */
  classWeights(out: Float32Array, index: number): void {
    const { nodes, output } = this.prepared.graph;
    const { operator } = nodes[output]!;
    if (isConv(operator)) (this.own.packed.get(operator.layer) as PackedConv2d).row(out, index);
    // The logit of each class is the mean of one channel.
    else out.fill(0).fill(1, index, index + 1);
  }

  #plan(
    shape: readonly [number, number, number],
    taps: boolean | readonly string[],
    statistic: NonNullable<PlanOptions['statistic']>,
  ): Plan {
    const prepared = this.preparedAt(shape[1], shape[2]);
    const { graph, ends: own, kept: features } = prepared;
    const ends = taps === true ? own : taps ? taps.map((name) => valueNamed(graph, name)) : [];
    const { classActivation: { at } = {} } = this;
    const kept = this.hasLinearHead || !at ? features! : [valueNamed(graph, at)];
    return plan({ graph, ends, kept }, shape, { statistic });
  }

  /**
   * The network for inputs of H×W. A graph that was made for one size is made again for another; its scales are the
   * same values. @throws {ShapeError} if the network does not accept this size
   */
  preparedAt(H: number, W: number): PreparedNetwork {
    const { size, at } = this.own.recognized;
    if (!at || !size || `${size}` === `${[H, W]}`) return this.prepared;
    const prepared = prepareNetwork(at([H, W]), H, W);
    const ends = this.scales.map((name) => valueNamed(prepared.graph, name));
    return { ...prepared, ends };
  }

  /** Why a pass cannot run, if it needs more memory than there may be. */
  #refusal({ plan: passPlan, extra }: PlannedPass, isLoading = false): string | undefined {
    const { N, H, W } = passPlan;
    const { weightBytes } = this;
    const { resting, budgetBytes } = this.own;
    const bytes = passBytes(this.kernels, resting, passPlan) + (extra?.bytes ?? 0);
    const most = Math.min(budgetBytes, weightBytes + MAX_PASS_BYTES);
    if (weightBytes + bytes <= most) return undefined;
    const [what, choice] = isLoading ? ['load', 'network'] : ['forward', 'size'];
    return `${what}: an input of ${N}×${H}×${W} takes ${megabytes(bytes)} beside ${megabytes(weightBytes)} of weights, and the limit is ${megabytes(most)}: choose a smaller ${choice}`;
  }
}

/** Makes class activation maps with gradients. */
export interface ClassActivation {
  /** Name of the value that they are made from. */
  readonly at: string;
  /**
   * Makes a map, ≥ 0, not normalised.
   *
   * @param out [h·w], overwritten
   * @param features [h, w, C], that value for one picture
   * @param inputSize height and width of the network's input
   * @param index of the class
   * @param method a `CamMethod`
   */
  make(
    out: Float32Array,
    features: Float32Array,
    inputSize: readonly [H: number, W: number],
    index: number,
    method: string,
  ): void;
}

/** A pass that is bound to memory. */
export interface Pass extends Forward {
  /** A view of buffer `index` of the plan. */
  buffer(index: number): Float32Array;
  release(): void;
}

/** Weights that a pass needs besides those of the network. */
export interface ExtraWeights {
  readonly bytes: number;
  /** Adds them to the weights of the network. */
  make(packed: ReadonlyMap<string, PackedWeights>): ReadonlyMap<string, PackedWeights>;
  release(): void;
}

export interface PlannedPass {
  readonly plan: Plan;
  readonly extra?: ExtraWeights;
}

/**
 * A plan bound to memory. Each access makes a new view, because a backend may move its memory. Its bytes include those
 * that the backend keeps for the maps of all passes.
 */
function boundPass(
  passPlan: Plan,
  program: Program,
  { maps }: Kernels,
  extra: ExtraWeights | undefined,
): Pass {
  const view = (buffer?: number) => (buffer === undefined ? NOTHING : program.buffer(buffer));
  return {
    plan: passPlan,
    bytes: program.bytes + (maps?.bytes ?? 0) + (extra?.bytes ?? 0),
    buffer: view,
    get input() {
      return view(passPlan.input);
    },
    get logits() {
      return view(passPlan.logits);
    },
    get features() {
      return view(passPlan.kept[0]?.buffer);
    },
    get maps() {
      return passPlan.taps.map(({ map }) => view(map));
    },
    run: () => program.run(),
    runStep: (index) => program.runStep(index),
    algorithm: (index) => program.algorithm(index),
    release() {
      program.release();
      extra?.release();
    },
  };
}
