/** The values of a map: their range, and where they are greatest. */

import { type SaliencyMap, toNdArray } from 'fastcam/viz';

/** What lies at the ends of the colour map. */
export type Range = readonly [least: number, most: number];

/** The map with the ends of the range at 0 and 1. */
export function spreadToUnit(map: SaliencyMap, [least, most]: Range): SaliencyMap {
  if (least === 0 && most === 1) return map;
  // Of a map that is the same everywhere nothing stands out.
  const scale = most > least ? 1 / (most - least) : 0;
  return toNdArray(
    map.data.map((value) => (value - least) * scale),
    map.shape,
  );
}

/** From its least value to its greatest. */
export function extremesOf({ data }: SaliencyMap): Range {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** The middle of the pixel where a map is greatest, in parts of its width and height. */
export function greatestPoint({ data, shape }: SaliencyMap): { u: number; v: number } {
  const best = indexOfGreatest(data);
  const [height, width] = shape as [number, number];
  return { u: ((best % width) + 0.5) / width, v: (Math.floor(best / width) + 0.5) / height };
}

function indexOfGreatest(data: Float32Array): number {
  let best = 0;
  for (let i = 1; i < data.length; i++) if (data[i]! > data[best]!) best = i;
  return best;
}

/** Says in words where a map is greatest. */
export function greatest({ data, shape }: SaliencyMap): string {
  const best = indexOfGreatest(data);
  const [height, width] = shape as [number, number];
  const left = Math.round((100 * (best % width)) / width);
  const top = Math.round((100 * Math.floor(best / width)) / height);
  return `Greatest, ${data[best]!.toFixed(2)}, at ${left} % from the left and ${top} % from the top.`;
}
