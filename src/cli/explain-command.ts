/** `fastcam explain`: every input in turn, whatever becomes of the others. */

import { extname, resolve } from 'node:path';
import { ShapeError } from '../errors.js';
import type { ExplainedFile, ExplainFileOptions, Model } from '../node/index.js';
import {
  type InputFlags,
  type ModelFlags,
  type OutputFlags,
  openFlagged,
  pictureOptions,
  type StatisticFlags,
} from './options.js';
import { type Progress, startProgress } from './progress.js';
import { describeFailure, EXIT, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface ExplainFlags extends ModelFlags, StatisticFlags, InputFlags, OutputFlags {
  readonly out: string;
  readonly normalizer: NonNullable<ExplainFileOptions['normalizer']>;
  readonly scaleWeights: NonNullable<ExplainFileOptions['scaleWeights']>;
  readonly cam: NonNullable<ExplainFileOptions['cam']>;
  readonly class?: number | string;
  readonly colormap: NonNullable<ExplainFileOptions['colormap']>;
  readonly tensors?: string;
}

/** @returns the exit code */
export async function explainCommand(
  inputs: readonly string[],
  flags: ExplainFlags,
  streams: Streams,
): Promise<number> {
  checkPaths(inputs, flags);
  const [{ outputFolders }, { summarize }] = await Promise.all([
    import('../node/index.js'),
    import('./summary.js'),
  ]);
  const model = await openFlagged(flags);
  checkClass(flags.class, model);
  const folders = outputFolders(inputs, flags.out);
  const progress = await startProgress(inputs.length, streams.stderr);
  let failures = 0;
  for (const [i, input] of inputs.entries()) {
    progress.update(i, input);
    try {
      const options = explainOptions(flags, model, folders[i]!, progress, i, input);
      for (const { report } of await explainInput(input, options)) {
        const text = flags.json ? `${JSON.stringify(report)}\n` : `${summarize(report, i === 0)}\n`;
        progress.around(() => streams.stdout.write(text));
      }
    } catch (error) {
      failures++;
      const text = describeFailure(error, flags.debug === true, input);
      progress.around(() => streams.stderr.write(text));
    }
  }
  progress.stop();
  return failures > 0 ? EXIT.failed : EXIT.ok;
}

async function explainInput(input: string, options: ExplainFileOptions): Promise<ExplainedFile[]> {
  const { explainFile, explainTensorFile } = await import('../node/index.js');
  return extname(input).toLowerCase() === '.safetensors'
    ? explainTensorFile(input, options)
    : [await explainFile(input, options)];
}

function explainOptions(
  flags: ExplainFlags,
  model: Model,
  out: string,
  progress: Progress,
  before: number,
  input: string,
): ExplainFileOptions {
  const { statistic, normalizer, scaleWeights, cam, colormap, tensors } = flags;
  return {
    model,
    out,
    statistic,
    normalizer,
    scaleWeights,
    cam,
    colormap,
    ...pictureOptions(flags),
    target: flags.class ?? 'top',
    ...(tensors !== undefined && { tensors }),
    onProgress: (done) => progress.update(before + done, input),
  };
}

/** Nothing that is read may be written over. */
function checkPaths(inputs: readonly string[], { tensors, model, labels }: ExplainFlags): void {
  if (inputs.includes('')) throw new UsageError('an input has an empty name');
  if (tensors === undefined) return;
  if (inputs.length > 1) {
    throw new UsageError(`--tensors takes one input, got ${inputs.length}: call it for each`);
  }
  const read = [...inputs, model, ...(labels === undefined ? [] : [labels])];
  if (read.some((path) => resolve(path) === resolve(tensors))) {
    throw new UsageError(`--tensors ${tensors} would overwrite what is read: name another file`);
  }
}

/** A class that the model does not have is a mistake in the call, and known before any picture. */
function checkClass(wanted: number | string | undefined, { name, net, labelled }: Model): void {
  if (wanted === undefined || wanted === 'top') return;
  if (typeof wanted === 'string' && !labelled) {
    throw new UsageError(
      `--class ${wanted}: ${name} comes without class names; give --labels FILE`,
    );
  }
  try {
    net.classIndex(wanted);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new UsageError(error.message.replace(/^target/, `--class ${wanted}`));
  }
}
