/** Training over many pictures: shuffling, flips, batches, and the schedule of the learning rate. */

import { expectWhole, oneOf, ShapeError } from '../errors.js';
import { uniformGenerator } from '../math/normal-generator.js';
import type { TensorSource } from '../model/formats/tensor-source.js';
import type { RecognizedNetwork } from '../model/nets/index.js';
import { Trainer, type TrainerOptions } from './trainer.js';

/** Labelled inputs. */
export interface Examples {
  readonly length: number;
  /** Writes input `i` to `out` [H, W, C], normalised as the network expects. */
  read(out: Float32Array, i: number): void;
  /** The class of input `i`. */
  target(i: number): number;
}

export type Schedule = 'constant' | 'cosine' | 'step';

/** Names of the schedules, the usual one first. */
export const SCHEDULES: readonly Schedule[] = ['cosine', 'step', 'constant'];

export interface TrainOptions extends Omit<TrainerOptions, 'batch'> {
  /** How often each picture is used. */
  readonly epochs: number;
  /** Pictures of a batch; default 16. Pictures that do not fill the last batch of an epoch are left out. */
  readonly batch?: number;
  /** Of the first step; default 0.01. */
  readonly learningRate?: number;
  /** How it falls: to 0 along a cosine (default), to a tenth after each third of the steps, or not at all. */
  readonly schedule?: Schedule;
  /** Default 0.9. */
  readonly momentum?: number;
  /** Default 1e-4. */
  readonly weightDecay?: number;
  /** Whether half of the inputs are mirrored left to right; default false. */
  readonly flips?: boolean;
  /** Seed of the order and of the flips; the same seed gives the same weights. Default 0. */
  readonly seed?: number;
  /** Such as an `AbortSignal`: stops between two batches, and throws the abort reason. */
  readonly signal?: { throwIfAborted(): void };
  /**
   * Called after each batch with the share that is done, and the batch's loss. It is waited for: a promise that is kept
   * after other work is done keeps a program responsive.
   */
  readonly onProgress?: (done: number, loss: number) => void | Promise<void>;
}

/**
 * Trains a network, or the part behind a value, by stochastic gradient descent on the cross entropy.
 *
 * @returns the weights: those of the network with the trained ones in their place, as float32
 * @throws {ShapeError} for an option out of range, a class that the network does not have, fewer pictures than a batch, and
 * a loss that is not finite; and as the constructor of `Trainer`
 */
export async function train(
  network: RecognizedNetwork,
  examples: Examples,
  options: TrainOptions,
): Promise<TensorSource> {
  const { epochs, batch = 16, learningRate = 0.01, schedule = 'cosine' } = options;
  const {
    momentum = 0.9,
    weightDecay = 1e-4,
    flips = false,
    seed = 0,
    signal,
    onProgress,
  } = options;
  expectWhole('train', { epochs });
  expectWhole('train', { seed }, 0);
  oneOf('schedule', schedule, SCHEDULES);
  checkExamples(examples, batch, network.graph.classes);
  const trainer = new Trainer(network, { ...options, batch });
  try {
    const random = uniformGenerator(seed);
    const order = Int32Array.from({ length: examples.length }, (_, i) => i);
    const batches = Math.floor(examples.length / batch);
    const steps = epochs * batches;
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const at = step % batches;
      if (at === 0) shuffle(order, random);
      fill(trainer, examples, order.subarray(at * batch, (at + 1) * batch), flips, random);
      const rate = learningRate * rateFactor(schedule, step / steps);
      const loss = trainer.step({ learningRate: rate, momentum, weightDecay });
      await onProgress?.((step + 1) / steps, loss);
    }
    return trainer.weights();
  } finally {
    trainer.dispose();
  }
}

/** The learning rate as a share of the first. @param done share of the steps, 0 … 1 */
export function rateFactor(schedule: Schedule, done: number): number {
  if (schedule === 'cosine') return (1 + Math.cos(Math.PI * done)) / 2;
  return schedule === 'step' ? 10 ** -Math.floor(3 * done) : 1;
}

function checkExamples(examples: Examples, batch: number, classes: number): void {
  if (examples.length < batch) {
    throw new ShapeError(`train: ${examples.length} pictures do not fill a batch of ${batch}`);
  }
  // A single logit tells two classes apart.
  const most = Math.max(classes, 2);
  for (let i = 0; i < examples.length; i++) {
    const target = examples.target(i);
    if (!Number.isInteger(target) || target < 0 || target >= most) {
      throw new ShapeError(`train: picture ${i} is of class ${target}, and there are ${most}`);
    }
  }
}

/** Fisher and Yates. @param random numbers in [0, 1) */
function shuffle(order: Int32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}

function fill(
  { input, targets, shape: { H, W, C } }: Trainer,
  examples: Examples,
  order: Int32Array,
  flips: boolean,
  random: () => number,
): void {
  for (const [n, i] of order.entries()) {
    const own = input.subarray(n * H * W * C, (n + 1) * H * W * C);
    examples.read(own, i);
    targets[n] = examples.target(i);
    if (flips && random() < 0.5) mirror(own, W, C);
  }
}

/** Mirrors x [H, W, C] left to right, in place. */
function mirror(x: Float32Array, W: number, C: number): void {
  for (let row = 0; row < x.length; row += W * C) {
    for (let left = 0, right = W - 1; left < right; left++, right--) {
      for (let c = 0; c < C; c++) {
        const [a, b] = [row + left * C + c, row + right * C + c];
        [x[a], x[b]] = [x[b]!, x[a]!];
      }
    }
  }
}
