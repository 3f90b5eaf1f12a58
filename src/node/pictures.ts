/** The pictures that show an explanation, each drawn when it is asked for. */

import type { Explanation, Prediction } from '../explanation.js';
import { STATISTIC_NAMES } from '../kernels/index.js';
import type { CamMethod } from '../methods/index.js';
import {
  type Colormap,
  colorAt,
  colorize,
  hardMask,
  keepMask,
  loviLegend,
  overlay,
  type Picture,
  type SaliencyMap,
  softMask,
  toNdArray,
  upsampleBilinear,
} from '../viz/index.js';
import type { Lettering } from './canvas.js';
import {
  enlargement,
  enlargePicture,
  fitInside,
  type Size,
  shrinkMap,
  shrinkPicture,
} from './resample.js';
import { drawLovi, drawSheet, type SheetRow } from './sheet.js';

export interface NamedPicture {
  /** File name, with its ending. */
  readonly name: string;
  draw(): Picture;
}

/** What the pictures are drawn from. */
export interface PictureSource {
  readonly explanation: Explanation;
  /** The picture that was explained, opaque. */
  readonly picture: Picture;
  readonly colormap: Colormap;
  /** What the sheet calls the picture. */
  readonly title: string;
}

/** Long side of a tile of the contact sheet, in pixels. */
const TILE = 320;
/** Long side of the picture of one scale. */
const SCALE_SIDE = 512;
/** Long side below which pictures are enlarged to be seen at all. */
const SMALL = 224;
/** The share of pixels that the hard mask keeps. */
const KEPT = 0.1;

const CAM_NAMES: Record<CamMethod, string> = {
  'gradcam++': 'Grad-CAM++',
  gradcam: 'Grad-CAM',
  xgradcam: 'XGrad-CAM',
};

/** All pictures of an explanation, the contact sheet first. */
export function picturesOf(source: PictureSource, lettering: Lettering): NamedPicture[] {
  const { explanation, picture, colormap } = source;
  const heat = (map: SaliencyMap): Picture => colorize(forDisplay(map), colormap);
  const withCam = explanation.cam !== 'none';
  const pictures: NamedPicture[] = [
    { name: 'sheet.png', draw: () => sheet(source, lettering) },
    { name: 'saliency.png', draw: () => heat(explanation.combinedMap) },
    {
      name: 'overlay.png',
      draw: () => {
        const map = withCam ? explanation.fastcamMap : explanation.combinedMap;
        return overlay(picture, forDisplay(map), { colormap });
      },
    },
    { name: 'lovi.png', draw: () => loviWithLegend(explanation, lettering) },
  ];
  if (withCam) {
    pictures.push(
      { name: 'fastcam.png', draw: () => heat(explanation.fastcamMap) },
      { name: 'non-class.png', draw: () => heat(explanation.nonClassMap) },
    );
  }
  for (const [i, map] of explanation.scaleMaps.entries()) {
    pictures.push({
      name: `scale-${i + 1}.png`,
      draw: () => colorize(scaleForDisplay(map, explanation), colormap),
    });
  }
  return pictures;
}

function sheet(
  { explanation, picture, colormap, title }: PictureSource,
  lettering: Lettering,
): Picture {
  const size = fitInside(picture, TILE);
  const factor = enlargement(size, SMALL);
  const small = shrinkPicture(picture, size);
  const row = (label: string, note: string, full: SaliencyMap): SheetRow => {
    const map = forDisplay(shrinkMap(full, size));
    const tiles = [
      small,
      colorize(map, colormap),
      overlay(small, map, { colormap }),
      softMask(small, map),
      hardMask(small, keepMask(map, KEPT)),
    ];
    return { label, note, tiles: tiles.map((tile) => enlargePicture(tile, factor)) };
  };
  const saliency = STATISTIC_NAMES[explanation.statistic];
  const rows = [row(saliency, 'all scales combined', explanation.combinedMap)];
  if (explanation.cam !== 'none') {
    rows.push(
      row('CAM', CAM_NAMES[explanation.cam], explanation.camMap),
      row('FastCAM', `${saliency} × CAM`, explanation.fastcamMap),
      row('Non-class', `${saliency} × (1 − CAM)`, explanation.nonClassMap),
    );
  }
  return drawSheet(
    {
      title: className(explanation),
      subtitle: isTop(explanation) ? title : `${title}, likeliest: ${likeliest(explanation)}`,
      columns: ['Picture', 'Heat map', 'Overlay', 'Soft mask', 'Top 10 %'],
      rows,
      colorBar: colorBar(colormap, Math.max(64, Math.round(0.7 * size.width * factor)), 14),
    },
    lettering,
  );
}

/** The class that the sheet is about, with the network's belief in it. */
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

function loviWithLegend(explanation: Explanation, lettering: Lettering): Picture {
  const lovi = explanation.lovi();
  const legend = loviLegend(explanation.scaleMaps.length, 200, 48);
  return drawLovi(enlargePicture(lovi, enlargement(lovi, SMALL)), legend, lettering);
}

/** One scale's map at the picture's aspect, smooth as the combination sees it. */
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
  return forDisplay(toNdArray(out, [size.height, size.width]));
}

/** Maps of the normaliser `identity` have no upper bound: their maximum is shown as 1. */
function forDisplay(map: SaliencyMap): SaliencyMap {
  const { data } = map;
  let max = 1;
  for (let i = 0; i < data.length; i++) if (data[i]! > max) max = data[i]!;
  if (max === 1) return map;
  return toNdArray(
    Float32Array.from(data, (value) => value / max),
    map.shape,
  );
}

function colorBar(colormap: Colormap, width: number, height: number): Picture {
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let x = 0; x < width; x++) {
    const color = colorAt(colormap, x / Math.max(1, width - 1));
    for (let y = 0; y < height; y++) data.set(color, 4 * (y * width + x));
  }
  return { data, width, height };
}
