/** TIFF: the first page, by geotiff. tiff/layout.ts says what is supported. */

import type { Orientation } from '../../image/orientation.js';
import type { DecodedPicture, DecodeOptions, PictureFormat } from './format.js';
import type { PictureSize } from './header.js';
import { type Levels, writeColors } from './tiff/colors.js';
import { type Directory, isTiff, readDirectory, TAG } from './tiff/directory.js';
import { FLOAT, type Layout, readLayout, UNSIGNED } from './tiff/layout.js';
import { openPage, type ReadBands } from './tiff/rasters.js';

export const TIFF: PictureFormat<Header> = {
  name: 'TIFF',
  matches: isTiff,
  readHeader,
  decode: decodeTiff,
  orientationOf: orientationOfTiff,
  forSharp: () => undefined,
};

interface Header extends PictureSize {
  readonly directory: Directory;
  readonly layout: Layout;
}

function readHeader(bytes: Uint8Array): Header {
  const directory = readDirectory(bytes);
  const layout = readLayout(directory, bytes.length);
  return { width: layout.width, height: layout.height, directory, layout };
}

async function decodeTiff(
  bytes: Uint8Array,
  { width, height, directory, layout }: Header,
  options: DecodeOptions,
): Promise<DecodedPicture> {
  const bands = await openPage(bytes, layout, directory);
  const levels = await levelsOf(layout, options, noDataOf(directory), bands);
  const palette = directory.values(TAG.colorMap, 3 * 2 ** Math.min(layout.bits, 8));
  const data = new Uint8ClampedArray(4 * width * height);
  for await (const { top, rows, samples } of bands()) {
    const out = data.subarray(4 * width * top, 4 * width * (top + rows));
    writeColors(out, samples, layout, levels, palette);
  }
  return { data: new Uint8Array(data.buffer), width, height, decoder: 'geotiff' };
}

/** How samples become bytes; docs/pictures.md has the rule. */
export async function levelsOf(
  layout: Layout,
  { sampleRange }: DecodeOptions,
  noData: number,
  bands: ReadBands,
): Promise<Levels> {
  const { bits, format, inverted, colors } = layout;
  const isFull = format === UNSIGNED && bits <= 16;
  const full = format === FLOAT ? 1 : 2 ** (format === UNSIGNED ? bits : bits - 1) - 1;
  const isMissing = (value: number): boolean =>
    !isFull && (Number.isNaN(value) || value === noData);
  // The samples of other colors have their own scale.
  const hasRange = colors === 'grey' || colors === 'rgb';
  const isScaled = hasRange && (!isFull || sampleRange !== undefined);
  const [black, white] = !isScaled
    ? [0, full]
    : typeof sampleRange === 'object'
      ? sampleRange
      : await foundRange(layout, isMissing, bands, sampleRange === undefined);
  const extent = white - black;
  return {
    color: (value) => (255 * (inverted ? white - value : value - black)) / extent,
    alpha: (value) => Math.min(1, Math.max(0, value / full)),
    isMissing,
  };
}

/** The least and the greatest sample of the color; 0 and 1 if `unit` and all floats are inside. */
async function foundRange(
  { format, read, alpha }: Layout,
  isMissing: (value: number) => boolean,
  bands: ReadBands,
  unit: boolean,
): Promise<readonly [number, number]> {
  const stride = read.length;
  const colors = alpha === 'none' ? stride : stride - 1;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for await (const { samples } of bands()) {
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i]!;
      if (i % stride >= colors || isMissing(value) || !Number.isFinite(value)) continue;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  if (unit && format === FLOAT && least >= 0 && greatest <= 1) return [0, 1];
  // If there is only one value, it is black. If there is none, the picture is empty, which is not an error.
  return least < greatest ? [least, greatest] : [least === greatest ? least : 0, least + 1 || 1];
}

/** GDAL's tag, a number as text; NaN if it is missing. */
export function noDataOf({ values }: Directory): number {
  const text = String.fromCharCode(...values(TAG.noData, 32)).replace(/\0.*$/s, '');
  return text.trim() === '' ? Number.NaN : Number(text);
}

function orientationOfTiff(bytes: Uint8Array): Orientation {
  const value = readDirectory(bytes).first(TAG.orientation, 1);
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
