/** How much two maps of the same size agree: for successive frames, how stable the maps are. */

import { ShapeError } from '../errors.js';
import type { MapValues } from './normalize.js';

export interface MapAgreement {
  /** Pearson's correlation, −1…1; NaN if a map is constant. It does not see a change that is alike everywhere. */
  readonly correlation: number;
  /** Mean of |a − b|, in the unit of the maps. */
  readonly meanDifference: number;
}

/**
 * Compares two maps, pixel by pixel. Pixels that are NaN in one of them are left out.
 *
 * @param a [H, W]
 * @param b [H, W]
 * @throws {ShapeError} if the lengths differ
 */
export function mapAgreement(a: MapValues, b: MapValues): MapAgreement {
  if (a.length !== b.length) {
    throw new ShapeError(`mapAgreement: b expected length ${a.length}, got ${b.length}`);
  }
  let count = 0;
  let [sumA, sumB, difference] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]! - b[i]!)) continue;
    count++;
    sumA += a[i]!;
    sumB += b[i]!;
    difference += Math.abs(a[i]! - b[i]!);
  }
  const [meanA, meanB] = [sumA / count, sumB / count];
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]! - b[i]!)) continue;
    const [fromA, fromB] = [a[i]! - meanA, b[i]! - meanB];
    aa += fromA * fromA;
    bb += fromB * fromB;
    ab += fromA * fromB;
  }
  // Rounding may bring it beyond 1.
  const correlation = Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
  return { correlation, meanDifference: difference / count };
}
