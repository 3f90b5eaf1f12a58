/** All measures of a picture file, in this thread or in one of many. */

import { setImmediate } from 'node:timers/promises';
import { inputOf } from '../../attribute.js';
import {
  type Agreement,
  agreementOf,
  boxOnMap,
  ClassProbe,
  type MadeMap,
  type MapMeasures,
  type Metric,
  makeMaps,
  mapMeasures,
  randomizedDepths,
  randomizedNetwork,
  spearmanRho,
} from '../../evaluate/index.js';
import { type ExplainingNetwork, networkOf } from '../../explain.js';
import type { NetworkInput } from '../../methods/gradients/passes.js';
import { type Fit, overWhite, type RecognizedNetwork } from '../../model/index.js';
import type { LabelledPicture } from '../labelled-pictures.js';
import { type Model, withClassMaps } from '../model-file.js';
import { openNetwork } from '../model-weights.js';
import { readPicture } from '../pictures/decode.js';
import type { DecodeOptions } from '../pictures/format.js';

/** What is measured, the same for all pictures of a run. Plain data. */
export interface Measured extends DecodeOptions {
  /** Names as in `EVALUATED_METHODS`. */
  readonly methods: readonly string[];
  readonly metrics: readonly Metric[];
  readonly fit?: Fit;
  readonly size?: number;
  readonly taps?: readonly string[];
}

/** A picture, as it is sent to a thread. */
export interface PictureTask {
  readonly picture: LabelledPicture;
  /** Of the picture's random map and noise. */
  readonly seed: number;
  /** Of the random weights; absent if this picture has no part in that check. */
  readonly weightsSeed?: number;
  readonly measured: Measured;
}

/** The measures of a picture. */
export interface PictureRecord {
  /** Its name in the data set. */
  readonly picture: string;
  readonly target: number;
  /** Of the target, for the picture itself. */
  readonly probability: number;
  readonly isTop: boolean;
  /** By the name of the method. */
  readonly methods: Readonly<Record<string, MethodRecord>>;
  readonly agreement?: Agreement;
  readonly randomization?: RandomizationRecord;
}

export interface MethodRecord extends MapMeasures {
  readonly ms: number;
  /** Why there is no map. */
  readonly error?: string;
}

export interface RandomizationRecord {
  /** The logits first; see `randomizedDepths`. */
  readonly depths: readonly string[];
  /** Spearman's ρ at each depth, by the name of the method. */
  readonly rho: Readonly<Record<string, readonly number[]>>;
}

export interface Watching {
  /** Called with the share that is done. */
  readonly onProgress?: (share: number) => void;
  /** Stops between two maps. */
  readonly signal?: AbortSignal;
}

/**
 * Measures the maps of all methods for one picture.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} if the network has no classifier, or overflows
 */
export async function evaluatePicture(
  model: Model,
  task: PictureTask,
  watching: Watching = {},
): Promise<PictureRecord> {
  const { picture, seed, weightsSeed, measured } = task;
  const { net } = model;
  const { metrics, methods } = measured;
  const pixels = overWhite(await readPicture(picture.path, measured));
  const { input, region } = inputOf(net, pixels, measured);
  const probe = new ClassProbe(net, input, picture.target);
  const depths =
    metrics.includes('randomization') && weightsSeed !== undefined ? randomizedDepths(net) : [];
  const step = stepper(watching, methods.length * (2 + depths.length));
  const made = await mapsOf(net, input, task, seed, step);
  const boxes = (picture.boxes ?? []).flatMap(
    (box) => boxOnMap(box, region, [input.H, input.W]) ?? [],
  );
  const records: Record<string, MethodRecord> = {};
  for (const { name, map, ms, error } of made) {
    await step();
    const options = { metrics, boxes, preprocessing: net.preprocessing, seed };
    records[name] = {
      ms,
      ...(error !== undefined && { error }),
      ...(map && mapMeasures(probe, map, options)),
    };
  }
  const agreement = metrics.includes('agreement') ? agreementOf(made) : undefined;
  const { probability, isTop } = probe.whole;
  return {
    ...{ picture: picture.name, target: probe.target, probability, isTop, methods: records },
    ...(agreement && { agreement }),
    ...(depths.length > 0 && {
      randomization: await randomization(model, input, task, made, step),
    }),
  };
}

type Step = () => Promise<void>;

/** Ctrl-C arrives between two steps. */
function stepper({ onProgress, signal }: Watching, steps: number): Step {
  let done = 0;
  return async () => {
    onProgress?.(done++ / steps);
    await setImmediate();
    signal?.throwIfAborted();
  };
}

async function mapsOf(
  net: ExplainingNetwork,
  input: NetworkInput,
  { picture: { target }, measured: { methods, taps } }: PictureTask,
  seed: number,
  step: Step,
): Promise<MadeMap[]> {
  const made: MadeMap[] = [];
  const options = { target, seed, ...(taps && { taps }), now: () => performance.now() };
  for (const one of makeMaps(net, input, methods, options)) {
    made.push(one);
    await step();
  }
  return made;
}

/** @param made by the trained network */
async function randomization(
  model: Model,
  input: NetworkInput,
  task: PictureTask,
  made: readonly MadeMap[],
  step: Step,
): Promise<RandomizationRecord> {
  const { net } = model;
  const depths = randomizedDepths(net);
  const rho: Record<string, number[]> = {};
  const opened = await openNetwork(model.name, model.options);
  try {
    for (const [d, { layers }] of depths.entries()) {
      const random = randomizedNetwork(opened.network, net, layers, task.weightsSeed!);
      const other = await alike(model, random);
      try {
        // The random map of another seed: it shows what no similarity at all looks like.
        const maps = await mapsOf(other, input, task, task.seed + d + 1, step);
        for (const [i, { name, map }] of maps.entries()) {
          const trained = made[i]!.map;
          rho[name] ??= [];
          rho[name].push(map && trained ? spearmanRho(trained, map) : Number.NaN);
        }
      } finally {
        other.dispose();
      }
    }
  } finally {
    opened.close();
  }
  return { depths: depths.map(({ name }) => name), rho };
}

/** Another network with the options of a model, in the memory of the same backend. */
function alike({ net, options }: Model, network: RecognizedNetwork): Promise<ExplainingNetwork> {
  const { labels: _, ...rest } = options;
  const { kernels, labels, preprocessing } = net;
  return withClassMaps(networkOf(network, { ...rest, kernels, labels, preprocessing }));
}
