/**
 * Combines a map and its picture: blended, multiplied, or cut out. All functions work on sRGB bytes as they are,
 * keep the picture's alpha, and do not change their arguments. NaN in a map marks a pixel that was not
 * seen: there the picture is shown grey and at half its brightness.
 */

import { ShapeError } from '../errors.js';
import {
  checkPicture,
  createPicture,
  type DrawnPicture,
  type Picture,
  pixelsOf,
} from '../image/picture.js';
import { type Colormap, colormapTable, colorStep } from './colormap.js';
import { checkMap, type FlatArray, type NdArray, type SaliencyMap } from './ndarray.js';
import { clamped } from './scale-rows.js';

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
 * @throws ShapeError if the sizes differ or the opacity is outside [0, 1], TypeError for an unknown
 *   colour map.
 */
export function overlay(
  picture: Picture,
  map: SaliencyMap,
  options: OverlayOptions = {},
): DrawnPicture {
  const { colormap = 'viridis', opacity = 0.5 } = options;
  checkSameSize('overlay', picture, map, 'map');
  checkOpacity(opacity);
  const colors = new Uint32Array(colormapTable(colormap).buffer);
  const drawn = createPicture(picture.width, picture.height);
  blend(pixelsOf(drawn), pixelsOf(picture), map, colors, opacity);
  return drawn;
}

/** @throws ShapeError if it is outside [0, 1] */
export function checkOpacity(opacity: number): void {
  if (opacity >= 0 && opacity <= 1) return;
  throw new ShapeError(`overlay: opacity expected 0…1, got ${opacity}`);
}

/**
 * `overlay` on pixels, of arguments that were checked. Allocates nothing.
 *
 * @param out [H, W], overwritten
 * @param source the picture, [H, W]
 * @param colors 256 steps of a colour map
 */
export function blend(
  out: Uint32Array,
  source: Uint32Array,
  { data, shape, stride, offset }: SaliencyMap,
  colors: Uint32Array,
  opacity: number,
): void {
  const ofColor = shareOf(opacity);
  const ofPicture = ONE - ofColor;
  const [W, toNext] = [shape[1]!, stride[1]!];
  for (let p = 0, y = 0; p < out.length; y++) {
    let at = offset + y * stride[0]!;
    for (let x = 0; x < W; x++, p++, at += toNext) {
      const value = data[at]!;
      const pixel = source[p]!;
      out[p] = Number.isNaN(value)
        ? dimmedGrey(pixel)
        : mixed(pixel, ofPicture, colors[colorStep(value)]!, ofColor);
    }
  }
}

/**
 * The picture, as bright as the map: picture · map.
 *
 * @param picture RGBA.
 * @param map [H, W] of the picture's size, values clamped to [0, 1].
 * @throws ShapeError if the sizes differ.
 */
export function softMask(picture: Picture, map: SaliencyMap): DrawnPicture {
  checkSameSize('softMask', picture, map, 'map');
  return multiply(picture, map);
}

/**
 * The picture where the mask is not 0, black elsewhere.
 *
 * @param picture RGBA.
 * @param mask uint8 [H, W] of the picture's size, as from `keepMask`.
 * @throws ShapeError if the sizes differ.
 */
export function hardMask(picture: Picture, mask: NdArray<Uint8Array>): DrawnPicture {
  checkSameSize('hardMask', picture, mask, 'mask');
  return multiply(picture, mask);
}

/** 1 in fixed point: 255 times that fits into 32 bits, and results are exact to 1/500 of a level. */
const ONE = 1 << 16;

function shareOf(value: number): number {
  return (ONE * clamped(value) + 0.5) | 0;
}

/** Mixes red, green and blue of two pixels; the alpha is the first one's. */
function mixed(a: number, ofA: number, b: number, ofB: number): number {
  const red = mix(a & 255, ofA, b & 255, ofB);
  const green = mix((a >> 8) & 255, ofA, (b >> 8) & 255, ofB);
  const blue = mix((a >> 16) & 255, ofA, (b >> 16) & 255, ofB);
  return red | (green << 8) | (blue << 16) | (a & ALPHA);
}

function mix(a: number, ofA: number, b: number, ofB: number): number {
  return (Math.imul(a, ofA) + Math.imul(b, ofB) + ONE / 2) >> 16;
}

/** Alpha is the highest byte of a pixel. */
const ALPHA = 0xff000000;

/** picture · clamp(factor, 0, 1), pixel by pixel. */
function multiply(
  picture: Picture,
  { data, stride, offset }: NdArray<Float32Array | Uint8Array>,
): DrawnPicture {
  const { width, height } = picture;
  const source = pixelsOf(picture);
  const drawn = createPicture(width, height);
  const out = pixelsOf(drawn);
  const toNext = stride[1]!;
  let p = 0;
  for (let y = 0; y < height; y++) {
    let at = offset + y * stride[0]!;
    for (let x = 0; x < width; x++, p++, at += toNext) {
      const value = data[at]!;
      const pixel = source[p]!;
      out[p] = Number.isNaN(value) ? dimmedGrey(pixel) : mixed(pixel, shareOf(value), 0, 0);
    }
  }
  return drawn;
}

/** A pixel that was not seen: its luma (ITU-R BT.601), dimmed. */
function dimmedGrey(pixel: number): number {
  const luma = 0.299 * (pixel & 255) + 0.587 * ((pixel >> 8) & 255) + 0.114 * ((pixel >> 16) & 255);
  return (((DIMMED * luma + 0.5) | 0) * 0x010101) | (pixel & ALPHA);
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
