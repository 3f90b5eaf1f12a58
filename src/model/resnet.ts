/**
 * A ResNet in memory: weights packed by a backend, batch norm folded into them, and the forward
 * pass over a plan.
 */

import { ShapeError } from '../errors.js';
import type { Preprocessing } from '../image/preprocess.js';
import type {
  Algorithm,
  Kernels,
  PackedLinear,
  PackedWeights,
  Precision,
  Program,
} from '../kernels/index.js';
import type { Architecture } from './architecture.js';
import type { TensorSource } from './formats/tensor-source.js';
import { megabytes, passBytes } from './memory.js';
import { NetworkWeights, type ResNetOptions } from './network-weights.js';
import { type Plan, type PlanOptions, plan } from './plan.js';

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
  /** One for each tap of the plan, [N, H, W]: its statistic. */
  readonly maps: readonly Float32Array[];
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
  /** How the weights are kept. */
  readonly precision: Precision;
  /** Bytes of the packed weights. */
  readonly weightBytes: number;
  /** The backend that computes it. */
  readonly kernels: Kernels;
  readonly #budgetBytes: number;
  readonly #weights: ReadonlyMap<string, PackedWeights>;
  readonly #fc: PackedLinear;
  /** The forward pass of the latest shape. A new shape replaces it and its arena. */
  #forward: { readonly key: string; readonly forward: BoundForward } | undefined;

  /**
   * Packs the weights of `source`, in any of the namings of src/model/weights/naming.ts.
   *
   * @param source tensors; or weights that are packed, with their options
   * @throws {FormatError} naming the tensor that is missing, unexpected, of a wrong shape or dtype,
   * or not finite
   * @throws {ShapeError} for labels that do not fit the classes, or weights beyond the budget
   */
  constructor(source: TensorSource | NetworkWeights, options: ResNetOptions) {
    const network =
      source instanceof NetworkWeights ? source : new NetworkWeights(source, options).packAll();
    this.kernels = network.kernels;
    this.#budgetBytes = network.budgetBytes;
    this.architecture = network.architecture;
    this.preprocessing = network.preprocessing;
    this.labels = network.labels;
    this.precision = network.precision;
    this.#weights = network.packed;
    this.#fc = network.fc;
    this.weightBytes = [...network.packed.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Prepares the forward pass over N pictures of H×W; the one of the latest shape is kept.
   *
   * @param options what is measured at the end of each scale: SMOE Scale by default
   * @throws {ShapeError} as `plan`, or where the pass would take more than the budget leaves, or its
   * arena more than 2 GiB
   */
  forward(N: number, H: number, W: number, options: PlanOptions = {}): Forward {
    const { taps = true, statistic = 'smoe' } = options;
    const key = `${N} ${H} ${W} ${taps && statistic}`;
    if (this.#forward?.key !== key) {
      const passPlan = plan(this.architecture, [N, H, W], options);
      const { steps, buffers, arenaBytes } = passPlan;
      if (arenaBytes > MAX_ARENA_BYTES) {
        throw new ShapeError(
          `forward: an input of ${N}×${H}×${W} takes ${arenaBytes} bytes (${(arenaBytes / 2 ** 30).toFixed(1)} GiB) of activations, at most ${MAX_ARENA_BYTES} are allocated: choose a smaller size`,
        );
      }
      this.#refusePass(passPlan);
      // The old arena goes before the new one comes.
      this.#forward?.forward.release();
      this.#forward = undefined;
      const { kernels } = this;
      const program = kernels.bind(steps, buffers, this.#weights);
      this.#forward = {
        key,
        forward: new BoundForward(passPlan, program, kernels.maps?.bytes ?? 0),
      };
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

  #refusePass(passPlan: Plan): void {
    const { N, H, W } = passPlan;
    const { weightBytes, architecture, precision } = this;
    const budgetBytes = this.#budgetBytes;
    const bytes = passBytes(this.kernels, architecture, precision, passPlan);
    if (weightBytes + bytes <= budgetBytes) return;
    throw new ShapeError(
      `forward: an input of ${N}×${H}×${W} takes ${megabytes(bytes)} beside ${megabytes(weightBytes)} of weights, and the budget is ${megabytes(budgetBytes)}: choose a smaller size`,
    );
  }
}

/** A plan bound to memory. Views are asked for anew each time: a backend may move its memory. */
class BoundForward implements Forward {
  readonly plan: Plan;
  readonly #program: Program;
  readonly #maps: Float32Array[];
  readonly #sharedBytes: number;

  /** @param sharedBytes what the backend keeps for the maps of any pass */
  constructor(passPlan: Plan, program: Program, sharedBytes: number) {
    this.plan = passPlan;
    this.#program = program;
    this.#sharedBytes = sharedBytes;
    this.#maps = new Array(passPlan.taps.length);
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

  get maps(): readonly Float32Array[] {
    this.plan.taps.forEach((tap, i) => {
      this.#maps[i] = this.#program.buffer(tap.map);
    });
    return this.#maps;
  }

  get bytes(): number {
    return this.#program.bytes + this.#sharedBytes;
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
