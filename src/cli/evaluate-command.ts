/** `fastcam evaluate`: how good the map of each method is, over labelled pictures. */

import type { Option } from 'commander';
import { EVALUATED_METHODS, METRICS, type Metric } from '../evaluate/index.js';
import { spreadClasses } from '../node/labelled-pictures.js';
import { Interruption } from './interruption.js';
import {
  parseCount,
  parseJobs,
  parseNames,
  parsePath,
  parseSeed,
  parseSome,
} from './option-values.js';
import {
  asUsage,
  type InputFlags,
  inputOptions,
  labelsOption,
  type ModelFlags,
  modelOptions,
  type OutputFlags,
  openFlagged,
  outputOptions,
  pictureOptions,
  valued,
} from './options.js';
import { type Progress, startProgress } from './progress.js';
import { describeFailure, EXIT, printable, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface EvaluateFlags extends ModelFlags, InputFlags, OutputFlags {
  readonly out: string;
  readonly methods?: readonly string[];
  readonly metrics?: readonly Metric[];
  readonly classes?: number;
  readonly limit?: number;
  readonly boxes?: string;
  readonly randomized: number;
  readonly taps?: readonly string[];
  readonly seed: number;
  readonly jobs: number;
}

const METHODS = EVALUATED_METHODS.filter(({ isFloor }) => !isFloor).map(({ name }) => name);
/** More pictures than anybody measures. */
const MOST_PICTURES = 100_000;

export function evaluateOptions(): Option[] {
  return [
    valued(
      '-o, --out <folder>',
      'folder for evaluate.json, charts and results; a run that was interrupted continues there',
      parsePath,
    ).default('out'),
    valued('--methods <names>', `all (default), or some of ${METHODS.join(',')}`, (text) =>
      someOf(text, METHODS),
    ),
    valued('--metrics <names>', `all (default), or some of ${METRICS.join(',')}`, (text) =>
      someOf(text, METRICS),
    ),
    valued('--classes <number>', 'classes that are used, evenly spread (default: all)', (text) =>
      parseCount(text, 'classes', MOST_PICTURES),
    ),
    valued('--limit <number>', 'pictures of each class (default: all)', (text) =>
      parseCount(text, 'pictures', MOST_PICTURES),
    ),
    valued('--boxes <file>', 'CSV file with boxes of the objects: file,x0,y0,x1,y1', parsePath),
    valued(
      '--randomized <number>',
      'pictures for which networks with random weights make all maps again',
      (text) => parseCount(text, 'pictures', MOST_PICTURES),
    ).default(10),
    valued('--seed <number>', 'seed of random maps, noise and random weights', parseSeed).default(
      0,
    ),
    valued('-j, --jobs <number>', 'pictures at the same time', parseJobs).default(1),
    ...modelOptions(1),
    labelsOption(),
    valued('--taps <names>', 'measure SMOE Scale at these values: a,b,c', parseNames),
    ...inputOptions(),
    ...outputOptions('evaluate.json as one line'),
  ];
}

function someOf<T extends string>(text: string, names: readonly T[]): readonly T[] {
  return text === 'all' ? names : parseSome(text, names);
}

/** @returns the exit code */
export async function evaluateCommand(
  folder: string,
  flags: EvaluateFlags,
  streams: Streams,
): Promise<number> {
  const { out, classes = 1, json, debug = false } = flags;
  const [{ evaluateFolder }, { formatEvaluation }, model] = await Promise.all([
    import('../node/evaluate/evaluate-folder.js'),
    import('./evaluation-table.js'),
    openFlagged(flags, streams),
  ]);
  const { labels } = model.net;
  if (labels.length === 0) throw new UsageError(`${model.name} has no classifier`);
  if (classes > labels.length) {
    throw new UsageError(`--classes ${classes}: the model has ${labels.length}`);
  }
  const interruption = new Interruption();
  let progress: Progress | undefined;
  const tell = (text: string): void => {
    const print = (): unknown => streams.stderr.write(text);
    progress ? progress.around(print) : print();
  };
  let done = 0;
  try {
    const evaluation = await asUsage(
      evaluateFolder(folder, {
        ...{ model, signal: interruption.signal },
        ...optionsOf(flags, labels),
        async onStart(before, all) {
          done = before;
          if (before > 0 && before < all) tell(`fastcam: note: ${before} of ${all} are done\n`);
          progress = await startProgress(all, streams.stderr);
        },
        onProgress(share, picture) {
          done = Math.floor(share);
          progress?.update(share, picture);
        },
        onFailure: ({ path }, error) => tell(describeFailure(error, debug, path)),
        onNoCharts: (reason) => tell(`fastcam: note: no charts: ${reason}\n`),
      }),
    );
    progress?.stop();
    streams.stdout.write(json ? `${JSON.stringify(evaluation)}\n` : formatEvaluation(evaluation));
    return evaluation.failures.length > 0 ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    streams.stderr.write(
      `fastcam: interrupted: ${done} done, in ${printable(out)}; the same command continues\n`,
    );
    return EXIT.failed;
  } finally {
    progress?.stop();
    await interruption.end();
  }
}

function optionsOf(flags: EvaluateFlags, labels: readonly string[]) {
  const { out, methods, metrics, classes, limit, boxes, randomized, taps, seed, jobs } = flags;
  return {
    ...{ out, randomized, seed, jobs },
    ...pictureOptions(flags),
    ...(methods && { methods }),
    ...(metrics && { metrics }),
    ...(classes !== undefined && { classes: spreadClasses(labels, classes) }),
    ...(limit !== undefined && { limit }),
    ...(boxes !== undefined && { boxes }),
    ...(taps && { taps }),
  };
}
