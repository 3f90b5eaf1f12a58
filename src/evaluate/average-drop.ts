/**
 * Average drop and increase in confidence (Chattopadhay et al., Grad-CAM++, arXiv 1710.11063, section 5.1). The picture is
 * multiplied by its map, so that only what is salient stays bright. With the probability y of the class for the picture
 * and o for the product:
 *
 *   drop      max(0, y − o)/y; its mean over pictures is the average drop. A small drop is good
 *   increase  1 if o > y; its mean is the increase in confidence. A large one is good
 *
 * The map is `unitMap`. A constant map keeps the whole picture: drop 0 and no increase.
 */

import type { MapValues } from '../viz/normalize.js';
import type { ClassProbe } from './class-probe.js';
import { unitMap } from './unit-map.js';

export interface ConfidenceChange {
  /** 0…1; 0 if the picture itself has the probability 0. */
  readonly drop: number;
  readonly increase: 0 | 1;
}

/**
 * @param map [H·W], at the size of the input
 * @param black what black is in each channel of the input: −mean/std
 */
export function confidenceChange(
  probe: ClassProbe,
  map: MapValues,
  black: readonly number[],
): ConfidenceChange {
  const { data } = probe.input;
  const weights = unitMap(map);
  const C = data.length / weights.length;
  const product = data.map((value, i) => {
    const zero = black[(i % C) % black.length]!;
    return zero + weights[Math.floor(i / C)]! * (value - zero);
  });
  const before = probe.whole.probability;
  // The last bit of a float is no increase.
  const isWhole = weights.every((weight) => weight === 1);
  const after = isWhole ? before : probe.scores([product])[0]!.probability;
  return {
    drop: before > 0 ? Math.max(0, before - after) / before : 0,
    increase: after > before ? 1 : 0,
  };
}
