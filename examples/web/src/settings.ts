/** What can be set on the page, and what things are called there. */

import type { Statistic } from 'fastcam';
import type { Colormap } from 'fastcam/viz';
import type { MapSettings } from './maps.ts';

export const SCALES = 5;

/** The maps by name, in the order of the page. */
export type MapName =
  | `scale${1 | 2 | 3 | 4 | 5}`
  | 'combined'
  | 'lovi'
  | 'cam'
  | 'fastcam'
  | 'nonClass';

export interface Settings extends MapSettings {
  readonly statistic: Statistic;
  readonly colormap: Colormap;
  /** The share of the map's colour over the picture, 0…1. */
  readonly opacity: number;
  /** The map that lies over the picture. */
  readonly shown: MapName;
}

export const DEFAULTS: Settings = {
  statistic: 'smoe',
  normalizer: 'gaussian',
  scaleWeights: [1, 1, 1, 1, 1],
  cam: 'gradcam++',
  target: 0,
  colormap: 'viridis',
  opacity: 0.5,
  shown: 'combined',
};

/** The paper's sets, with 1 for the heaviest: only ratios count. */
export const WEIGHT_PRESETS: Readonly<Record<string, readonly number[]>> = {
  equal: [1, 1, 1, 1, 1],
  ramp: [0.2, 0.4, 0.6, 0.8, 1],
  prior: [0.25, 0.21, 0.51, 0.56, 1],
};

export const MAP_TITLES: Readonly<Record<MapName, string>> = {
  scale1: '1 · Stem',
  scale2: '2 · Stage 1',
  scale3: '3 · Stage 2',
  scale4: '4 · Stage 3',
  scale5: '5 · Stage 4',
  combined: 'Saliency',
  lovi: 'LOVI',
  cam: 'CAM',
  fastcam: 'FastCAM',
  nonClass: 'Non-class',
};

/** What a map means, in a few words. The scales have their extents there. */
export const MAP_NOTES: Readonly<Partial<Record<MapName, string>>> = {
  combined: 'at any scale',
  lovi: 'hue: which scale',
  cam: 'spoke for the class',
  fastcam: 'salient, and for it',
  nonClass: 'salient, not for it',
};

export const MAP_NAMES = Object.keys(MAP_TITLES) as MapName[];
