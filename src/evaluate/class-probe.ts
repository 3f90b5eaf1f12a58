/**
 * The probability that a network gives to one class of one picture, for many changed versions of the picture. They go
 * through the network as batches.
 *
 * The probability is the softmax of the logits or the sigmoid of the logit, as the network decides. A single logit has
 * two sides. The probability is then that of the side on which the unchanged picture is.
 */

import { ShapeError } from '../errors.js';
import { probabilitiesOf } from '../explanation.js';
import type { NetworkInput } from '../methods/gradients/passes.js';
import { type Network, topClass } from '../model/index.js';

/** What the network says of a picture. */
export interface ClassScore {
  /** Of the class, 0…1. */
  readonly probability: number;
  /** Whether the class is the most likely one; of a single logit, whether the side is the same. */
  readonly isTop: boolean;
}

/** The largest batch: larger ones are no faster, and take more memory. */
const BATCH = 8;

export class ClassProbe {
  readonly input: NetworkInput;
  readonly target: number;
  /** Of the unchanged picture. */
  readonly whole: ClassScore;
  readonly #net: Network;
  /** Of a single logit: whether the unchanged picture is on the side below 0. */
  readonly #isOther: boolean;

  /**
   * @param input the picture as the network takes it
   * @param target index of the class; without it the most likely one
   * @throws {ShapeError} if the network has no classifier or not this class, or gives a logit that is not finite
   */
  constructor(net: Network, input: NetworkInput, target?: number) {
    if (net.labels.length === 0) throw new ShapeError('evaluate: the network has no classifier');
    this.#net = net;
    this.input = input;
    const logits = this.#logits([input.data], 1);
    this.target = target === undefined ? topClass(logits) : net.classIndex(target);
    this.#isOther = logits.length === 1 && logits[0]! < 0;
    this.whole = this.#score(logits);
  }

  /**
   * @param changed versions of the picture, each [H, W, channels], made one after the other. Each is read before the
   * next is made, so that all may use the same memory
   */
  scores(changed: Iterable<Float32Array>): ClassScore[] {
    const scores: ClassScore[] = [];
    const classes = this.#net.labels.length;
    const batch: Float32Array[] = [];
    const run = (): void => {
      const logits = this.#logits(batch, BATCH);
      for (let n = 0; n < batch.length; n++) {
        scores.push(this.#score(logits.subarray(n * classes, (n + 1) * classes)));
      }
      batch.length = 0;
    };
    for (const x of changed) {
      batch.push(x.slice());
      if (batch.length === BATCH) run();
    }
    if (batch.length > 0) run();
    return scores;
  }

  /** @param N of the pass; places without a picture keep what they had */
  #logits(pictures: readonly Float32Array[], N: number): Float32Array {
    const { H, W } = this.input;
    const forward = this.#net.forward(N, H, W, { taps: false });
    for (const [n, x] of pictures.entries()) forward.input.set(x, n * x.length);
    forward.run();
    const logits = forward.logits.slice(0, pictures.length * this.#net.labels.length);
    const bad = logits.find((logit) => !Number.isFinite(logit));
    if (bad !== undefined) throw new ShapeError(`evaluate: the network gives the logit ${bad}`);
    return logits;
  }

  #score(logits: Float32Array): ClassScore {
    const { activation } = this.#net;
    if (logits.length === 1) {
      const isOther = logits[0]! < 0;
      const [probability] = probabilitiesOf(new Float64Array(1), logits, activation);
      return {
        probability: this.#isOther ? 1 - probability! : probability!,
        isTop: isOther === this.#isOther,
      };
    }
    const probabilities = probabilitiesOf(new Float64Array(logits.length), logits, activation);
    return {
      probability: probabilities[this.target]!,
      isTop: topClass(logits) === this.target,
    };
  }
}
