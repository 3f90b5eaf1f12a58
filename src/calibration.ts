/**
 * A calibration: constants of normalisation fitted to many pictures. They replace the constants of the
 * single picture. A map normalised with its own constants shows where a picture is salient. A map
 * normalised with a calibration also shows how much, so values can be compared across pictures.
 */

import { refuseKind, ShapeError } from './errors.js';
import type { Statistic } from './kernels/operators.js';
import {
  checkNormalizerConstants,
  type Normalizer,
  type NormalizerConstants,
} from './viz/index.js';

/** Plain data: the result of `JSON.parse` can be used. `fastcam/node` makes it from picture files. */
export interface Calibration {
  /** The statistic that the constants were fitted to. */
  readonly statistic: Statistic;
  /** One for each scale, first to last. */
  readonly scales: readonly NormalizerConstants[];
}

/** The constants that each normaliser needs; `identity` needs none. */
const WANTED: Readonly<Record<Normalizer, keyof NormalizerConstants | undefined>> = {
  gaussian: 'gaussian',
  gamma: 'gamma',
  'gamma-reference': 'gamma',
  range: 'range',
  identity: undefined,
};

/** How a calibration will be used. */
export interface CalibrationUse {
  readonly statistic: Statistic;
  readonly normalizer: Normalizer;
  /** How many maps there are. */
  readonly scales: number;
}

/**
 * Makes sure that the constants of a calibration are finite and in range, and that they fit its use.
 *
 * @param name its name in messages
 * @throws {ShapeError} for constants that are not finite or out of range, for another statistic, another
 * number of scales, or missing constants of the normaliser
 */
export function checkCalibration(
  name: string,
  calibration: Calibration,
  use?: CalibrationUse,
): void {
  const { statistic, scales } = calibration;
  if (!Array.isArray(scales)) refuseKind(`${name}:`, '{ statistic, scales }', calibration);
  for (const [i, constants] of scales.entries()) {
    checkNormalizerConstants(`${name}: scale ${i + 1}`, constants);
  }
  if (use === undefined) return;
  if (statistic !== use.statistic) {
    throw new ShapeError(`${name}: statistic expected ${use.statistic}, got ${statistic}`);
  }
  if (scales.length !== use.scales) {
    throw new ShapeError(
      `${name}: scales expected ${use.scales}, one for each map, got ${scales.length}`,
    );
  }
  const wanted = WANTED[use.normalizer];
  const lacking = wanted === undefined ? -1 : scales.findIndex((scale) => !scale[wanted]);
  if (lacking >= 0) {
    throw new ShapeError(`${name}: scale ${lacking + 1} has no constants for ${use.normalizer}`);
  }
}
