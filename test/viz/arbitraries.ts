/** Generators of maps, regions and pictures for the tests of viz. */

import fc from 'fast-check';
import type ndarray from 'ndarray';
import type { Picture, Region } from '../../src/image/picture.js';
import {
  type FlatArray,
  type NdArray,
  type SaliencyMap,
  toNdArray,
} from '../../src/viz/ndarray.js';
import { upsampleBilinear } from '../../src/viz/upsample.js';

/** A map [H, W] of the given values. */
export function map(shape: [number, number], values: ArrayLike<number>): SaliencyMap {
  return toNdArray(Float32Array.from(values), [...shape]);
}

/** A map of values in [0, 1], up to `largest` × `largest`. */
export function unitMap(largest: number): fc.Arbitrary<SaliencyMap> {
  const extent = fc.integer({ min: 1, max: largest });
  return fc
    .tuple(extent, extent)
    .chain(([H, W]) =>
      fc
        .float32Array({ min: 0, max: 1, noNaN: true, minLength: H * W, maxLength: H * W })
        .map((data) => toNdArray(data, [H, W])),
    );
}

/** A rectangle that may be partly outside of a picture of H × W. */
export function regionOf(H: number, W: number): fc.Arbitrary<Region> {
  return fc
    .tuple(
      fc.double({ min: -2, max: W, noNaN: true }),
      fc.double({ min: -2, max: H, noNaN: true }),
      fc.double({ min: 0.01, max: W + 3, noNaN: true }),
      fc.double({ min: 0.01, max: H + 3, noNaN: true }),
    )
    .map(([x, y, width, height]) => ({ x, y, width, height }));
}

/** A picture with bytes from a fixed sequence, its alpha included. */
export function picture(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i * 97 + 31) % 256);
  return { data, width, height };
}

/** Our array under the name of the package `ndarray`: the very same object. */
export function asNdarray<T extends FlatArray>(array: NdArray<T>): ndarray.NdArray<T> {
  return array as unknown as ndarray.NdArray<T>;
}

/** max |aᵢ − bᵢ|; NaN where only one of a pair is. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    if (Number.isNaN(a[i]) && Number.isNaN(b[i])) continue;
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  return largest;
}

/** The stack upsampled to a size and stretched to [0, 1] as one, as the authors' code does before it paints. */
export function stretched(maps: readonly SaliencyMap[], size: [number, number]): SaliencyMap[] {
  const large = maps.map((map) => {
    const out = new Float32Array(size[0] * size[1]);
    upsampleBilinear(out, size, map);
    return out;
  });
  const all = large.flatMap((map) => [...map]);
  const min = all.reduce((least, value) => Math.min(least, value));
  const max = all.reduce((most, value) => Math.max(most, value));
  return large.map((map) =>
    toNdArray(
      map.map((value) => (value - min) / Math.max(max - min, 1e-9)),
      [...size],
    ),
  );
}
