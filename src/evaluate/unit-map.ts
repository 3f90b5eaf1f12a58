/** Maps of any method on one scale, so that their values can be used as weights. */

import type { MapValues } from '../viz/normalize.js';

/**
 * (x − min)/(max − min) over the seen pixels: 0 for the least value and 1 for the largest. Of a constant map all are 1:
 * it prefers no pixel. A pixel that is NaN, which was not seen, becomes 0; so do all if none was seen.
 *
 * Not `normalizeRange` of viz: the squares of small gradients differ by less than the least span of that.
 */
export function unitMap(map: MapValues): Float64Array {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < map.length; i++) {
    if (map[i]! < min) min = map[i]!;
    if (map[i]! > max) max = map[i]!;
  }
  return Float64Array.from(map, (value) => {
    if (Number.isNaN(value)) return 0;
    return max > min ? (value - min) / (max - min) : 1;
  });
}
