/**
 * A map and its picture in one: blended, multiplied, or cut out. All work on sRGB bytes as they are,
 * keep the picture's alpha, and leave their arguments alone. NaN in a map marks a pixel that was not
 * seen: there the picture is shown grey and at half its brightness.
 */

import { ShapeError } from '../errors.js';
import { checkPicture, createPicture, type Picture } from '../image/picture.js';
import { type Colormap, colormapTable, colorStep } from './colormap.js';
import { checkMap, type FlatArray, type NdArray, type SaliencyMap } from './ndarray.js';

export interface OverlayOptions {
  /** Default `viridis`. */
  readonly colormap?: Colormap;
  /** The share of the map's colour, 0…1; default 0.5. */
  readonly opacity?: number;
}

/** Brightness of a pixel that was not seen. */
const DIMMED = 0.5;

/**
 * The map's colours over the picture: opacity·color(map) + (1 − opacity)·picture.
 *
 * @param picture RGBA.
 * @param map [H, W] of the picture's size, values clamped to [0, 1].
 * @throws ShapeError where the sizes differ or the opacity is outside [0, 1], TypeError where there is
 *   no such colour map.
 */
export function overlay(picture: Picture, map: SaliencyMap, options: OverlayOptions = {}): Picture {
  const { colormap = 'viridis', opacity = 0.5 } = options;
  checkSameSize('overlay', picture, map, 'map');
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new ShapeError(`overlay: opacity expected 0…1, got ${opacity}`);
  }
  const table = colormapTable(colormap);
  const keep = 1 - opacity;
  return drawPixels(picture, map, (out, source, i, value) => {
    const color = 4 * colorStep(value);
    out[i] = keep * source[i]! + opacity * table[color]!;
    out[i + 1] = keep * source[i + 1]! + opacity * table[color + 1]!;
    out[i + 2] = keep * source[i + 2]! + opacity * table[color + 2]!;
  });
}

/**
 * The picture, as bright as the map: picture · map.
 *
 * @param picture RGBA.
 * @param map [H, W] of the picture's size, values clamped to [0, 1].
 * @throws ShapeError where the sizes differ.
 */
export function softMask(picture: Picture, map: SaliencyMap): Picture {
  checkSameSize('softMask', picture, map, 'map');
  return multiply(picture, map);
}

/**
 * The picture where the mask is not 0, black elsewhere.
 *
 * @param picture RGBA.
 * @param mask uint8 [H, W] of the picture's size, as from `keepMask`.
 * @throws ShapeError where the sizes differ.
 */
export function hardMask(picture: Picture, mask: NdArray<Uint8Array>): Picture {
  checkSameSize('hardMask', picture, mask, 'mask');
  return multiply(picture, mask);
}

/** picture · clamp(factor, 0, 1), pixel by pixel. */
function multiply(picture: Picture, factors: NdArray<Float32Array | Uint8Array>): Picture {
  return drawPixels(picture, factors, (out, source, i, value) => {
    const factor = Math.max(0, Math.min(1, value));
    out[i] = factor * source[i]!;
    out[i + 1] = factor * source[i + 1]!;
    out[i + 2] = factor * source[i + 2]!;
  });
}

/**
 * Draws pixel by pixel, those that were not seen as their luma (ITU-R BT.601), dimmed.
 *
 * @param draw writes red, green and blue at byte `i`
 */
function drawPixels(
  { width, height, data: source }: Picture,
  { data, stride, offset }: NdArray<Float32Array | Uint8Array>,
  draw: (out: Uint8ClampedArray, source: Picture['data'], i: number, value: number) => void,
): Picture {
  const picture = createPicture(width, height);
  const { data: out } = picture;
  let i = 0;
  for (let y = 0; y < height; y++) {
    const rowBase = offset + y * stride[0]!;
    for (let x = 0; x < width; x++, i += 4) {
      const value = data[rowBase + x * stride[1]!]!;
      if (Number.isNaN(value)) {
        const luma = 0.299 * source[i]! + 0.587 * source[i + 1]! + 0.114 * source[i + 2]!;
        out[i] = out[i + 1] = out[i + 2] = DIMMED * luma;
      } else {
        draw(out, source, i, value);
      }
      out[i + 3] = source[i + 3]!;
    }
  }
  return picture;
}

function checkSameSize(
  operation: string,
  picture: Picture,
  map: NdArray<FlatArray>,
  name: string,
): void {
  checkPicture(operation, picture);
  checkMap(operation, map, name);
  if (map.shape[0] !== picture.height || map.shape[1] !== picture.width) {
    throw new ShapeError(
      `${operation}: ${name} expected [${picture.height}, ${picture.width}] for a picture of ${picture.width}×${picture.height}, got [${map.shape.join(', ')}]`,
    );
  }
}
