/**
 * What other methods cost beside saliency: the backward passes of a network with random weights, timed in turns with
 * its forward pass.
 *
 * A backward pass follows a forward pass that keeps its values. Both are one plan, whose step `score` separates them.
 * In each round the bare forward pass and this plan are run, one right after the other. A ratio is that of two medians
 * of the same rounds. A method that needs many passes is counted, not timed: passes × (forward + backward).
 */

import type { Backend } from '../kernels/index.js';
import type { AttributionMethod } from '../methods/gradients/attribution.js';
import { COMPARED_METHODS } from '../methods/gradients/comparison.js';
import { type GradientPass, gradientPass } from '../model/gradient/pass.js';
import { usualScore } from '../model/gradient/score.js';
import type { Network } from '../model/index.js';
import { type CostOptions, measureCost, type SaliencyCost } from './measured-cost.js';
import { noiseImage, noiseModel } from './noise-model.js';
import { median, sampleRounds, time } from './stopwatch.js';

/** The paper's figures, §4.1: how many times as long as SMOE Scale's saliency one backward pass takes, and fifteen. */
export const PAPER_BACKWARD_PASSES = { one: [97, 344], fifteen: [1456, 5181] } as const;

/** Steps of integrated gradients, and noisy inputs of a smoothing, as in the paper. */
const STEPS = 20;
const SAMPLES = 15;

export interface MethodsCost {
  readonly saliency: SaliencyCost;
  /** The backward pass to the input. */
  readonly backward: BackwardCost;
  readonly methods: readonly MethodOverhead[];
  /** Saliency divided by the forward pass; above 0. */
  readonly saliencyShare: number;
  /** One backward pass, and fifteen, divided by saliency. */
  readonly timesSaliency: { readonly one: number; readonly fifteen: number };
}

export interface BackwardCost {
  /** Medians of the same rounds. */
  readonly ms: number;
  readonly forwardMs: number;
  /** `ms` divided by `forwardMs`. */
  readonly ratio: number;
  /** Of both passes, beside the weights: activations, scratch, rearranged weights. */
  readonly bytes: number;
  /** Share of the forward pass's values that are kept; 1 if nothing is computed twice. */
  readonly keptShare: number;
}

/** What a method takes beyond one forward pass. */
export interface MethodOverhead {
  readonly name: string;
  readonly title: string;
  readonly passes: number;
  readonly ms: number;
  /** Divided by the forward pass. */
  readonly ratio: number;
  readonly timesSaliency: number;
  /** Whether it was timed itself; otherwise it is counted in passes that were. */
  readonly isTimed: boolean;
}

/** Backward passes that are timed: what each differentiates by. */
const TIMED = {
  gradcam: (net: Network) => ({ at: net.scales.slice(-1) }),
  bidicam: (net: Network) => ({ at: net.scales }),
  gradient: () => ({}),
  'guided-backprop': () => ({ guided: true }),
} as const;

type Timed = keyof typeof TIMED;

/**
 * Measures saliency as `measureCost`, and the overhead of every other method.
 *
 * @param onProgress called with the number of measurements that are done, and the next one
 * @throws {ShapeError} as `measureCost`
 */
export async function measureMethods(
  options: CostOptions = {},
  onProgress: (done: number, title: string) => void = () => {},
): Promise<MethodsCost> {
  onProgress(0, 'saliency');
  const saliency = await measureCost(options);
  const measured = {} as Record<Timed, BackwardCost>;
  const names = Object.keys(TIMED) as Timed[];
  const run = await passesOf(saliency, options.backend);
  for (const [i, name] of names.entries()) {
    onProgress(1 + i, name);
    measured[name] = run(name);
  }
  const { gradient: backward } = measured;
  const saliencyShare = saliencyTime(saliency) / saliency.network.ms;
  const one = backward.ratio / saliencyShare;
  return {
    saliency,
    backward,
    methods: overheads(measured, saliencyShare),
    saliencyShare,
    timesSaliency: { one, fifteen: SAMPLES * one },
  };
}

/** A tap whose time is below 0, less than the noise, counts as 0: saliency is not made cheaper than it is. */
function saliencyTime({ smoe, normalize, combine }: SaliencyCost): number {
  return smoe.reduce((sum, { ms }) => sum + Math.max(ms, 0), normalize.ms + combine.ms);
}

/** The number of measurements of `measureMethods`. */
export const MEASUREMENTS: number = 1 + Object.keys(TIMED).length;

/** Two copies of the network, so that both passes stay bound. */
async function passesOf(
  { model, size, rounds }: SaliencyCost,
  backend: Backend | undefined,
): Promise<(name: Timed) => BackwardCost> {
  const architecture = model.split(' ')[0]!;
  const [bare, other] = [
    await noiseModel(architecture, backend),
    await noiseModel(architecture, backend),
  ];
  const forward = bare.net.forward(1, size, size, { taps: false });
  const image = noiseImage(size);
  const score = usualScore(bare.net.labels.length);
  return (name) => {
    const pass = gradientPass(other.net, [1, size, size], { score, ...TIMED[name](other.net) });
    const samples = sampleRounds(rounds, (round) => {
      forward.input.set(image);
      pass.input.set(image);
      const early = round % 2 === 0 ? time(() => forward.run()) : undefined;
      const ms = backwardTime(pass);
      return { ms, forwardMs: early ?? time(() => forward.run()) };
    });
    const ms = median(samples.map((sample) => sample.ms));
    const forwardMs = median(samples.map((sample) => sample.forwardMs));
    const { bytes, keptShare } = pass;
    return { ms, forwardMs, ratio: ms / forwardMs, bytes, keptShare };
  };
}

/** Runs a pass, and measures the steps from the score on. */
function backwardTime(pass: GradientPass): number {
  const { steps } = pass.plan;
  const score = steps.findIndex(({ op }) => op === 'score');
  for (let i = 0; i < score; i++) pass.runStep(i);
  return time(() => {
    for (let i = score; i < steps.length; i++) pass.runStep(i);
  });
}

/** Of all methods that need a backward pass, in the order in which they are compared. */
function overheads(
  measured: Readonly<Record<Timed, BackwardCost>>,
  saliencyShare: number,
): MethodOverhead[] {
  const { forwardMs } = measured.gradient;
  return COMPARED_METHODS.flatMap(({ name, title, method, smoothing }) => {
    if (method === 'saliency' || method === 'fastcam') return [];
    const kind = kindOf(method);
    const steps = method === 'integrated-gradients' ? STEPS : 1;
    const passes = steps * (smoothing === 'none' ? 1 : SAMPLES);
    const isOne = passes === 1 && method !== 'guided-gradcam';
    let { ratio } = measured[kind];
    // Each of many passes begins with its own forward pass.
    if (passes > 1) ratio = passes * (1 + ratio);
    // Guided, and the gradients of the last scale.
    if (method === 'guided-gradcam') ratio += 1 + measured.gradcam.ratio;
    const isTimed = isOne && (name === kind || kind === 'gradcam');
    const all = method === 'guided-gradcam' ? 2 : passes;
    const ms = ratio * forwardMs;
    return [{ name, title, passes: all, ms, ratio, timesSaliency: ratio / saliencyShare, isTimed }];
  });
}

/** The timed pass that a method consists of. */
function kindOf(method: AttributionMethod): Timed {
  switch (method) {
    case 'gradient':
    case 'input-x-gradient':
    case 'integrated-gradients':
      return 'gradient';
    case 'guided-backprop':
    case 'guided-gradcam':
      return 'guided-backprop';
    case 'bidicam':
      return 'bidicam';
    default:
      return 'gradcam';
  }
}
