/**
 * A ResNet in memory: weights packed by a backend, batch norm folded into them, and the forward
 * pass over a plan.
 */

import { ShapeError } from '../errors.js';
import type {
  Algorithm,
  Conv2dWeightShape,
  Kernels,
  PackedLinear,
  PackedWeights,
  Program,
} from '../kernels/index.js';
import {
  type Architecture,
  type ConvolutionSpec,
  convolutionsOf,
  layersOf,
} from './architecture.js';
import { type Plan, plan } from './plan.js';
import type { Preprocessing } from './preprocess.js';
import { architectureOf, labelsOf, preprocessingOf } from './weights/metadata.js';
import { asTorchvision } from './weights/naming.js';
import type { TensorSource } from './weights/tensor-source.js';
import { checkTensors, WeightReader } from './weights/weight-reader.js';

export interface ResNetOptions {
  readonly kernels: Kernels;
  /** A name of the table: the weights are checked against it. Default: inferred from the weights. */
  readonly architecture?: string;
  /** Where bottlenecks stride. Default: what the file says, else `3x3`. */
  readonly strideOn?: Architecture['strideOn'];
  /** Class names in index order. Default: what the file says, else the index as text. */
  readonly labels?: readonly string[];
}

/**
 * Views of what a forward pass left in the arena: valid until the network runs again, runs another
 * shape, or its backend loads another network.
 */
export interface Forward {
  readonly plan: Plan;
  /** [N, H, W, 3]: fill it, then `run`. */
  readonly input: Float32Array;
  /** [N, classes] */
  readonly logits: Float32Array;
  /** [N, h, w, C], the last stage's output. */
  readonly features: Float32Array;
  /** One for each tap, [N, H, W]: SMOE Scale. */
  readonly smoe: readonly Float32Array[];
  /** Bytes of arena and scratch. */
  readonly bytes: number;
  /** Computes everything from `input`. Allocates nothing; the same input gives the same bits. */
  run(): void;
  /** Runs step `index` of the plan alone, to time it. */
  runStep(index: number): void;
  /** How the backend computes step `index` of the plan; `undefined` where that is neither way. */
  algorithm(index: number): Algorithm | undefined;
}

/** The largest arena, 2 GiB: a ResNet-50 on some 4000×4000. WebAssembly’s memory ends at 4 GiB. */
const MAX_ARENA_BYTES = 2 ** 31;

export class ResNet {
  readonly architecture: Architecture;
  readonly preprocessing: Preprocessing;
  readonly labels: readonly string[];
  /** Bytes of the packed weights. */
  readonly weightBytes: number;
  readonly #kernels: Kernels;
  readonly #weights = new Map<string, PackedWeights>();
  readonly #fc: PackedLinear;
  /** The forward pass of the latest shape. A new shape replaces it and its arena. */
  #forward: { readonly key: string; readonly forward: BoundForward } | undefined;

