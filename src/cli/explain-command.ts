/** `fastcam explain`: one input after another. If one fails, the others are still done. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Calibration, checkCalibration } from '../calibration.js';
import { ShapeError } from '../errors.js';
import type { CamMethod } from '../methods/index.js';
import type { AttributionOptions } from '../node/attribution.js';
import type { Gallery } from '../node/gallery/write-gallery.js';
import type { DrawOptions, ExplainManyOptions, Input, Model, PictureKind } from '../node/index.js';
import type { FileReading } from '../node/read-ahead.js';
import { attributionOptions, type MethodFlags } from './attribution-options.js';
import { Interruption } from './interruption.js';
import {
  checkClass,
  type InputFlags,
  type ModelFlags,
  type OutputFlags,
  openFlagged,
  pictureOptions,
  type StatisticFlags,
} from './options.js';
import { startProgress } from './progress.js';
import { describeFailure, EXIT, printable, type Streams, UsageError } from './streams.js';

/** The options as commander hands them over. */
export interface ExplainFlags
  extends ModelFlags,
    StatisticFlags,
    InputFlags,
    MethodFlags,
    OutputFlags {
  readonly out: string;
  readonly normalizer: NonNullable<ExplainManyOptions['normalizer']>;
  readonly calibration?: string;
  readonly scaleWeights: NonNullable<ExplainManyOptions['scaleWeights']>;
  readonly cam?: NonNullable<ExplainManyOptions['cam']>;
  readonly taps?: readonly string[];
  readonly colormap: NonNullable<DrawOptions['colormap']>;
  readonly only?: NonNullable<DrawOptions['only']>;
  readonly format: NonNullable<DrawOptions['format']>;
  readonly fullSize?: boolean;
  readonly gallery?: boolean;
  readonly tensors?: string;
  readonly tile?: number;
  readonly jobs?: number;
}

/** @returns the exit code */
export async function explainCommand(
  paths: readonly string[],
  given: ExplainFlags,
  streams: Streams,
): Promise<number> {
  const { out, json, debug = false } = given;
  const { findInputs, outputFolders } = await import('../node/inputs.js');
  const inputs = await findInputs(paths, out);
  checkPaths(inputs, given);
  checkTile(given);
  const isAlone = inputs.length === 1 && inputs[0]!.failure === undefined;
  // A divided picture is read in strips.
  const first =
    isAlone && given.tile === undefined ? await startReading(inputs[0]!.path, given) : undefined;
  const { explainMany, kindsForGallery, summarize } = await load();
  const jobs = Math.min(given.jobs ?? availableParallelism(), inputs.length);
  const model = await openFlagged(jobs > 1 ? { threads: 1, ...given } : given, streams);
  const flags = await withTaps(given, model);
  const attribution = await attributionOptions(flags, model);
  const options = {
    ...explainOptions(flags, model, await calibrationOf(flags, model)),
    ...(attribution && { attribution }),
  };
  const { cam, only } = await checkOptions(flags, model, options);
  const progress = await startProgress(inputs.length, streams.stderr);
  const gallery = flags.gallery ? await startGallery(out, model) : undefined;
  const interruption = new Interruption();
  let done = 0;
  let failures = 0;
  const show = (share: number): void => progress.update(done + share, inputs[done]!.path);
  show(0);
  try {
    const outcomes = explainMany(inputs, {
      ...{
        ...options,
        ...(flags.tile === undefined && { only: gallery ? kindsForGallery(only, cam) : only }),
      },
      ...{ jobs, folders: outputFolders(inputs, out), ...(first && { first }) },
      ...{ signal: interruption.signal, onProgress: show },
    });
    for await (const { input, results, error } of outcomes) {
      if (error !== undefined) {
        failures++;
        const text = describeFailure(error, debug, input.path);
        gallery?.addFailure(input.path, text.replace(/^fastcam: /, ''));
        progress.around(() => streams.stderr.write(text));
      }
      for (const { report } of results) {
        gallery?.add(report);
        const text = json ? `${JSON.stringify(report)}\n` : `${summarize(report, done === 0)}\n`;
        progress.around(() => streams.stdout.write(text));
      }
      if (++done < inputs.length) show(0);
    }
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    const again = given.tile === undefined ? '' : '; the same command continues';
    streams.stderr.write(`fastcam: interrupted: ${done} of ${inputs.length} done${again}\n`);
  } finally {
    progress.stop();
  }
  const page = await gallery?.write();
  if (page !== undefined && !json) streams.stdout.write(`All of them: ${printable(page)}\n`);
  await interruption.end();
  return failures > 0 ? EXIT.failed : EXIT.ok;
}

