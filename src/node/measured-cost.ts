/**
 * The paper's Table 6 for any network and size: the operations of saliency, together with the time that
 * they take here.
 *
 * SMOE Scale is fused into convolutions, so its time is a difference: the same network with taps and
 * without. On a busy machine whole passes vary by more than that. So each step is run in both plans, one
 * right after the other, and each is first in turn. The cost of a tap is the median of the
 * differences.
 */

import { mapsCost } from '../cost.js';
import { type Backend, isConv2d, type Kernels, type Step } from '../kernels/index.js';
import { combinedMap, normalizedMap } from '../methods/index.js';
import { type Forward, smoeOps } from '../model/index.js';
import type { SaliencyMap } from '../viz/index.js';
import { noiseImage, noiseModel } from './noise-model.js';
import { median, sampleRounds, time } from './stopwatch.js';

export interface CostOptions {
  /** The name of an architecture; default `resnet50`. */
  readonly architecture?: string;
  /** Side of the square input; default 224. */
  readonly size?: number;
  readonly backend?: Backend;
  /** Passes to take the medians of; default 10. */
  readonly rounds?: number;
}

/** Operations by the paper's count, and the median of the milliseconds measured. */
export interface CostOfPart {
  readonly ops: number;
  readonly ms: number;
}

export interface CostOfTap extends CostOfPart {
  /** The value at the end of the scale: `relu`, `layer1` … */
  readonly name: string;
  /** [H, W, C] of the activations. */
  readonly shape: readonly [number, number, number];
}

export interface SaliencyCost {
  readonly model: string;
  readonly backend: string;
  readonly size: number;
  readonly rounds: number;
  /** The bare network, without taps. */
  readonly network: { readonly macs: number; readonly ms: number };
  /** SMOE Scale, scale by scale. A time below 0 is smaller than the noise. */
  readonly smoe: readonly CostOfTap[];
  /** All maps, normalised with the Gaussian distribution function. */
  readonly normalize: CostOfPart;
  /** Combined into a map of the input's size. */
  readonly combine: CostOfPart;
  /** All of the above but the network. */
  readonly saliency: CostOfPart;
  /** Of the maps, with the largest counted twice. */
  readonly mapBytes: number;
}

/** The usual input size of ImageNet's networks. */
const IMAGENET_SIZE = 224;

/**
 * Counts and measures the saliency of a network with random weights.
 *
 * @throws {ShapeError} for an architecture that is not in the table, or a size out of range
 */
export async function measureCost(options: CostOptions = {}): Promise<SaliencyCost> {
  const { architecture = 'resnet50', size = IMAGENET_SIZE, backend, rounds = 10 } = options;
  // Each in its own backend, so that both passes stay bound.
  const tapped = await noiseModel(architecture, backend);
  const bare = await noiseModel(architecture, backend);
  const withTaps = tapped.net.forward(1, size, size);
  const without = bare.net.forward(1, size, size, { taps: false });
  const { taps, steps } = withTaps.plan;
  const { kernels } = tapped.net;
  const image = noiseImage(size);
  const samples = sampleRounds(rounds, (round) => {
    withTaps.input.set(image);
    without.input.set(image);
    let bareStep = 0;
    const pairs = steps.map((step, i) => {
      // A tap that is not fused into a convolution is its own step.
      if (isTapStep(step)) return { ms: 0, tapMs: time(() => withTaps.runStep(i)) };
      const early = round % 2 === 0 ? time(() => withTaps.runStep(i)) : undefined;
      const bareIndex = bareStep++;
      const ms = time(() => without.runStep(bareIndex));
      const tappedMs = early ?? time(() => withTaps.runStep(i));
      return { ms, tapMs: tappedMs - ms };
    });
    let maps: SaliencyMap[] = [];
    const normalizeMs = time(() => {
      maps = normalized(withTaps, kernels);
    });
    return { pairs, normalizeMs, combineMs: time(() => combined(maps, size, kernels)) };
  });

  const medianOfStep = (i: number, part: 'tapMs' | 'ms'): number =>
    median(samples.map(({ pairs }) => pairs[i]![part]));
  const smoe = taps.map(({ name, H, W, C, map }): CostOfTap => {
    const ending = steps.findIndex((step) =>
      isConv2d(step) ? step.smoe === map : step.out === map,
    );
    const ms = medianOfStep(ending, 'tapMs');
    return { name, shape: [H, W, C], ops: smoeOps({ H, W, C }), ms };
  });
  const { mapBytes, ...ops } = mapsCost(
    taps.map(({ H, W }) => H * W),
    size * size,
  );
  const normalize = {
    ops: ops.normalize,
    ms: median(samples.map(({ normalizeMs }) => normalizeMs)),
  };
  const combine = { ops: ops.combine, ms: median(samples.map(({ combineMs }) => combineMs)) };
  return {
    model: tapped.name,
    backend: tapped.backend,
    size,
    rounds,
    network: {
      macs: without.plan.macs,
      ms: steps.reduce((sum, _, i) => sum + medianOfStep(i, 'ms'), 0),
    },
    smoe,
    normalize,
    combine,
    saliency: sumOf([...smoe, normalize, combine]),
    mapBytes,
  };
}

function isTapStep({ op }: Step): boolean {
  return op === 'smoe';
}

/** The maps of a pass by the default normaliser. */
export function normalized({ plan, maps }: Forward, kernels: Kernels): SaliencyMap[] {
  return plan.taps.map(({ H, W }, i) => normalizedMap(kernels, maps[i]!, [H, W]));
}

/** The maps of a pass combined, [size, size]. */
export function combined(
  maps: readonly SaliencyMap[],
  size: number,
  kernels: Kernels,
): SaliencyMap {
  const region = { x: 0, y: 0, width: size, height: size };
  return combinedMap(kernels, maps, [size, size], 'equal', region);
}

/** The sum of several parts. */
export function sumOf(parts: readonly CostOfPart[]): CostOfPart {
  return parts.reduce((sum, { ops, ms }) => ({ ops: sum.ops + ops, ms: sum.ms + ms }), {
    ops: 0,
    ms: 0,
  });
}
