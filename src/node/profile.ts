/**
 * The time of each layer in a forward pass, and how much of its backend's peak speed each layer
 * reaches.
 *
 * Whole passes are run, step by step. If one step were repeated alone, its weights would be in the
 * cache, which never happens in the last stages of a network. The peak is the speed of the backend's
 * microkernel, a matrix product that stays in the cache. It is timed before each pass, so that a
 * change in the machine's speed affects both.
 */

import {
  type Algorithm,
  type Backend,
  conv2dShape,
  type Kernels,
  layerWeights,
  makeKernels,
  type Statistic,
} from '../kernels/index.js';
import { combined, normalized } from './measured-cost.js';
import type { Model } from './model-file.js';
import { noiseImage } from './noise-model.js';
import { describeStep, type StepText } from './step-text.js';
import { median, sampleRounds, time } from './stopwatch.js';

export interface ProfileOptions {
  /** Side of the square input; default the model's own. */
  readonly size?: number;
  /** Passes that are timed; default 10. */
  readonly rounds?: number;
  /** Default `smoe`, which is fused into its layers; any other statistic is its own layer. */
  readonly statistic?: Statistic;
}

/** A rate of multiply–accumulates, as direct convolution counts them. */
export interface Rate {
  readonly macs: number;
  /** The median of the rounds. */
  readonly ms: number;
  readonly gmacPerSecond: number;
  /** The rate as a share of the microkernel's. Winograd's algorithm and skipped zeros can make it exceed 1. */
  readonly ofMicrokernel: number;
}

export interface LayerProfile extends Rate, StepText {
  readonly algorithm?: Algorithm;
  /** Share of the network's time. */
  readonly share: number;
}

export interface Profile {
  readonly size: number;
  readonly rounds: number;
  readonly microkernelGmacPerSecond: number;
  /** The sum of the layers. */
  readonly network: Rate;
  /** Normalising and combining the maps. The statistics at the taps are timed with the layers. */
  readonly saliencyMs: number;
  /** In the order of the pass. */
  readonly layers: readonly LayerProfile[];
}

/** Passes before measuring, so that the engine compiles the code. */
const WARM_UP_MS = 200;

/**
 * The product that is timed for the microkernel, M×K by K×N: 250 KB, which fits in a second-level cache.
 * Of the shapes that fit, this one is within 1 % of the fastest in WebAssembly, within 4 % in
 * JavaScript (measured). N is not a multiple of 16: such products would be sparse in WebAssembly.
 */
const [M, K, N] = [48, 512, 72];

/**
 * The microkernel is timed in batches no longer than a layer: when processes compete, a longer batch
 * would be interrupted more often than a layer.
 */
const BATCH_MS = 0.5;
const BATCHES = 10;

/**
 * Profiles forward passes of one square picture.
 *
 * @throws {ShapeError} for a size out of range
 */
export async function profileModel(
  { net, backend }: Pick<Model, 'net' | 'backend'>,
  { size = net.preprocessing.size, rounds = 10, statistic = 'smoe' }: ProfileOptions = {},
): Promise<Profile> {
  const microkernel = new Microkernel(await makeKernels(backend as Backend));
  const pass = net.forward(1, size, size, { statistic });
  const { steps } = pass.plan;
  const saliency = () => combined(normalized(pass, net.kernels), size, net.kernels);
  const image = noiseImage(size);
  const samples = sampleRounds(rounds, () => {
    const peak = microkernel.macsPerMs();
    // Later layers use the input's memory too.
    pass.input.set(image);
    const ms = steps.map((_, i) => time(() => pass.runStep(i)));
    return { peak, ms, saliencyMs: time(saliency) };
  });

  const peak = median(samples.map((sample) => sample.peak));
  const rateOf = (macs: number, ms: number): Rate => ({
    macs,
    ms,
    gmacPerSecond: macs / ms / 1e6,
    ofMicrokernel: macs / ms / peak,
  });
  const layerMs = steps.map((_, i) => median(samples.map(({ ms }) => ms[i]!)));
  const networkMs = layerMs.reduce((sum, ms) => sum + ms, 0);
  return {
    size,
    rounds,
    microkernelGmacPerSecond: peak / 1e6,
    network: rateOf(pass.plan.macs, networkMs),
    saliencyMs: median(samples.map((sample) => sample.saliencyMs)),
    layers: steps.map((step, i) => {
      const algorithm = pass.algorithm(i);
      const described = describeStep(step);
      return {
        ...described,
        ...(algorithm && { algorithm }),
        ...rateOf(described.macs, layerMs[i]!),
        share: layerMs[i]! / networkMs,
      };
    }),
  };
}

/** A backend's microkernel, hot: a 1×1 convolution of M pixels over and over. */
class Microkernel {
  readonly #run: () => void;
  readonly #repeats: number;

  constructor(kernels: Kernels) {
    const extents = { N: 1, H: 1, W: M, Cin: K, Cout: N, kH: 1, kW: 1, groups: 1 };
    const shape = conv2dShape({ ...extents, strideY: 1, strideX: 1, padY: 0, padX: 0 });
    const weight = new Float32Array(N * K).fill(0.5);
    const packed = kernels.packConv2d(shape, layerWeights(weight, new Float32Array(N)));
    const program = kernels.bind(
      [{ op: 'conv2d', weights: 'w', shape, x: 0, out: 1, sparse: false }],
      [
        { offset: 0, length: M * K },
        { offset: M * K, length: M * N },
      ],
      new Map([['w', packed]]),
    );
    program.buffer(0).fill(0.5);
    this.#run = () => program.run();
    const start = performance.now();
    while (performance.now() - start < WARM_UP_MS) this.#run();
    let repeats = 1;
    while (this.#msOf(repeats) < BATCH_MS) repeats *= 2;
    this.#repeats = repeats;
  }

  /** The median of several batches, measured again at each call. */
  macsPerMs(): number {
    const ms = Array.from({ length: BATCHES }, () => this.#msOf(this.#repeats));
    return (this.#repeats * M * K * N) / median(ms);
  }

  #msOf(repeats: number): number {
    return time(() => {
      for (let i = 0; i < repeats; i++) this.#run();
    });
  }
}
