/**
 * The passes of one attribution: gradients of the same score of the same classes at many inputs, several in one pass.
 *
 * The classes are those of the picture itself, for every noisy input and every step on the way to it.
 */

import { ShapeError } from '../../errors.js';
import {
  type GradientPass,
  type GradientRequest,
  gradientPass,
} from '../../model/gradient/pass.js';
import type { Score, Targets } from '../../model/gradient/score.js';
import { type Network, topClass } from '../../model/index.js';

/** One picture as the network takes it. */
export interface NetworkInput {
  /** [H, W, channels], normalised. */
  readonly data: Float32Array;
  readonly H: number;
  readonly W: number;
}

export interface PassesOptions {
  readonly score: Score;
  /** Indices of the classes; none stands for the most likely class of the picture. */
  readonly targets: Targets;
  /** Called after each pass with the number of inputs that are done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Stops between two passes. */
  readonly signal?: { throwIfAborted(): void } | undefined;
}

/**
 * The largest batch, and the most bytes of its arena. Of the bundled model at 32×32 a batch of 8 takes half the time of 8
 * passes, at 64×64 three quarters of it with SIMD and 0.6 without: the layers of the last scales have few pixels. From
 * 128×128 on, as for ResNet-50 at 224×224, it takes as long as they do (measured).
 */
const MAX_BATCH = 8;
const MAX_BATCH_BYTES = 8e6;

export class Passes {
  readonly net: Network;
  readonly input: NetworkInput;
  readonly #options: PassesOptions;
  #targets: Targets;
  #logits: Float32Array | undefined;
  /** Backward passes until now; a batch of N counts N times. */
  count = 0;
  /** Bytes of the largest pass. */
  bytes = 0;
  /** The least share of the forward pass's values that a pass kept. */
  keptShare = 1;

  constructor(net: Network, input: NetworkInput, options: PassesOptions) {
    this.net = net;
    this.input = input;
    this.#options = options;
    this.#targets = options.targets;
  }

  /** [classes], of the picture. */
  get logits(): Float32Array {
    if (!this.#logits) {
      const { data, H, W } = this.input;
      const forward = this.net.forward(1, H, W, { taps: false });
      forward.input.set(data);
      forward.run();
      this.#learn(forward.logits);
    }
    return this.#logits!;
  }

  /** The classes that are explained. */
  get targets(): Targets {
    if (this.#targets.length === 0) this.#targets = [topClass(this.logits)];
    return this.#targets;
  }

  /**
   * One pass for values inside the network.
   *
   * @param names of the values
   * @param x [H, W, channels]; default: the picture
   * @returns views that are valid until the next pass
   */
  at(names: readonly string[], x: Float32Array = this.input.data): GradientPass {
    return this.#alone(x, { at: names });
  }

  /**
   * Gradients with respect to the input at many points. Each is the same as if it were computed alone, bit for bit.
   *
   * @param point point i, [H, W, channels]; it is read before the next one is made
   * @param take is given each gradient, [H, W, channels], in order; the view is valid during the call
   */
  each(
    count: number,
    guided: boolean,
    point: (i: number) => Float32Array,
    take: (gradient: Float32Array, i: number) => void,
  ): void {
    // The first point alone: then it is known how much memory a pass takes. If it is the picture, its logits are known, too.
    const first = this.#alone(point(0), { guided });
    take(first.gradients[0]!, 0);
    const pass = this.#batch(count - 1, guided, first);
    const { N } = pass.plan;
    const size = pass.input.length / N;
    for (let done = 1; done < count; done += N) {
      const length = Math.min(N, count - done);
      for (let i = 0; i < N; i++) {
        // Places that are left over repeat the last point.
        if (i < length) pass.input.set(point(done + i), i * size);
        else pass.input.copyWithin(i * size, (length - 1) * size, length * size);
        pass.targets[i] = this.targets;
      }
      this.#run(pass, length);
      const gradients = pass.gradients[0]!;
      for (let i = 0; i < length; i++) {
        take(gradients.subarray(i * size, (i + 1) * size), done + i);
      }
    }
  }

  #alone(x: Float32Array, request: Omit<GradientRequest, 'score'>): GradientPass {
    const isPicture = x === this.input.data;
    const targets = isPicture ? this.#targets : this.targets;
    const pass = this.#prepare(1, request);
    pass.input.set(x);
    pass.targets[0] = targets;
    this.#run(pass, 1);
    if (isPicture) this.#learn(pass.logits);
    return pass;
  }

  /** A pass for the rest of the inputs, in batches of equal size: these waste the fewest places. */
  #batch(rest: number, guided: boolean, first: GradientPass): GradientPass {
    const { plan, keptShare } = first;
    const most = Math.max(1, Math.min(MAX_BATCH, Math.floor(MAX_BATCH_BYTES / plan.arenaBytes)));
    const N = Math.ceil(rest / Math.ceil(rest / most));
    if (!(N > 1)) return first;
    try {
      const pass = this.#prepare(N, { guided });
      if (pass.keptShare >= keptShare) return pass;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
    // The network's budget has no room for it, or only if values are computed twice, which takes longer.
    return this.#prepare(1, { guided });
  }

  #prepare(N: number, request: Omit<GradientRequest, 'score'>): GradientPass {
    const { H, W } = this.input;
    return gradientPass(this.net, [N, H, W], { ...request, score: this.#options.score });
  }

  #run(pass: GradientPass, inputs: number): void {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    pass.run();
    this.count += inputs;
    this.bytes = Math.max(this.bytes, pass.bytes);
    this.keptShare = Math.min(this.keptShare, pass.keptShare);
    onProgress?.(this.count);
  }

  /** Keeps the logits of the picture. @throws {ShapeError} if the network overflows */
  #learn(logits: Float32Array): void {
    const bad = logits.findIndex((logit) => !Number.isFinite(logit));
    if (bad >= 0) {
      throw new ShapeError(
        `attribute: the network gives ${logits[bad]} for class ${bad}: weights too large, or misread`,
      );
    }
    this.#logits ??= logits.slice();
  }
}
