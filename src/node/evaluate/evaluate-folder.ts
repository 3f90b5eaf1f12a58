/**
 * Measures the maps of all methods over labelled pictures. The measures of each picture are written as soon as they are
 * there; a second run with the same options continues.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FormatError, ShapeError, UnsupportedError } from '../../errors.js';
import { EVALUATED_METHODS, METRICS, type Metric } from '../../evaluate/index.js';
import { checkMethods } from '../../evaluate/picture-measures.js';
import type { Fit } from '../../model/index.js';
import { makeFolder } from '../folders.js';
import {
  type LabelledOptions,
  type LabelledPicture,
  labelledPictures,
} from '../labelled-pictures.js';
import { bundledModel, type Model } from '../model-file.js';
import type { DecodeOptions } from '../pictures/format.js';
import { VERSION } from '../version.js';
import { writeWhole } from '../written-file.js';
import { type Evaluation, evaluationOf } from './evaluation.js';
import { evaluationCharts } from './evaluation-charts.js';
import { evaluatePicture, type PictureRecord, type PictureTask } from './picture.js';
import { RecordFile, type RunOptions } from './records.js';

export interface EvaluateOptions extends LabelledOptions, DecodeOptions {
  /** Default: the bundled model. */
  readonly model?: Model;
  /** Names as in `EVALUATED_METHODS`; default all. `random` and `center` are always there. */
  readonly methods?: readonly string[];
  /** Default all; `localization` gives nothing for pictures without boxes. */
  readonly metrics?: readonly Metric[];
  /** Of random maps, noise and random weights; default 0. */
  readonly seed?: number;
  /**
   * How many pictures take part in `randomization`, which makes every map again at each depth; default 10. They are
   * spread over all pictures.
   */
  readonly randomized?: number;
  /** Default `whole`. */
  readonly fit?: Fit;
  /** Short side of the input; default the size that the model was trained at. */
  readonly size?: number;
  /** Values to measure SMOE Scale at, instead of the ends of scales. */
  readonly taps?: readonly string[];
  /** Pictures at the same time, each in a thread with its own network; default 1, in this thread. */
  readonly jobs?: number;
  /**
   * The folder for pictures.jsonl, evaluate.json and the charts, created if necessary. Without it nothing is written.
   */
  readonly out?: string;
  /** Stops between two maps, and throws the abort reason. */
  readonly signal?: AbortSignal;
  /** Called with the number of pictures that are done, and the share of one under way; and a picture. */
  readonly onProgress?: (done: number, picture: string) => void;
  /** Called with a picture that cannot be measured; the others go on. */
  readonly onFailure?: (picture: LabelledPicture, error: unknown) => void;
  /** Called with the reason if there can be no charts. */
  readonly onNoCharts?: (reason: string) => void;
  /** Called first, with how many of all pictures an earlier run has done. */
  readonly onStart?: (done: number, all: number) => void | Promise<void>;
}

/** Numbers of seeds that one picture uses: its own, and one for each depth. */
const SEEDS_PER_PICTURE = 1000;

/**
 * @param folder as of `labelledPictures`
 * @throws {FormatError} in one line, for a folder that is not as described, a file that cannot be written, and if no
 * picture can be measured
 * @throws {ShapeError} for an option out of range, or a network without classifier
 */
export async function evaluateFolder(
  folder: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { model = await bundledModel(), out } = options;
  if (model.net.labels.length === 0)
    throw new ShapeError('evaluate: the network has no classifier');
  const run = runOf(options);
  const pictures = await labelledPictures(folder, model.net.labels, options);
  const described = { folder, ...describeRun(model, run, pictures, options) };
  if (out !== undefined) await makeFolder(out);
  const path = out === undefined ? undefined : join(out, 'pictures.jsonl');
  const records = await RecordFile.open(path, described);
  const tasks = tasksOf(pictures, run).filter(({ picture }) => !records.done.has(picture.name));
  await options.onStart?.(pictures.length - tasks.length, pictures.length);
  const failures = await measureAll(tasks, records, model, options);
  const done = pictures.flatMap(({ name }) => records.done.get(name) ?? []);
  if (done.length === 0) throw new FormatError(`${folder}: no picture could be measured`);
  return written(done, {
    ...{ folder, model, failures, methods: run.methods, options: described },
    ...(out !== undefined && { out }),
    ...(options.onNoCharts && { onNoCharts: options.onNoCharts }),
  });
}

type Run = Required<Pick<EvaluateOptions, 'seed' | 'randomized'>> & PictureTask['measured'];

