/** `fastcam kar-roar`: keep and retrain, remove and retrain. */

import { Option } from 'commander';
import type { Ranking } from '../evaluate/kar-roar/by-scale.js';
import { STATISTICS, type Statistic } from '../kernels/index.js';
import type { MaskedAt } from '../node/kar-roar/experiments.js';
import { INPUT_METHODS } from '../node/kar-roar/input-methods.js';
import { Interruption } from './interruption.js';
import {
  parseCount,
  parseNumbers,
  parsePath,
  parsePositive,
  parseSeed,
  parseSome,
} from './option-values.js';
import {
  asUsage,
  choice,
  labelsOption,
  type ModelFlags,
  modelOptions,
  type OutputFlags,
  openFlagged,
  outputOptions,
  valued,
} from './options.js';
import { startProgress } from './progress.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface KarRoarFlags extends ModelFlags, OutputFlags {
  readonly out: string;
  readonly at: MaskedAt;
  readonly statistics?: readonly Ranking[];
  readonly scales?: readonly number[];
  readonly methods?: readonly string[];
  readonly fromScratch?: boolean;
  readonly classes?: number;
  readonly pictures?: number;
  readonly validation?: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
}

const METHODS = INPUT_METHODS.map(({ name }) => name);
const NAMES = Object.keys(STATISTICS) as Statistic[];
const RANKINGS: readonly Ranking[] = [...NAMES, ...NAMES.map((name): Ranking => `-${name}`)];
/** The most of anything that is counted. */
const MOST = 100_000;

export function karRoarOptions(): Option[] {
  return [
    valued('-o, --out <folder>', 'folder for results; those in it are kept', parsePath).default(
      'out',
    ),
    choice('--at <place>', 'where masks are put', ['scales', 'input']).default('scales'),
    valued(
      '--statistics <names>',
      'at scales: some statistics; -name reverses the order (default: those of the paper)',
      (text) => parseSome(text, RANKINGS),
    ),
    valued('--scales <numbers>', 'at scales: some of them, from 1 (default: all)', parseNumbers),
    valued(
      '--methods <names>',
      `at the input: some of ${METHODS.join(',')} (default: all)`,
      (text) => parseSome(text, METHODS),
    ),
    new Option(
      '--from-scratch',
      'at the input: train from random weights (default: from those of the network)',
    ),
    counted('--classes <number>', 'classes that are used, evenly spread (default: all)'),
    counted('--pictures <number>', 'pictures of a class for training (default: all)'),
    counted('--validation <number>', 'pictures of a class for validation (default: all)'),
    counted('--epochs <number>', 'how often each picture is used in a training').default(1),
    counted('--batch <number>', 'pictures of a step').default(16),
    valued('--rate <number>', 'learning rate of the first step', parsePositive).default(0.05),
    valued('--seed <number>', 'seed of training and of random masks', parseSeed).default(1),
    ...modelOptions(1),
    labelsOption(),
    ...outputOptions('the results as one line of JSON'),
  ];
}

function counted(flags: string, text: string): Option {
  const [, unit] = /^--(\w+)/.exec(flags)!;
  return valued(flags, text, (value) => parseCount(value, unit!, MOST));
}

/** @returns the exit code */
export async function karRoarCommand(
  path: string,
  flags: KarRoarFlags,
  streams: Streams,
): Promise<number> {
  const { out, at, statistics, scales, methods, classes, pictures, validation, json } = flags;
  const { epochs, batch, rate, seed, fromScratch } = flags;
  const [{ karRoar }, { formatKarRoar }, model] = await Promise.all([
    import('../node/kar-roar/kar-roar.js'),
    import('./kar-roar-table.js'),
    openFlagged(flags, streams),
  ]);
  const progress = await startProgress(1, streams.stderr);
  const interruption = new Interruption();
  try {
    const { signal } = interruption;
    const runs = await asUsage(
      karRoar(path, {
        ...{ model, out, at, epochs, batch, learningRate: rate, seed, signal },
        ...(statistics && { rankings: statistics }),
        ...(scales && { scales }),
        ...(methods && { methods }),
        ...(fromScratch && { fromScratch }),
        ...(classes !== undefined && { classes }),
        ...(pictures !== undefined && { training: pictures }),
        ...(validation !== undefined && { validation }),
        onProgress: progress.update,
      }),
    );
    progress.stop();
    streams.stdout.write(json ? `${JSON.stringify(runs)}\n` : formatKarRoar(runs));
    return EXIT.ok;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    streams.stderr.write(
      `fastcam: interrupted: what is done is in ${out}; the same command goes on\n`,
    );
    return EXIT.failed;
  } finally {
    progress.stop();
    await interruption.end();
  }
}
