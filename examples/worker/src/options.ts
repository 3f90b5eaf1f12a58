/** The options of the command line, as a query. */

import type { ExplainingNetwork, ExplainOptions } from 'fastcam';
import { STATISTICS } from 'fastcam/kernels';
import { CAM_METHODS } from 'fastcam/methods';
import { NORMALIZERS, resolveScaleWeights, SCALE_WEIGHTS, type ScaleWeights } from 'fastcam/viz';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/** What can be answered: four pictures, and the numbers. */
export const VIEWS = ['overlay', 'lovi', 'saliency', 'fastcam', 'json'] as const;
export type View = (typeof VIEWS)[number];

const READERS: Readonly<Record<string, (text: string, name: string) => ExplainOptions>> = {
  statistic: (text, name) => ({ statistic: oneOf(name, text, keysOf(STATISTICS)) }),
  normalizer: (text, name) => ({ normalizer: oneOf(name, text, keysOf(NORMALIZERS)) }),
  'scale-weights': (text, name) => ({ scaleWeights: scaleWeights(text, name) }),
  cam: (text, name) => ({ cam: oneOf(name, text, [...CAM_METHODS, 'none'] as const) }),
  class: (text) => ({ target: /^\d+$/.test(text) ? Number(text) : text }),
  fit: (text, name) => ({ fit: oneOf(name, text, ['whole', 'crop', 'stretch'] as const) }),
  size: (text, name) => ({ size: size(text, name) }),
};

/** In the query, but no option of `explain`. */
const OTHERS = ['as', 'url'];

/** @throws {Problem} 400 for an option that there is not, or a value that it cannot have */
export function explainOptions(query: URLSearchParams): ExplainOptions {
  let options: ExplainOptions = {};
  for (const [name, text] of query) {
    if (OTHERS.includes(name)) continue;
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) {
      throw badOption(`${name}: expected ${[...Object.keys(READERS), ...OTHERS].join(', ')}`);
    }
    options = { ...options, ...read(text, name) };
  }
  return options;
}

/**
 * Looks whether the network has what the options ask for.
 *
 * @throws {Problem} 400 for a class that it does not have, weights for another number of scales, or a class
 * activation map where its classifier is not linear in the last features
 */
export function checkOptions(net: ExplainingNetwork, options: ExplainOptions, view: View): void {
  const { target = 'top', scaleWeights: weights = 'equal', cam } = options;
  if (view === 'fastcam' && cam === 'none') throw badOption('as: fastcam needs a cam, got none');
  if (view === 'fastcam' && !net.hasLinearHead) {
    const why =
      net.labels.length === 0 ? 'has no classifier' : 'has a classifier that is not linear';
    throw badOption(`as: fastcam needs a cam, and the network ${why}`);
  }
  try {
    if (target !== 'top') net.classIndex(target);
    if (cam !== undefined && cam !== 'none') net.checkClassMaps();
    resolveScaleWeights(weights, net.scales.length);
  } catch (error) {
    throw badOption(asQuery((error as Error).message));
  }
}

/** A message of the library in the words of a query. */
function asQuery(message: string): string {
  return message.replace(/^target/, 'class').replace(/^scaleWeights/, 'scale-weights');
}

/** `?as=`, else what `Accept` asks for, else the overlay. */
export function viewOf(query: URLSearchParams, accept = ''): View {
  const as = query.get('as');
  if (as !== null) return oneOf('as', as, VIEWS);
  return /\bapplication\/json\b/.test(accept) ? 'json' : 'overlay';
}

/** How many there have to be is the network's to say. */
function scaleWeights(text: string, name: string): ScaleWeights {
  if (Object.hasOwn(SCALE_WEIGHTS, text)) return text as ScaleWeights;
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  try {
    return resolveScaleWeights(weights, weights.length);
  } catch (error) {
    const names = Object.keys(SCALE_WEIGHTS).join(', ');
    throw badOption(
      `${name}: expected ${names} or a number for each scale (${(error as Error).message})`,
    );
  }
}

function size(text: string, name: string): number {
  const pixels = Number(text);
  if (Number.isInteger(pixels) && pixels >= 1 && pixels <= LIMITS.size) return pixels;
  throw badOption(`${name}: expected 1…${LIMITS.size} pixels, got ${text}`);
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw badOption(`${name}: expected ${allowed.join(', ')}, got ${text}`);
}

function keysOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}

function badOption(message: string): Problem {
  return new Problem(400, 'bad-option', message);
}
