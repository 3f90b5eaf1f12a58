/**
 * A calibration: constants of normalisation fitted to many pictures, in place of those of the picture at
 * hand. A map that is normalised by itself says where a picture is salient; by a calibration it also says
 * how much, so that values compare across pictures.
 */

import { refuseKind, ShapeError } from './errors.js';
import type { Statistic } from './kernels/operators.js';
import {
  checkNormalizerConstants,
  type Normalizer,
  type NormalizerConstants,
} from './viz/index.js';

/** Plain data: what `JSON.parse` gives back is one. `fastcam/node` makes it from picture files. */
export interface Calibration {
  /** What the constants were fitted to. */
  readonly statistic: Statistic;
  /** One for each scale, first to last. */
  readonly scales: readonly NormalizerConstants[];
}

/** What a normaliser wants to be given; `identity` wants nothing. */
const WANTED: Readonly<Record<Normalizer, keyof NormalizerConstants | undefined>> = {
  gaussian: 'gaussian',
  gamma: 'gamma',
  'gamma-reference': 'gamma',
  range: 'range',
  identity: undefined,
};

/** What a calibration is to be used for. */
export interface CalibrationUse {
  readonly statistic: Statistic;
  readonly normalizer: Normalizer;
  /** How many maps there are. */
  readonly scales: number;
}

/**
 * Makes sure that the constants of a calibration are finite and in range, and that they fit its use.
 *
 * @param name what messages call it
 * @throws {ShapeError} for constants that are not, or are of another statistic, of another number of
 * scales, or without those of the normaliser
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
