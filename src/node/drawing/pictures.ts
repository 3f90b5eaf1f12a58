/** The pictures of an explanation. Each is drawn on demand. */

import type { Explanation, Prediction } from '../../explanation.js';
import { createPicture, fitInside, type Picture, type Size } from '../../image/picture.js';
import { STATISTIC_NAMES } from '../../kernels/index.js';
import type { CamMethod } from '../../methods/index.js';
import {
  type Colormap,
  colorAt,
  colorize,
  hardMask,
  keepMask,
  loviLegend,
  overlay,
  type SaliencyMap,
  softMask,
  toNdArray,
  upsampleBilinear,
} from '../../viz/index.js';
import { placePicture } from '../place-picture.js';
import type { Lettering } from './canvas.js';
import { forDisplay, heat, type IndexedPicture, toPicture } from './heat.js';
import { type PictureKind, thumbnailKinds } from './picture-kinds.js';
import { mixHalf, shrinkPicture } from './pixels.js';
import { drawLovi, drawSheet, type SheetRow } from './sheet.js';

export interface NamedPicture {
  /** File name without its extension. */
  readonly name: string;
  draw(): Picture | IndexedPicture | Promise<Picture>;
}

/** The data from which the pictures are drawn. */
export interface PictureSource {
  /** Its maps have the size of `picture`. */
  readonly explanation: Explanation;
  /** The picture that was explained, opaque, at the size to draw. */
  readonly picture: Picture;
  readonly colormap: Colormap;
  /** The map of another method, at the size of `picture`, if one was asked for. */
  readonly attributionMap: SaliencyMap | undefined;
  /** Name of the picture on the sheet. */
  readonly title: string;
  /** Loaded if `needsLettering`. */
  readonly lettering: Lettering | undefined;
}

/** Long side of a tile of the contact sheet, in pixels: the sheet of a wide picture then has the largest width. */
const TILE = 256;
/** Long side of a thumbnail. */
const THUMBNAIL = 240;
/** Long side of the picture of one scale. */
const SCALE_SIDE = 512;
/** Pictures with a smaller long side are enlarged to be visible. */
const SMALL = 224;
/** The share of pixels that the hard mask keeps. */
const KEPT = 0.1;

const CAM_NAMES: Record<CamMethod, string> = {
  'gradcam++': 'Grad-CAM++',
  gradcam: 'Grad-CAM',
  xgradcam: 'XGrad-CAM',
  layercam: 'LayerCAM',
  hirescam: 'HiResCAM',
};

/** The pictures of these kinds, in the order of `PICTURE_KINDS`. */
export function picturesOf(source: PictureSource, kinds: readonly PictureKind[]): NamedPicture[] {
  const { explanation, picture, colormap } = source;
  const draw: Record<Exclude<PictureKind, 'scales'>, NamedPicture['draw']> = {
    sheet: () => sheet(source),
    saliency: () => heat(explanation.combinedMap, colormap),
    overlay: () => overlaid(picture, mainMap(explanation), colormap),
    lovi: () => loviWithLegend(explanation, source.lettering!),
    fastcam: () => heat(explanation.fastcamMap, colormap),
    'non-class': () => heat(explanation.nonClassMap, colormap),
    attribution: () => heat(source.attributionMap!, colormap),
    'attribution-overlay': () => overlaid(picture, source.attributionMap!, colormap),
    picture: () => picture,
    thumbnails: () => thumbnails(source),
  };
  return kinds.flatMap((kind): NamedPicture[] =>
    kind === 'scales'
      ? explanation.scaleMaps.map((map, i) => ({
          name: `scale-${i + 1}`,
          draw: () => heat(scaleForDisplay(map, explanation), colormap),
        }))
      : [{ name: kind, draw: draw[kind] }],
  );
}

/** Half the picture and half the map's color; pixels that were not seen are as in `overlay`. */
function overlaid(picture: Picture, map: SaliencyMap, colormap: Colormap): Picture {
  const drawn = heat(map, colormap);
  return 'indices' in drawn
    ? mixHalf(picture, drawn.indices, drawn.colors)
    : overlay(picture, forDisplay(map), { colormap });
}

/** FastCAM, or the saliency if there is no class activation map. */
function mainMap(explanation: Explanation): SaliencyMap {
  return explanation.cam === 'none' ? explanation.combinedMap : explanation.fastcamMap;
}

/** Size of a strip with this many thumbnails, in pixels. */
export function thumbnailsSize(drawn: Size, count: number): Size {
  const { width, height } = fitInside(drawn, THUMBNAIL);
  return { width: count * width, height };
}

