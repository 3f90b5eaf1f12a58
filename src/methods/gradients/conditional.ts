/**
 * Conditional saliency maps: what is salient in one picture given others (conditional.py of github.com/LLNL/fastcam; no
 * paper). For the normalised maps x of a picture and y_1 … y_n of the others, at each scale, with 1e-7 added to all:
 *
 *   F = clamp(−Σ_j y_j · log2(y_j / x), 1e-7, 1)
 *
 * Where x is above y, F is large; where it is below, F is 1e-7. The maps of all scales are combined as usual (Eq. 3).
 */

import { ShapeError } from '../../errors.js';
import type { Region } from '../../image/index.js';
import { combineMaps, type SaliencyMap, type ScaleWeights, toNdArray } from '../../viz/index.js';

/** An explanation, or what is needed of it. */
export interface ScaledMaps {
  /** Normalised maps in [0, 1], first scale to last. */
  readonly scaleMaps: readonly SaliencyMap[];
  /** Size of the picture, and the part of it that the maps cover, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly region: Region;
}

export interface ConditionalMaps {
  /** F of each scale, [h, w] in [1e-7, 1]. */
  readonly scaleMaps: readonly SaliencyMap[];
  /** [height, width] of the picture, NaN where the network did not see it. */
  readonly combinedMap: SaliencyMap;
}

/** Added to every map, and the least value of a conditional map. */
const EPS = 1e-7;

/**
 * The conditional maps of a picture given others, which may be other pictures of its class, or a background.
 *
 * @param picture the explanation of the picture
 * @param given explanations of the other pictures; their maps have the same sizes
 * @param scaleWeights as for `explain`; default `equal`
 * @throws {ShapeError} without other pictures, and for maps of other sizes
 */
export function conditionalMaps(
  picture: ScaledMaps,
  given: readonly ScaledMaps[],
  scaleWeights: ScaleWeights = 'equal',
): ConditionalMaps {
  if (given.length === 0) throw new ShapeError('conditionalMaps: given expected at least 1, got 0');
  const scaleMaps = picture.scaleMaps.map((x, scale) => {
    const others = given.map(({ scaleMaps: maps }) => {
      const y = maps[scale];
      if (y && `${y.shape}` === `${x.shape}`) return y.data;
      throw new ShapeError(
        `conditionalMaps: map ${scale} of given expected [${x.shape}], got [${y?.shape ?? ''}]`,
      );
    });
    return toNdArray(conditional(x.data, others), x.shape);
  });
  const { width, height, region } = picture;
  return { scaleMaps, combinedMap: combineMaps(scaleMaps, [height, width], scaleWeights, region) };
}

function conditional(x: Float32Array, others: readonly Float32Array[]): Float32Array {
  return x.map((value, p) => {
    let sum = 0;
    for (const other of others) {
      const y = other[p]! + EPS;
      sum -= y * Math.log2(y / (value + EPS));
    }
    return Math.max(EPS, Math.min(1, sum));
  });
}
