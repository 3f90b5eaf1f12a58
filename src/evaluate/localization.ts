/**
 * Whether a map points at the object, whose boxes are known:
 *
 *   pointing game  whether the most salient pixel is in a box, or at most a tolerance away (Zhang et al., Excitation
 *                  Backprop, arXiv 1608.00507). Where several pixels are the most salient, the share of them that hit
 *   energy         Σ of `unitMap` in the boxes over Σ of all pixels (Wang et al., Score-CAM, arXiv 1910.01279)
 *
 * A constant map has the share of the pixels for which both would hold by chance. Pixels that are NaN do not count.
 */

import type { Region } from '../image/index.js';
import type { MapValues } from '../viz/normalize.js';
import { unitMap } from './unit-map.js';

/** A box on a map, in pixels of the map: from x0 to x1 and y0 to y1, the ends of the edges of pixels. */
export interface MapBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/**
 * A box of a picture on the map of what the network saw of it.
 *
 * @param box in pixels of the picture; both corners are pixels inside
 * @param region the part of the picture that the network saw
 * @returns the part that it saw; undefined if it saw nothing of the box
 */
export function boxOnMap(
  box: MapBox,
  region: Region,
  [H, W]: readonly [number, number],
): MapBox | undefined {
  const across = (x: number): number =>
    Math.max(0, Math.min(W, ((x - region.x) * W) / region.width));
  const down = (y: number): number =>
    Math.max(0, Math.min(H, ((y - region.y) * H) / region.height));
  const [x0, x1] = [across(box.x0), across(box.x1 + 1)];
  const [y0, y1] = [down(box.y0), down(box.y1 + 1)];
  return x1 > x0 && y1 > y0 ? { x0, y0, x1, y1 } : undefined;
}

export interface Localization {
  /** 0 or 1; between them if several pixels are the most salient. */
  readonly pointing: number;
  /** 0…1. */
  readonly energy: number;
}

/**
 * @param map [H·W]
 * @param boxes at least one
 * @param tolerance in pixels of the map
 * @returns undefined if no pixel was seen
 */
export function localization(
  map: MapValues,
  [H, W]: readonly [number, number],
  boxes: readonly MapBox[],
  tolerance: number,
): Localization | undefined {
  const weights = unitMap(map);
  let [all, inside, tops, hits] = [0, 0, 0, 0];
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      const i = y * W + x;
      if (Number.isNaN(map[i])) continue;
      const far = Math.min(...boxes.map((box) => distance(box, x + 0.5, y + 0.5)));
      all += weights[i]!;
      if (far === 0) inside += weights[i]!;
      if (weights[i] !== 1) continue;
      tops++;
      if (far <= tolerance) hits++;
    }
  }
  return tops === 0 ? undefined : { pointing: hits / tops, energy: inside / all };
}

/** From a point to the nearest point of a box; 0 inside. */
function distance({ x0, y0, x1, y1 }: MapBox, x: number, y: number): number {
  return Math.hypot(Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1));
}
