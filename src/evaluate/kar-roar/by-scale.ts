/**
 * KAR and ROAR by scale (section 3.1 of Mundhenk et al. 2019, arXiv 1911.11293): at the end of a scale, the columns of the
 * activations are multiplied by a mask of zeros and ones that a statistic's own map decides. What comes behind is trained
 * again; what comes before is fixed, so that the activations are computed once. The better the statistic finds what matters,
 * the more is left when its pixels are kept (KAR), and the less when they are removed (ROAR).
 */

import { ShapeError } from '../../errors.js';
import type { Statistic } from '../../kernels/operators.js';
import { valueNamed } from '../../model/graph/node.js';
import { Network, plan } from '../../model/index.js';
import type { Examples } from '../../train/index.js';
import { type FineTuning, fineTunedAccuracy, type Part } from './fine-tuning.js';
import { keptPixels, type Mode, maskColumns, randomMap } from './masks.js';

/** A statistic, a statistic whose order is reversed, or random numbers. */
export type Ranking = Statistic | `-${Statistic}` | 'random';

/** Share of the pixels that are kept: the most salient 2.5 % by KAR, the least salient 10 % by ROAR, as in the paper. */
export const KEPT_BY_SCALE: Readonly<Record<Mode, number>> = { kar: 0.025, roar: 0.1 };

/** The activations at the end of a scale, and their maps. */
interface Activations {
  readonly length: number;
  readonly H: number;
  readonly W: number;
  /** Of each picture, [H, W, C]. */
  readonly values: readonly Float32Array[];
  /** Of each picture by statistic, [H, W]. */
  readonly maps: readonly ReadonlyMap<Statistic, Float32Array>[];
  target(i: number): number;
}

export interface ScaleExperiment {
  readonly ranking: Ranking;
  readonly mode: Mode;
  /** Of the training, and of a random mask. */
  readonly seed: number;
}

/** The experiments at one scale. Their activations are kept in memory: 4·H·W·C bytes for each picture. */
export class ScaleExperiments {
  readonly #part: Part;
  readonly #training: Activations;
  readonly #validation: Activations;

  /**
   * @param part `from` names the end of the scale
   * @param sets inputs of the network, [H, W, channels]
   * @throws {ShapeError} for a value that the network does not have
   */
  constructor(
    part: Part & { readonly from: string },
    sets: { readonly training: Examples; readonly validation: Examples },
    statistics: readonly Statistic[],
  ) {
    if (statistics.length === 0) throw new ShapeError('kar-roar: expected at least 1 statistic');
    this.#part = part;
    this.#training = activationsOf(part, sets.training, statistics);
    this.#validation = activationsOf(part, sets.validation, statistics);
  }

  /** Trains what is behind the scale on masked activations. @returns the accuracy on masked activations */
  accuracy({ ranking, mode, seed }: ScaleExperiment, options: FineTuning): Promise<number> {
    const masked = (own: Activations) => maskedExamples(own, ranking, mode, seed);
    const sets = { training: masked(this.#training), validation: masked(this.#validation) };
    return fineTunedAccuracy(this.#part, sets, options, seed);
  }
}

function activationsOf(
  { network, kernels, size, from }: Part & { readonly from: string },
  examples: Examples,
  statistics: readonly Statistic[],
): Activations {
  const net = new Network(network, { kernels, precision: 'f32' });
  try {
    net.packAll();
    const pass = net.pass(`up to ${from}`, () => {
      const { graph } = net.preparedAt(...size);
      const end = valueNamed(graph, from);
      return {
        plan: plan({ graph, ends: [end], kept: [end] }, [1, ...size], { statistic: statistics }),
      };
    });
    const { taps, kept } = pass.plan;
    const { H, W } = kept[0]!.shape;
    const values: Float32Array[] = [];
    const maps: Map<Statistic, Float32Array>[] = [];
    for (let i = 0; i < examples.length; i++) {
      examples.read(pass.input, i);
      pass.run();
      values.push(pass.buffer(kept[0]!.buffer).slice());
      maps.push(new Map(taps.map(({ statistic }, t) => [statistic, pass.maps[t]!.slice()])));
    }
    return { length: examples.length, H, W, values, maps, target: (i) => examples.target(i) };
  } finally {
    net.dispose();
  }
}

function maskedExamples(own: Activations, ranking: Ranking, mode: Mode, seed: number): Examples {
  const { H, W, values, length, target } = own;
  const masks = values.map((_, i) =>
    keptPixels(rankingMap(own, ranking, seed, i), [H, W], mode, KEPT_BY_SCALE[mode]),
  );
  return {
    ...{ length, target },
    read(out, i) {
      out.set(values[i]!);
      maskColumns(out, masks[i]!);
    },
  };
}

function rankingMap({ H, W, maps }: Activations, ranking: Ranking, seed: number, i: number) {
  if (ranking === 'random') return randomMap(H * W, seed, i);
  if (!ranking.startsWith('-')) return maps[i]!.get(ranking as Statistic)!;
  return maps[i]!.get(ranking.slice(1) as Statistic)!.map((value) => -value);
}