/** @throws {ShapeError} for an option out of range */
function runOf(options: EvaluateOptions): Run {
  const { methods: asked, metrics = METRICS, seed = 0, randomized = 10 } = options;
  const { fit, size, taps, sampleRange } = options;
  if (asked) checkMethods(asked);
  const unknown = metrics.find((metric) => !METRICS.includes(metric));
  if (unknown !== undefined || metrics.length === 0) {
    throw new ShapeError(
      `metrics: expected some of ${METRICS.join(', ')}, got ${unknown ?? 'none'}`,
    );
  }
  for (const [name, value] of Object.entries({ seed, randomized })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ShapeError(`${name}: expected a whole number ≥ 0, got ${value}`);
    }
  }
  const methods = EVALUATED_METHODS.filter(
    ({ name, isFloor }) => isFloor || (asked?.includes(name) ?? true),
  ).map(({ name }) => name);
  return {
    ...{ methods, metrics: METRICS.filter((metric) => metrics.includes(metric)), seed, randomized },
    ...(fit && { fit }),
    ...(size !== undefined && { size }),
    ...(taps && { taps }),
    ...(sampleRange !== undefined && { sampleRange }),
  };
}

/** What a run must have in common with one that it continues. */
function describeRun(
  { name, net }: Model,
  run: Run,
  pictures: readonly LabelledPicture[],
  { limit, classes }: EvaluateOptions,
): RunOptions {
  const list = pictures.map(({ name: picture, target, boxes }) => [picture, target, boxes ?? []]);
  const data = createHash('sha256').update(JSON.stringify(list)).digest('hex').slice(0, 16);
  const { architecture, precision } = net;
  return {
    ...{ version: VERSION, model: name, architecture, precision },
    ...run,
    ...(limit !== undefined && { limit }),
    ...(classes && { classes }),
    ...{ pictures: pictures.length, data },
  };
}

/** The pictures of the randomisation check are spread evenly. */
function tasksOf(pictures: readonly LabelledPicture[], run: Run): PictureTask[] {
  const { seed, randomized, ...measured } = run;
  const count = Math.min(randomized, pictures.length);
  const chosen = new Set(
    Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * pictures.length) / count)),
  );
  return pictures.map((picture, i) => ({
    ...{ picture, measured, seed: seed + (i + 1) * SEEDS_PER_PICTURE },
    ...(chosen.has(i) && { weightsSeed: seed }),
  }));
}

/** Measures every picture. @returns those that failed */
async function measureAll(
  tasks: readonly PictureTask[],
  records: RecordFile,
  model: Model,
  options: EvaluateOptions,
): Promise<Evaluation['failures']> {
  const { jobs = 1, signal, onProgress, onFailure } = options;
  const failures: { picture: string; error: string }[] = [];
  const before = records.done.size;
  let ended = 0;
  const finish = async (task: PictureTask, running: Promise<PictureRecord>): Promise<void> => {
    const { picture } = task;
    try {
      await records.add(await running);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isOwn(error)) throw error;
      failures.push({ picture: picture.name, error: error.message });
      onFailure?.(picture, error);
    }
    ended++;
    onProgress?.(before + ended, picture.name);
  };
  if (Math.min(jobs, tasks.length) <= 1) {
    for (const task of tasks) {
      const progress = (share: number): void =>
        onProgress?.(before + ended + share, task.picture.name);
      const watching = { onProgress: progress, ...(signal && { signal }) };
      await finish(task, evaluatePicture(model, task, watching));
    }
    return failures;
  }
  const { startThreads } = await import('../pool.js');
  const threads = await startThreads(Math.min(jobs, tasks.length), model.options);
  // Ends the threads at once; their current work then fails.
  const stop = (): unknown => threads.close();
  signal?.addEventListener('abort', stop);
  try {
    signal?.throwIfAborted();
    await Promise.all(tasks.map((task) => finish(task, threads.run('evaluate', task, signal))));
  } finally {
    signal?.removeEventListener('abort', stop);
    await threads.close();
  }
  return failures;
}

function isOwn(error: unknown): error is Error {
  return [FormatError, ShapeError, UnsupportedError].some((kind) => error instanceof kind);
}

interface Written {
  readonly folder: string;
  readonly model: Model;
  readonly methods: readonly string[];
  readonly options: RunOptions;
  readonly failures: Evaluation['failures'];
  readonly out?: string;
  readonly onNoCharts?: (reason: string) => void;
}

async function written(
  records: readonly PictureRecord[],
  { out, onNoCharts, ...context }: Written,
): Promise<Evaluation> {
  const draft = evaluationOf(records, { ...context, files: [] });
  if (out === undefined) return draft;
  const charts = await evaluationCharts(draft).catch((error: unknown) => {
    if (!(error instanceof UnsupportedError)) throw error;
    onNoCharts?.(error.message);
    return [];
  });
  const path = join(out, 'evaluate.json');
  const files = [path, ...charts.map(({ name }) => join(out, name))];
  for (const { name, svg } of charts) await writeWhole(join(out, name), svg);
  const evaluation = { ...draft, files };
  await writeWhole(path, `${JSON.stringify(evaluation, null, 2)}\n`);
  return evaluation;
}
