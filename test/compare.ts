/** The distance of two arrays, as in the goldens: relative to the largest value of the expected array. */

export interface Distance {
  readonly largest: number;
  readonly median: number;
}

/** Errors of `got` over max |expected|. Arrays of different lengths are infinitely far apart. */
export function distance(got: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  if (got.length !== expected.length) return { largest: Infinity, median: Infinity };
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  const errors = Float64Array.from(
    { length: got.length },
    (_, i) => Math.abs(got[i]! - expected[i]!) / scale,
  );
  // A NaN sorts last and so becomes the largest error; no bound lets it pass.
  errors.sort();
  return { largest: errors[errors.length - 1]!, median: errors[errors.length >> 1]! };
}

/**
 * What goldens/graph keeps of an array: every third row and column.
 *
 * @param x [H, W, C]
 * @returns [C, ⌈H/3⌉, ⌈W/3⌉], the order of the goldens
 */
export function everyThird(
  x: ArrayLike<number>,
  [H, W, C]: readonly [number, number, number],
): Float32Array {
  const [rows, columns] = [Math.ceil(H / 3), Math.ceil(W / 3)];
  return Float32Array.from({ length: C * rows * columns }, (_, i) => {
    const [c, p] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    return x[(3 * Math.floor(p / columns) * W + 3 * (p % columns)) * C + c]!;
  });
}
