/** KAR and ROAR over a data set: reads pictures, makes maps, and runs the experiments that are not done yet. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ShapeError } from '../../errors.js';
import {
  accuracyAtInput,
  FRACTIONS,
  type MappedExamples,
} from '../../evaluate/kar-roar/at-input.js';
import { type Ranking, ScaleExperiments } from '../../evaluate/kar-roar/by-scale.js';
import { accuracyOf, type FineTuning, type Part } from '../../evaluate/kar-roar/fine-tuning.js';
import { MODES, randomMap } from '../../evaluate/kar-roar/masks.js';
import { randomizedDepths, randomizedNetwork } from '../../evaluate/randomization.js';
import type { Statistic } from '../../kernels/index.js';
import type { Network, RecognizedNetwork } from '../../model/index.js';
import type { Examples } from '../../train/index.js';
import type { Model } from '../model-file.js';
import { openNetwork } from '../model-weights.js';
import { type DataOptions, findSets, readInputs } from './data.js';
import {
  type KarRoarResult,
  type KarRoarRun,
  type KarRoarSettings,
  type MaskedAt,
  ResultsFile,
  readRun,
} from './experiments.js';
import { INPUT_METHODS, type InputMethod, methodMap, needsFiveScales } from './input-methods.js';

/** The statistics of the paper's Table 1, in its order. */
export const RANKINGS: readonly Ranking[] = [
  ...(['smoe', 'sd', 'truncated-normal-entropy', 'shannon-entropy'] as const),
  ...(['truncated-normal-sd', 'truncated-normal-mean', 'mean'] as const),
  ...(['log-normal-entropy', 'log-normal-mean'] as const),
];

export interface KarRoarOptions extends DataOptions {
  /** Default `scales`. */
  readonly at?: MaskedAt;
  readonly model: Model;
  /** The folder for results; those that are there already are not computed again. */
  readonly out: string;
  /** At scales: statistics, or those of the paper. A minus before a name reverses its order. */
  readonly rankings?: readonly Ranking[];
  /** At scales: their numbers, from 1; default all. */
  readonly scales?: readonly number[];
  /** At the input: names of `INPUT_METHODS`; default all. */
  readonly methods?: readonly string[];
  /** At the input: training begins with random weights, as in the paper. The maps are those of the trained network. */
  readonly fromScratch?: boolean;
  /** Default 1. */
  readonly epochs?: number;
  /** Default 16. */
  readonly batch?: number;
  /** Default 0.05. */
  readonly learningRate?: number;
  /** Default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** What is done now, and the share of all that is done. */
  readonly onProgress?: (done: number, what: string) => void;
}

/**
 * Runs the experiments of one seed.
 *
 * @param path a folder with `train` and `val`, each with a folder for each class
 * @returns the runs of all seeds that are in the output folder with the same settings
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range
 */
export async function karRoar(path: string, options: KarRoarOptions): Promise<KarRoarRun[]> {
  const { model, at = 'scales', out, seed = 1, signal, onProgress = () => {} } = options;
  const { epochs = 1, batch = 16, learningRate = 0.05, fromScratch = false } = options;
  // Wrong options are found before any picture is read.
  const experiments = at === 'scales' ? byScale(options) : atInput(options);
  if (fromScratch && at === 'scales') {
    throw new ShapeError(
      'fromScratch: at the scales, only what is behind them is trained: use it at the input',
    );
  }
  const found = await findSets(path, model, options);
  const read = (set: keyof typeof found) =>
    readInputs(found[set], model, (name) => {
      signal?.throwIfAborted();
      onProgress(0, `reads ${name}`);
    });
  const sets = { training: await read('training'), validation: await read('validation') };
  const opened = await openNetwork(model.name, model.options);
  try {
    const { net } = model;
    const part: Part = { network: opened.network, kernels: net.kernels, size: net.ownSize };
    onProgress(0, 'the network as it is');
    const accuracy = accuracyOf(part, sets.validation);
    const settings: KarRoarSettings = {
      ...{ at, model: model.name, classes: new Set(found.training.map((one) => one.target)).size },
      ...{ training: sets.training.length, validation: sets.validation.length },
      ...{ epochs, batch, learningRate, accuracy },
      ...(fromScratch && { fromScratch }),
    };
    const file = await ResultsFile.open(out, settings, seed);
    const plain: FineTuning = {
      epochs,
      batch,
      learningRate,
      flips: true,
      ...(signal && { signal }),
    };
    const begun = fromScratch ? { ...part, network: scratch(part.network, net, seed) } : part;
    await experiments({ part: begun, sets, file, plain, seed, onProgress });
    return await runsOf(out, settings);
  } finally {
    opened.close();
  }
}

/** The network with random weights in every layer, drawn from the layer's own values: nothing that it learned is left. */
function scratch(network: RecognizedNetwork, net: Network, seed: number): RecognizedNetwork {
  return randomizedNetwork(network, net, randomizedDepths(net).at(-1)!.layers, seed);
}

interface Context {
  readonly part: Part;
  readonly sets: { readonly training: Inputs; readonly validation: Inputs };
  readonly file: ResultsFile;
  readonly plain: FineTuning;
  readonly seed: number;
  readonly onProgress: (done: number, what: string) => void;
}

type Inputs = Examples & { readonly inputs: readonly Float32Array[] };
type Task = Pick<KarRoarResult, 'name' | 'mode' | 'place'>;

