/** `fastcam explain`: every input in turn, whatever becomes of the others. */

import { extname, resolve } from 'node:path';
import { type Calibration, checkCalibration } from '../calibration.js';
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
import { startProgress } from './progress.js';
import { describeFailure, EXIT, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface ExplainFlags extends ModelFlags, StatisticFlags, InputFlags, OutputFlags {
  readonly out: string;
  readonly normalizer: NonNullable<ExplainFileOptions['normalizer']>;
  readonly calibration?: string;
  readonly scaleWeights: NonNullable<ExplainFileOptions['scaleWeights']>;
  readonly cam?: NonNullable<ExplainFileOptions['cam']>;
  readonly taps?: readonly string[];
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
  const model = await openFlagged(flags, streams);
  const common = explainOptions(flags, model, await calibrationOf(flags, model));
  await checkOptions(flags, model, common);
  const folders = outputFolders(inputs, flags.out);
  const progress = await startProgress(inputs.length, streams.stderr);
  let failures = 0;
  for (const [i, input] of inputs.entries()) {
    progress.update(i, input);
    try {
      const onProgress = (done: number): void => progress.update(i + done, input);
      const options = { ...common, out: folders[i]!, onProgress };
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
  calibration: Calibration | undefined,
): ExplainFileOptions {
  const { statistic, normalizer, scaleWeights, cam, taps, colormap, tensors } = flags;
  return {
    model,
    statistic,
    normalizer,
    ...(calibration && { calibration }),
    scaleWeights,
    ...(cam !== undefined && { cam }),
    ...(taps !== undefined && { taps }),
    colormap,
    ...pictureOptions(flags),
    target: flags.class ?? 'top',
    ...(tensors !== undefined && { tensors }),
  };
}

/** Nothing that is read may be written over. */
function checkPaths(inputs: readonly string[], flags: ExplainFlags): void {
  const { tensors, model, labels, calibration } = flags;
  if (tensors === undefined) return;
  if (inputs.length > 1) {
    throw new UsageError(`--tensors takes one input, got ${inputs.length}: call it for each`);
  }
  const read = [...inputs, model, labels, calibration];
  if (read.some((path) => path !== undefined && resolve(path) === resolve(tensors))) {
    throw new UsageError(`--tensors ${tensors} would overwrite what is read: name another file`);
  }
}

/** A calibration that does not fit is known before any picture, too. */
async function calibrationOf(
  { calibration: path, statistic, normalizer, taps }: ExplainFlags,
  { net }: Model,
): Promise<Calibration | undefined> {
  if (path === undefined) return undefined;
  const { readCalibration } = await import('../node/index.js');
  const calibration = await readCalibration(path);
  const scales = (taps ?? net.scales).length;
  checkCalibration(path, calibration, { statistic, normalizer, scales });
  return calibration;
}

/** What does not fit the model is a mistake in the call, and known before any picture. */
async function checkOptions(
  { class: wanted }: ExplainFlags,
  { name, net, labelled }: Model,
  options: ExplainFileOptions,
): Promise<void> {
  if (typeof wanted === 'string' && wanted !== 'top' && !labelled) {
    throw new UsageError(
      `--class ${wanted}: ${name} comes without class names; give --labels FILE`,
    );
  }
  const { resolveOptions } = await import('../explain.js');
  try {
    resolveOptions(net, options);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const message = error.message.replace(/^target/, `--class ${wanted}`);
    throw new UsageError(
      message.replace(/^scaleWeights/, '--scale-weights').replace(/^(taps|cam)/, '--$1'),
    );
  }
}
