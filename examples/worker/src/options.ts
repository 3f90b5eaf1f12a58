/** The options of the command line, as a query. */

import type { ExplainOptions } from 'fastcam';
import { STATISTICS } from 'fastcam/kernels';
import { CAM_METHODS } from 'fastcam/model';
import { NORMALIZERS, resolveScaleWeights, SCALE_WEIGHTS, type ScaleWeights } from 'fastcam/viz';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/** What can be answered: four pictures, and the numbers. */
export const VIEWS = ['overlay', 'lovi', 'saliency', 'fastcam', 'json'] as const;
export type View = (typeof VIEWS)[number];

/** Scales of every ResNet: the stem and its four stages. */
const SCALES = 5;

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

/** `?as=`, else what `Accept` asks for, else the overlay. */
export function viewOf(query: URLSearchParams, accept = ''): View {
  const as = query.get('as');
  if (as !== null) return oneOf('as', as, VIEWS);
  return /\bapplication\/json\b/.test(accept) ? 'json' : 'overlay';
}

function scaleWeights(text: string, name: string): ScaleWeights {
  if (Object.hasOwn(SCALE_WEIGHTS, text)) return text as ScaleWeights;
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  try {
    return resolveScaleWeights(weights, SCALES);
  } catch (error) {
    const names = Object.keys(SCALE_WEIGHTS).join(', ');
    throw badOption(
      `${name}: expected ${names} or ${SCALES} numbers (${(error as Error).message})`,
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
