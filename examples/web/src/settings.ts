/** What can be set on the page, and what things are called there. */

import { COMPARED_METHODS } from 'fastcam/gradients';
import { type Colormap, resolveScaleWeights } from 'fastcam/viz';
import type { MapSettings } from './maps.ts';
import type { Model, PassSettings } from './network.ts';

/** A scale's map, first to last: 1, 2, … */
export type ScaleName = `scale${number}`;
/** The maps of one class. */
export type ClassMapName = 'cam' | 'fastcam' | 'nonClass';
/** The map of a method that was asked for: `method-` and its name in COMPARED_METHODS. */
export type MethodMapName = `method-${string}`;
export type MapName = ScaleName | 'combined' | 'lovi' | ClassMapName | MethodMapName;

export interface Settings extends MapSettings, PassSettings {
  readonly colormap: Colormap;
  /** The share of the map's colour over the picture, 0…1. */
  readonly opacity: number;
  /** The map that lies over the picture. */
  readonly shown: MapName;
}

/** The bundled network has five scales. */
export const DEFAULTS: Settings = {
  statistic: 'smoe',
  pixels: 'said',
  engine: 'fastcam',
  normalizer: 'gaussian',
  scaleWeights: presetWeights('equal', 5),
  cam: 'gradcam++',
  target: undefined,
  colormap: 'viridis',
  opacity: 0.5,
  shown: 'combined',
};

/** What of the settings holds for another network too. */
export function settingsFor(model: Model, settings: Settings): Settings {
  const { scaleWeights, shown } = settings;
  const scales = model.scales.length;
  return {
    ...settings,
    scaleWeights: scaleWeights.length === scales ? scaleWeights : presetWeights('equal', scales),
    pixels: 'said',
    engine: 'fastcam',
    target: undefined,
    shown: mapNames(scales, !whyNoCam(model)).includes(shown) ? shown : 'combined',
  };
}

export type WeightPreset = 'equal' | 'ramp' | 'prior';

/** How many scales `prior` is for. */
export const PRIOR_SCALES = 5;

/** The paper's sets, with 1 for the heaviest, in the steps of a slider: only ratios count. */
export function presetWeights(preset: WeightPreset, scales: number): number[] {
  const weights = resolveScaleWeights(preset, scales);
  const heaviest = Math.max(...weights);
  return weights.map((weight) => Math.round((100 * weight) / heaviest) / 100);
}

/** The maps in the order of the page. */
export function mapNames(scales: number, withCam: boolean): MapName[] {
  const ofScales = Array.from({ length: scales }, (_, i): ScaleName => `scale${i + 1}`);
  const ofClass: ClassMapName[] = withCam ? ['cam', 'fastcam', 'nonClass'] : [];
  return [...ofScales, 'combined', 'lovi', ...ofClass];
}

export function isScale(name: MapName): name is ScaleName {
  return name.startsWith('scale');
}

export function isOfClass(name: MapName): name is ClassMapName {
  return name === 'cam' || name === 'fastcam' || name === 'nonClass';
}

export function isMethod(name: MapName): name is MethodMapName {
  return name.startsWith('method-');
}

/** The index of a scale's map, from 0. */
export function scaleIndex(name: ScaleName): number {
  return Number(name.slice('scale'.length)) - 1;
}

/** Why the network has no class activation maps, where it has none. */
export function whyNoCam({ labels, classWeights }: Model): string | undefined {
  if (classWeights) return undefined;
  return labels.length === 0
    ? 'This network has no classifier.'
    : 'This network’s classifier is not linear: class activation maps need gradients, see Compare.';
}

const TITLES = {
  combined: 'Saliency',
  lovi: 'LOVI',
  cam: 'CAM',
  fastcam: 'FastCAM',
  nonClass: 'Non-class',
} as const;

export function titleOf(name: MapName): string {
  if (isScale(name)) return `Scale ${scaleIndex(name) + 1}`;
  if (!isMethod(name)) return TITLES[name];
  return COMPARED_METHODS.find((method) => `method-${method.name}` === name)!.title;
}

/** What a map means, in a few words. */
export const MAP_NOTES: Readonly<Record<Exclude<MapName, ScaleName | MethodMapName>, string>> = {
  combined: 'all scales together',
  lovi: 'colour tells the scale',
  cam: 'speaks for the class',
  fastcam: 'salient and for the class',
  nonClass: 'salient, not for the class',
};
