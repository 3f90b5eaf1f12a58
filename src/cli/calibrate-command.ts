/** `fastcam calibrate`: constants of normalisation from many pictures, for `explain --calibration`. */

import { resolve } from 'node:path';
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
export interface CalibrateFlags extends ModelFlags, StatisticFlags, InputFlags, OutputFlags {
  readonly out: string;
}

/** @returns the exit code */
export async function calibrateCommand(
  paths: readonly string[],
  flags: CalibrateFlags,
  streams: Streams,
): Promise<number> {
  const { out, model: modelPath, statistic, json, debug = false } = flags;
  const [{ Calibrator }, { findInputs }, { writeWhole }, { formatCalibration }] = await Promise.all(
    [
      import('../node/calibrate.js'),
      import('../node/inputs.js'),
      import('../node/written-file.js'),
      import('./calibration-table.js'),
    ],
  );
  const inputs = await findInputs(paths);
  if (
    [...inputs.map(({ path }) => path), modelPath].some((path) => resolve(path) === resolve(out))
  ) {
    throw new UsageError(`--out ${out} would overwrite an input: choose another file`);
  }
  const model = await openFlagged(flags, streams);
  const calibrator = new Calibrator(model, { statistic, ...pictureOptions(flags) });
  const progress = await startProgress(inputs.length, streams.stderr);
  for (const [i, { path, failure }] of inputs.entries()) {
    progress.update(i, path);
    try {
      if (failure) throw failure;
      await calibrator.add(path);
    } catch (error) {
      const text = describeFailure(error, debug, path);
      progress.around(() => streams.stderr.write(text));
    }
  }
  progress.stop();
  if (calibrator.pictures === 0) return EXIT.failed;
  const calibration = await calibrator.calibration();
  await writeWhole(out, `${JSON.stringify(calibration, null, 2)}\n`);
  streams.stdout.write(
    json ? `${JSON.stringify(calibration)}\n` : formatCalibration(calibration, out),
  );
  return calibrator.pictures < inputs.length ? EXIT.failed : EXIT.ok;
}