  /**
   * Packs the weights of `source`, in any of the namings of src/model/weights/naming.ts.
   *
   * @throws {FormatError} naming the tensor that is missing, unexpected, of a wrong shape or dtype,
   * or not finite
   * @throws {ShapeError} for labels that do not fit the classes
   */
  constructor(source: TensorSource, options: ResNetOptions) {
    const { kernels } = options;
    this.#kernels = kernels;
    const named = asTorchvision(source);
    this.architecture = architectureOf(named, options);
    this.preprocessing = preprocessingOf(named);
    const { classes } = this.architecture;
    this.labels =
      options.labels ?? labelsOf(named) ?? Array.from({ length: classes }, (_, i) => String(i));
    if (this.labels.length !== classes) {
      throw new ShapeError(
        `labels: expected ${classes}, one for each class of ${source.name}, got ${this.labels.length}`,
      );
    }

    const layers = layersOf(this.architecture);
    const { name, Cin, Cout } = layers.fc;
    // Names alone can claim a network of any size: what is reserved is in the file, every tensor.
    checkTensors(named, layers);
    const reader = new WeightReader(named);
    const specs = convolutionsOf(layers);
    const convolutions = specs.map((spec) => ({ spec, shape: weightShape(spec) }));
    const fcShape = { ...layers.fc, kH: 1, kW: 1, groups: 1 };
    const shapes = [...convolutions.map(({ shape }) => shape), fcShape];
    kernels.reserve(shapes);
    for (const { spec, shape } of convolutions) {
      this.#weights.set(spec.name, kernels.packConv2d(shape, reader.convolution(spec)));
    }
    this.#fc = kernels.packLinear(Cin, Cout, reader.linear(name));
    this.#weights.set(name, this.#fc);
    this.weightBytes = [...this.#weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Prepares the forward pass over N pictures of H×W; the one of the latest shape is kept.
   *
   * @param options.taps false leaves SMOE Scale out: the bare network
   * @throws {ShapeError} when N, H or W is not a whole number ≥ 1, or the arena would take more than
   * 2 GiB
   */
  forward(N: number, H: number, W: number, { taps = true }: { taps?: boolean } = {}): Forward {
    const key = `${N} ${H} ${W} ${taps}`;
    if (this.#forward?.key !== key) {
      const passPlan = plan(this.architecture, [N, H, W], { taps });
      const { steps, buffers, arenaBytes } = passPlan;
      if (arenaBytes > MAX_ARENA_BYTES) {
        throw new ShapeError(
          `forward: an input of ${N}×${H}×${W} takes ${arenaBytes} bytes (${(arenaBytes / 2 ** 30).toFixed(1)} GiB) of activations, at most ${MAX_ARENA_BYTES} are allocated: choose a smaller size`,
        );
      }
      // The old arena goes before the new one comes.
      this.#forward?.forward.release();
      this.#forward = undefined;
      const program = this.#kernels.bind(steps, buffers, this.#weights);
      this.#forward = { key, forward: new BoundForward(passPlan, program) };
    }
    return this.#forward.forward;
  }

  /**
   * The index of a class given by its index or its name (whole, in any case).
   *
   * @throws {ShapeError} for a class that there is not, naming those that are near, or a name that
   * several classes have
   */
  classIndex(target: number | string): number {
    const { labels } = this;
    if (typeof target === 'number') {
      if (Number.isInteger(target) && target >= 0 && target < labels.length) return target;
      throw new ShapeError(`target: expected a class index 0…${labels.length - 1}, got ${target}`);
    }
    const wanted = target.toLowerCase();
    const found = [...labels.keys()].filter((i) => labels[i]!.toLowerCase() === wanted);
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      throw new ShapeError(
        `target: ${found.length} classes are called ${target}; give an index: ${found.join(' or ')}`,
      );
    }
    const near = labels.filter((label) => label.toLowerCase().includes(wanted)).slice(0, 5);
    const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
    throw new ShapeError(`target: no class is called ${target}${hint}`);
  }

  /** Copies the classifier's weights of class `index` into `out` [C]. */
  classWeights(out: Float32Array, index: number): void {
    this.#fc.row(out, index);
  }
}

function weightShape({ Cin, Cout, kernel, groups }: ConvolutionSpec): Conv2dWeightShape {
  return { Cin, Cout, kH: kernel, kW: kernel, groups };
}

/** A plan bound to memory. Views are asked for anew each time: a backend may move its memory. */
class BoundForward implements Forward {
  readonly plan: Plan;
  readonly #program: Program;
  readonly #smoe: Float32Array[];

  constructor(passPlan: Plan, program: Program) {
    this.plan = passPlan;
    this.#program = program;
    this.#smoe = new Array(passPlan.taps.length);
  }

  get input(): Float32Array {
    return this.#program.buffer(this.plan.input);
  }

  get logits(): Float32Array {
    return this.#program.buffer(this.plan.logits);
  }

  get features(): Float32Array {
    return this.#program.buffer(this.plan.features);
  }

  get smoe(): readonly Float32Array[] {
    this.plan.taps.forEach((tap, i) => {
      this.#smoe[i] = this.#program.buffer(tap.smoe);
    });
    return this.#smoe;
  }

  get bytes(): number {
    return this.#program.bytes;
  }

  run(): void {
    this.#program.run();
  }

  runStep(index: number): void {
    this.#program.runStep(index);
  }

  algorithm(index: number): Algorithm | undefined {
    return this.#program.algorithm(index);
  }

  release(): void {
    this.#program.release();
  }
}
