/** The pictures of an explanation at the full size of a large picture, band by band: pyramids of tiles, maps as TIFF. */

import { join } from 'node:path';
import { createPicture, fitInside, type Picture, pixelsOf } from '../../image/picture.js';
import type { MapRows, RowKind } from '../../tiles/index.js';
import { writeRgbRow } from '../../viz/hsv.js';
import { type Colormap, toNdArray } from '../../viz/index.js';
import type { PictureFormat } from '../drawing/encode.js';
import { heat, toPicture } from '../drawing/heat.js';
import { mixHalf } from '../drawing/pixels.js';
import { DRAWN_SIDE } from '../explain-file.js';
import { MapTiff, positionOf } from './map-tiff.js';
import { Overview } from './overview.js';
import type { PictureRows } from './picture-rows.js';
import { Pyramid } from './pyramid.js';

/** Kinds that can be drawn as a pyramid. */
export type LargeKind = RowKind | 'overlay' | 'lovi' | 'picture';

export interface LargeDrawing {
  readonly picture: PictureRows;
  readonly maps: MapRows;
  readonly pyramids: readonly LargeKind[];
  readonly tiffs: readonly RowKind[];
  /** [h, w] of the TIFFs. */
  readonly tiffSize: readonly number[];
  /** Whether maps may be above 1: then their greatest value is shown as 1. */
  readonly hasLimit: boolean;
  readonly colormap: Colormap;
  readonly format: PictureFormat;
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
  /** Called with the share that is done. */
  readonly onProgress: (done: number) => void;
}

/** Rows that are drawn at a time. */
const BAND = 128;

/** @returns the files, and a copy of the picture that fits on a screen */
export async function drawLarge(
  drawing: LargeDrawing,
): Promise<{ files: string[]; overview: Picture }> {
  const { picture, pyramids, tiffs, folder, format, onProgress } = drawing;
  const overview = new Overview(picture, fitInside(picture, DRAWN_SIDE));
  const files: string[] = [];
  for (const [i, kind] of tiffs.entries()) {
    files.push(
      await writeTiff(drawing, kind, (done) => onProgress((0.2 * (i + done)) / tiffs.length)),
    );
  }
  const drawn: { readonly paint: PaintBand; readonly pyramid: Pyramid }[] = [];
  try {
    for (const kind of pyramids) {
      const pyramid = await Pyramid.create(join(folder, `${kind}.dzi`), picture, format);
      drawn.push({ paint: painter(drawing, kind), pyramid });
      files.push(pyramid.path);
    }
    for (let top = 0; top < picture.height; top += BAND) {
      drawing.signal?.throwIfAborted();
      const rows = await picture.read(top, Math.min(BAND, picture.height - top));
      overview.add(rows);
      for (const { paint, pyramid } of drawn) await pyramid.add(paint(rows, top));
      onProgress(0.2 + (0.8 * top) / picture.height);
    }
    for (const { pyramid } of drawn) await pyramid.end();
  } finally {
    for (const { pyramid } of drawn) await pyramid.settle();
  }
  return { files, overview: overview.picture };
}

async function writeTiff(
  { picture, maps, tiffSize, folder, signal }: LargeDrawing,
  kind: RowKind,
  onProgress: (done: number) => void,
): Promise<string> {
  const [height, width] = tiffSize as [number, number];
  const path = join(folder, `${kind}.tif`);
  const { directory } = picture;
  const [across, down] = [picture.width / width, picture.height / height];
  const position = directory ? positionOf(directory, across, down) : [];
  const tiff = await MapTiff.create(path, { width, height }, position);
  const own = maps.resized(width, height);
  const row = new Float32Array(width);
  try {
    for (let y = 0; y < height; y++) {
      if (y % BAND === 0) signal?.throwIfAborted();
      own.write(row, kind, y);
      await tiff.add(row);
      if (y % BAND === 0) onProgress(y / height);
    }
    await tiff.end();
  } finally {
    await tiff.discard();
  }
  return path;
}

/** Draws rows of the picture that begin at row `top`. */
type PaintBand = (rows: Picture, top: number) => Picture;

function painter(drawing: LargeDrawing, kind: LargeKind): PaintBand {
  const { maps, colormap } = drawing;
  if (kind === 'picture') return (rows) => rows;
  if (kind === 'lovi') {
    return ({ width, height }, top) => {
      const band = createPicture(width, height);
      const pixels = pixelsOf(band);
      const rgb = new Float64Array(3 * width);
      for (let y = 0; y < height; y++) {
        maps.writeLovi(rgb, top + y);
        writeRgbRow(pixels, y, rgb);
      }
      return band;
    };
  }
  const shown = kind === 'overlay' ? (maps.hasCam ? 'fastcam' : 'saliency') : kind;
  const most = drawing.hasLimit ? 1 : greatest(drawing, shown);
  return (rows, top) => {
    const { width, height } = rows;
    const values = new Float32Array(width * height);
    for (let y = 0; y < height; y++) {
      const row = values.subarray(y * width, (y + 1) * width);
      maps.write(row, shown, top + y);
      if (most > 1) for (let x = 0; x < width; x++) row[x]! /= most;
    }
    const drawn = heat(toNdArray(values, [height, width]), colormap);
    if (!('indices' in drawn)) return drawn;
    return kind === 'overlay' ? mixHalf(rows, drawn.indices, drawn.colors) : toPicture(drawn);
  };
}

/** The greatest value of a map, at least 1. */
function greatest({ maps, picture }: LargeDrawing, kind: RowKind): number {
  const row = new Float32Array(picture.width);
  let most = 1;
  for (let y = 0; y < picture.height; y++) {
    maps.write(row, kind, y);
    for (let x = 0; x < row.length; x++) if (row[x]! > most) most = row[x]!;
  }
  return most;
}
