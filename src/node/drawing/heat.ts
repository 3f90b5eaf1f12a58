/**
 * Heat maps as indices into a color map of 256 colors: one byte per pixel to compute, filter and compress; RGBA has
 * four.
 */

import type { Picture } from '../../image/picture.js';
import { colormapTable, colorStep } from '../../viz/colormap.js';
import { type Colormap, colorize, type SaliencyMap, toNdArray } from '../../viz/index.js';
import { writeSteps } from './pixels.js';

export interface IndexedPicture {
  /** [height, width] */
  readonly indices: Uint8Array;
  /** RGBA [256, 4] */
  readonly colors: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A map in colors, as `colorize` paints it; RGBA if some pixels were not seen: their grey is not in the color map. */
export function heat(map: SaliencyMap, colormap: Colormap): Picture | IndexedPicture {
  const { data, shape } = map;
  const [height, width] = shape as [number, number];
  const indices = new Uint8Array(data.length);
  const most = writeSteps(indices, data);
  if (Number.isNaN(most)) return colorize(forDisplay(map), colormap);
  if (most > 1) for (let i = 0; i < data.length; i++) indices[i] = colorStep(data[i]! / most);
  return { indices, colors: colormapTable(colormap), width, height };
}

/** Maps of the normaliser `identity` have no upper limit: their maximum is shown as 1. */
export function forDisplay(map: SaliencyMap): SaliencyMap {
  const { data, shape } = map;
  let most = 1;
  for (let i = 0; i < data.length; i++) if (data[i]! > most) most = data[i]!;
  return most === 1
    ? map
    : toNdArray(
        data.map((value) => value / most),
        shape,
      );
}

/** All four bytes of each pixel. */
export function toPicture({ indices, colors, width, height }: IndexedPicture): Picture {
  const table = new Uint32Array(colors.buffer);
  const pixels = Uint32Array.from(indices, (index) => table[index]!);
  return { data: new Uint8Array(pixels.buffer), width, height };
}