/** One strip of small pictures side by side, without text. */
async function thumbnails(drawn: PictureSource): Promise<Picture> {
  const { explanation, picture, colormap, ...rest } = drawn;
  const size = fitInside(picture, THUMBNAIL);
  const small = explanation.resized(size.width, size.height);
  const source = { ...rest, explanation: small, picture: shrinkPicture(picture, size), colormap };
  const tiles = await Promise.all(
    picturesOf(source, thumbnailKinds(small)).map(async ({ name, draw }) => {
      const tile = name === 'lovi' ? small.lovi() : await draw();
      return 'indices' in tile ? toPicture(tile) : tile;
    }),
  );
  const { width, height } = thumbnailsSize(picture, tiles.length);
  const strip = createPicture(width, height);
  for (const [i, tile] of tiles.entries()) placePicture(strip, tile, i * size.width, 0);
  return strip;
}

async function sheet(source: PictureSource): Promise<Picture> {
  const { explanation, picture, colormap, title, lettering } = source;
  const size = fitInside(picture, TILE);
  const factor = enlargement(size, SMALL);
  const small = shrinkPicture(picture, size);
  const maps = explanation.resized(size.width, size.height);
  const row = async (label: string, note: string, full: SaliencyMap): Promise<SheetRow> => {
    const map = forDisplay(full);
    const tiles = [
      small,
      colorize(map, colormap),
      overlaid(small, map, colormap),
      softMask(small, map),
      hardMask(small, keepMask(map, KEPT)),
    ];
    return {
      label,
      note,
      tiles: await Promise.all(tiles.map((tile) => enlarged(tile, factor))),
    };
  };
  const saliency = STATISTIC_NAMES[explanation.statistic];
  const rows = [row(saliency, 'all scales combined', maps.combinedMap)];
  if (explanation.cam !== 'none') {
    rows.push(
      row('CAM', CAM_NAMES[explanation.cam], maps.camMap),
      row('FastCAM', `${saliency} × CAM`, maps.fastcamMap),
      row('Non-class', `${saliency} × (1 − CAM)`, maps.nonClassMap),
    );
  }
  return drawSheet(
    {
      title: className(explanation),
      subtitle: isTop(explanation) ? title : `${title}, likeliest: ${likeliest(explanation)}`,
      columns: ['Picture', 'Heat map', 'Overlay', 'Soft mask', 'Top 10 %'],
      rows: await Promise.all(rows),
      colorBar: colorBar(colormap, Math.max(64, Math.round(0.7 * size.width * factor)), 14),
    },
    lettering!,
  );
}

/** The class of the sheet, with its probability. */
function className(explanation: Explanation): string {
  const { target, logits } = explanation;
  const own = explanation.top(logits.length).find(({ index }) => index === target);
  return own ? percent(own) : 'No classifier';
}

function likeliest(explanation: Explanation): string {
  return percent(explanation.top(1)[0]!);
}

function isTop(explanation: Explanation): boolean {
  return explanation.top(1)[0]?.index === explanation.target;
}

function percent({ label, probability }: Prediction): string {
  return `${label} ${(100 * probability).toFixed(1)} %`;
}

async function loviWithLegend(explanation: Explanation, lettering: Lettering): Promise<Picture> {
  const lovi = explanation.lovi();
  const legend = loviLegend(explanation.scaleMaps.length, 200, 48);
  return drawLovi(await enlarged(lovi, enlargement(lovi, SMALL)), legend, lettering);
}

/** The whole factor by which a small picture is enlarged so that its long side is near `box`. */
export function enlargement({ width, height }: Size, box: number): number {
  return Math.max(1, Math.floor(box / Math.max(width, height)));
}

export async function enlarged(picture: Picture, factor: number): Promise<Picture> {
  if (factor === 1) return picture;
  const { enlargePicture } = await import('./enlarge.js');
  return enlargePicture(picture, factor);
}

/** One scale's map at the picture's aspect ratio, as smooth as in the combination. */
function scaleForDisplay(map: SaliencyMap, explanation: Explanation): SaliencyMap {
  const { width, height, region } = explanation;
  const scale = SCALE_SIDE / Math.max(width, height);
  const size: Size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  const toX = size.width / width;
  const toY = size.height / height;
  const out = new Float32Array(size.width * size.height);
  upsampleBilinear(out, [size.height, size.width], map, {
    x: region.x * toX,
    y: region.y * toY,
    width: region.width * toX,
    height: region.height * toY,
  });
  return toNdArray(out, [size.height, size.width]);
}

/** A strip of the color map from 0 to 1, left to right. */
export function colorBar(colormap: Colormap, width: number, height: number): Picture {
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let x = 0; x < width; x++) {
    const color = colorAt(colormap, x / Math.max(1, width - 1));
    for (let y = 0; y < height; y++) data.set(color, 4 * (y * width + x));
  }
  return { data, width, height };
}
