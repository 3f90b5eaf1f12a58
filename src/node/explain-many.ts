/** Many files, one after another or several at the same time: order and results are the same. */

import type { DrawnFile, ExplainFileOptions } from './explain-file.js';
import { explainInput } from './explain-input.js';
import type { Input } from './inputs.js';
import type { Model } from './model-file.js';
import type { FileReading } from './read-ahead.js';
import type { Report } from './report.js';
import { removeParts } from './written-file.js';

export interface ExplainManyOptions extends Omit<ExplainFileOptions, 'model' | 'out'> {
  readonly model: Model;
  /** How many inputs to process at the same time, each in a thread with its own network; default 1, in this thread. */
  readonly jobs?: number;
  /** The first input, if `readAhead` has begun to read it. Used with one job. */
  readonly first?: string | FileReading;
  /** The folder for the results of each input. Without it nothing is written. */
  readonly folders?: readonly string[];
  /** Called with the share of the current input that is done, if there is one at a time. */
  readonly onProgress?: (done: number) => void;
}

/** The result of an input. */
export interface Outcome {
  readonly input: Input;
  /** Several for a tensor file of several pictures; none after a failure. */
  readonly results: readonly { readonly report: Report; readonly pictures: readonly DrawnFile[] }[];
  readonly error?: unknown;
}

/** Inputs started per thread before the first one is returned: what can wait behind a slow one. */
const AHEAD = 4;

/**
 * Explains inputs, and gives their results in order. If one fails, the others go on. It holds only a few reports and,
 * for each thread, one picture in memory.
 *
 * @throws the abort reason of `signal`, and the errors of `makePool`
 */
export async function* explainMany(
  inputs: readonly Input[],
  options: ExplainManyOptions,
): AsyncGenerator<Outcome, void> {
  const { model, jobs: most = 1, folders, first: reading, signal, ...rest } = options;
  // A divided picture takes the memory of one thread, and continues after an interruption.
  const jobs = options.tile === undefined ? Math.min(most, inputs.length) : 1;
  const outOf = (i: number) => (folders ? { out: folders[i]! } : {});
  if (jobs <= 1) {
    for (const [i, input] of inputs.entries()) {
      const outcome = await outcomeOf(input, () =>
        explainInput((i === 0 && reading) || input.path, { ...options, ...outOf(i) }),
      );
      signal?.throwIfAborted();
      yield outcome;
    }
    return;
  }
  const { onProgress: _, now: _now, ...plain } = rest;
  const { makePool } = await import('./pool.js');
  const pool = await makePool({ size: jobs, model: model.options });
  // Ends its threads at once; their current work then fails.
  const stop = (): unknown => pool.close();
  signal?.addEventListener('abort', stop);
  const begun: Promise<Outcome>[] = [];
  const first = async (): Promise<Outcome> => {
    const outcome = await begun.shift()!;
    signal?.throwIfAborted();
    return outcome;
  };
  try {
    signal?.throwIfAborted();
    for (const [i, input] of inputs.entries()) {
      begun.push(outcomeOf(input, () => pool.explainAll(input.path, { ...plain, ...outOf(i) })));
      if (begun.length >= AHEAD * jobs) yield await first();
    }
    while (begun.length > 0) yield await first();
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.close();
    for (const folder of signal?.aborted ? (folders ?? []) : []) removeParts(folder);
  }
}

async function outcomeOf(
  input: Input,
  explain: () => Promise<Outcome['results']>,
): Promise<Outcome> {
  try {
    if (input.failure) throw input.failure;
    return { input, results: await explain() };
  } catch (error) {
    return { input, results: [], error };
  }
}