/** Runs a task if its result is not there. @param done share of all tasks that is done before it */
async function runTask(
  { file, plain, onProgress }: Context,
  task: Task,
  [done, share]: readonly [number, number],
  accuracyWith: (options: FineTuning) => Promise<number>,
): Promise<void> {
  if (file.has(task)) return;
  const what = `${task.place} ${task.name} ${task.mode}`;
  const start = performance.now();
  onProgress(done, what);
  const accuracy = await accuracyWith({
    ...plain,
    async onProgress(part) {
      onProgress(done + share * part, what);
      // Lets a Ctrl-C arrive.
      await setImmediate();
    },
  });
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  await file.add({ ...task, accuracy, seconds });
}

/** The experiments at the scales. @throws {ShapeError} for a scale that the network does not have */
function byScale(options: KarRoarOptions): (context: Context) => Promise<void> {
  const { scales: names } = options.model.net;
  const { scales = names.map((_, i) => i + 1), rankings = RANKINGS } = options;
  const all: readonly Ranking[] = ['random', ...rankings];
  const tasks = scales.flatMap((scale) => {
    const from = names[scale - 1];
    if (from === undefined) {
      throw new ShapeError(`scales: expected 1 … ${names.length}, got ${scale}`);
    }
    return all.flatMap((name) => MODES.map((mode) => ({ name, mode, place: from })));
  });
  const statistics = new Set(rankings.map((ranking) => ranking.replace(/^-/, '') as Statistic));
  return async (context) => {
    const { part, sets, seed, file, onProgress } = context;
    let open: { readonly from: string; readonly experiments: ScaleExperiments } | undefined;
    for (const [i, task] of tasks.entries()) {
      if (file.has(task)) continue;
      const { name, mode, place: from } = task;
      const done = i / tasks.length;
      if (open?.from !== from) {
        onProgress(done, `activations at ${from}`);
        // The old activations are freed before the new ones are made.
        open = undefined;
        open = {
          from,
          experiments: new ScaleExperiments({ ...part, from }, sets, [...statistics]),
        };
      }
      const { experiments } = open;
      await runTask(context, task, [done, 1 / tasks.length], (own) =>
        experiments.accuracy({ ranking: name, mode, seed }, own),
      );
    }
  };
}

/** The experiments at the input. @throws {ShapeError} for an unknown method */
function atInput(options: KarRoarOptions): (context: Context) => Promise<void> {
  const { model, methods = INPUT_METHODS.map(({ name }) => name) } = options;
  const unknown = methods.find((name) => !INPUT_METHODS.some((method) => method.name === name));
  if (unknown !== undefined) throw new ShapeError(`methods: there is no ${unknown}`);
  const scales = model.net.scales.length;
  const prior = methods.find((name) => needsFiveScales(name));
  if (prior !== undefined && scales !== 5) {
    throw new ShapeError(
      `methods: ${prior}: prior weights are for five scales, and the network has ${scales}: choose other methods`,
    );
  }
  const chosen = [undefined, ...INPUT_METHODS.filter(({ name }) => methods.includes(name))];
  const share = 1 / (chosen.length * FRACTIONS.length * MODES.length);
  return async (context) => {
    const { part, sets, seed, file } = context;
    for (const [i, method] of chosen.entries()) {
      const name = method?.name ?? 'random';
      const tasks = FRACTIONS.flatMap((fraction) =>
        MODES.map((mode) => ({ name, mode, place: String(fraction) })),
      );
      if (tasks.every((task) => file.has(task))) continue;
      const done = i / chosen.length;
      const mapped = {
        training: await withMaps(sets.training, method, context, model, done, 0),
        validation: await withMaps(
          sets.validation,
          method,
          context,
          model,
          done,
          sets.training.length,
        ),
      };
      for (const [j, task] of tasks.entries()) {
        await runTask(context, task, [done + j * share, share], (own) =>
          accuracyAtInput(part, mapped, task.mode, Number(task.place), own, seed),
        );
      }
    }
  };
}

/** The inputs with the map of each; random numbers without a method. @param first number of the first picture */
async function withMaps(
  inputs: Inputs,
  method: InputMethod | undefined,
  { part, seed, plain, onProgress }: Context,
  { net }: Model,
  done: number,
  first: number,
): Promise<MappedExamples> {
  const [H, W] = part.size;
  const maps: Float32Array[] = [];
  for (let i = 0; i < inputs.length; i++) {
    plain.signal?.throwIfAborted();
    onProgress(done, `maps of ${method?.name ?? 'random'} ${i + 1}/${inputs.length}`);
    maps.push(
      method
        ? methodMap(net, inputs.inputs[i]!, [H, W], method)
        : randomMap(H * W, seed, first + i),
    );
    await setImmediate();
  }
  return { ...inputs, map: (i) => maps[i]! };
}

/** The runs in a folder that have these settings, by their seeds. */
async function runsOf(out: string, settings: KarRoarSettings): Promise<KarRoarRun[]> {
  const names = (await readdir(out)).filter((name) => name.startsWith(`${settings.at}-seed-`));
  const runs = await Promise.all(names.map((name) => readRun(join(out, name))));
  return runs
    .filter((run) => run !== undefined)
    .filter((run) => JSON.stringify(run.settings) === JSON.stringify(settings))
    .sort((a, b) => a.seed - b.seed);
}