/** A single picture is decoded while the rest of the program is loaded. */
async function startReading(path: string, flags: ExplainFlags): Promise<string | FileReading> {
  const { readAhead } = await import('../node/read-ahead.js');
  return readAhead(path, pictureOptions(flags));
}

/** Modules that take long to load. */
async function load() {
  const [many, kinds, summary] = await Promise.all([
    import('../node/explain-many.js'),
    import('../node/drawing/picture-kinds.js'),
    import('./summary.js'),
  ]);
  return { ...many, ...kinds, ...summary };
}

async function startGallery(out: string, { name }: Model): Promise<Gallery> {
  const { Gallery } = await import('../node/gallery/write-gallery.js');
  return new Gallery(out, name);
}

function explainOptions(
  flags: ExplainFlags,
  model: Model,
  calibration: Calibration | undefined,
): ExplainManyOptions {
  const { statistic, normalizer, scaleWeights, cam, taps, tensors } = flags;
  const { colormap, only, format, fullSize = false, tile } = flags;
  return {
    model,
    statistic,
    normalizer,
    ...(calibration && { calibration }),
    scaleWeights,
    ...(cam !== undefined && { cam }),
    ...(taps !== undefined && { taps }),
    ...{ colormap, format, fullSize },
    ...(only && { only }),
    ...pictureOptions(flags),
    target: flags.class ?? 'top',
    ...(tensors !== undefined && { tensors }),
    ...(tile !== undefined && { tile }),
  };
}

/** `--taps activations` stands for the value after every activation function. */
async function withTaps(flags: ExplainFlags, { net }: Model): Promise<ExplainFlags> {
  if (`${flags.taps}` !== 'activations') return flags;
  const { activationNames } = await import('../gradients.js');
  return { ...flags, taps: activationNames(net) };
}

/** No input file may be overwritten. */
function checkPaths(inputs: readonly Input[], flags: ExplainFlags): void {
  const { tensors, model, labels, calibration } = flags;
  if (tensors === undefined) return;
  if (inputs.length > 1) {
    throw new UsageError(`--tensors takes one input, got ${inputs.length}: run explain for each`);
  }
  const read = [...inputs.map(({ path }) => path), model, labels, calibration];
  if (read.some((path) => path !== undefined && resolve(path) === resolve(tensors))) {
    throw new UsageError(`--tensors ${tensors} would overwrite an input: choose another file`);
  }
}

/** Options that do not fit pictures at their own resolution. */
function checkTile(flags: ExplainFlags): void {
  const { tile, fit, size, method, tensors, fullSize, gallery } = flags;
  if (tile === undefined) return;
  const flag = Object.entries({
    '--size': size !== undefined,
    '--fit': fit !== 'whole',
    '--method': method !== undefined,
    '--tensors': tensors !== undefined,
    '--full-size': fullSize,
    '--gallery': gallery,
  }).find(([, isGiven]) => isGiven)?.[0];
  if (flag === undefined) return;
  throw new UsageError(`--tile explains pictures at their own resolution, without ${flag}`);
}

/** Reads the calibration before any picture, to fail early if it does not fit. */
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

/** An option that does not fit the model is a mistake in the call. It is checked before any picture. */
async function checkOptions(
  { class: wanted = 'top' }: ExplainFlags,
  model: Model,
  options: ExplainManyOptions,
): Promise<{ cam: CamMethod | 'none'; only: readonly PictureKind[] }> {
  checkClass(wanted, model);
  const { net } = model;
  const [{ resolveOptions }, { kindsOf }] = await Promise.all([
    import('../explain.js'),
    import('../node/drawing/picture-kinds.js'),
  ]);
  try {
    const { cam } = resolveOptions(net, options);
    const { attribution } = options;
    if (attribution) await checkMethod(model, attribution);
    return { cam, only: kindsOf(options.only, { cam, hasAttribution: attribution !== undefined }) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new UsageError(
      error.message
        .replace(/^scaleWeights/, '--scale-weights')
        .replace(/^(taps|cam|only|smoothing|at|tile)/, '--$1'),
    );
  }
}

/** @throws {ShapeError} for an option that does not fit the method or the network */
async function checkMethod({ net }: Model, attribution: AttributionOptions): Promise<void> {
  const { resolveAttribution } = await import('../attribute.js');
  resolveAttribution(net, attribution);
}
