/** An attribution as a picture of itself. */

import { expectWhole } from '../../errors.js';
import type { Size } from '../../image/index.js';
import { type SaliencyMap, toNdArray, upsampleBilinear } from '../../viz/index.js';
import { type Attribution, isGradientMethod } from './attribution.js';

/**
 * The map of an attribution at the size of the picture, like the maps of an `Explanation`: [height, width] in [0, 1],
 * upsampled bilinearly, NaN where the network did not see the picture.
 *
 * A gradient has a few pixels that are much larger than the others. So the map is clipped at its 99th percentile before
 * it is range-normalised; if that is not above the least value, nothing is clipped. Class activation maps and BiDiCAM
 * are in [0, 1] already and stay as they are.
 *
 * @param size in pixels; default: the picture's
 * @throws {ShapeError} for extents that are not whole numbers ≥ 1
 */
export function attributionMap(
  { method, map, region, width, height }: Attribution,
  size: Size = { width, height },
): SaliencyMap {
  const { data, shape } = map;
  expectWhole('attributionMap', { width: size.width, height: size.height });
  const values = isGradientMethod(method) ? clipped(data) : data;
  const out = new Float32Array(size.width * size.height);
  const across = size.width / width;
  const down = size.height / height;
  upsampleBilinear(out, [size.height, size.width], toNdArray(values, shape), {
    x: region.x * across,
    y: region.y * down,
    width: region.width * across,
    height: region.height * down,
  });
  return toNdArray(out, [size.height, size.width]);
}

/** Stretched to [0, 1], with 1 for the largest hundredth of the values. All 0 if there are no differences. */
function clipped(values: Float32Array): Float32Array {
  const sorted = values.slice().sort();
  const min = sorted[0]!;
  const percentile = sorted[Math.ceil(0.99 * sorted.length) - 1]!;
  const max = percentile > min ? percentile : sorted.at(-1)!;
  // Not `normalizeRange`: squares of small gradients differ by less than its smallest span.
  const span = max > min ? max - min : 1;
  return values.map((value) => Math.min(1, (value - min) / span));
}
