/** The options of the command line, as a query. */

import { STATISTICS } from 'fastcam/kernels';
import { CAM_METHODS } from 'fastcam/methods';
import type { PoolExplainOptions } from 'fastcam/node';
import { NORMALIZERS, resolveScaleWeights, SCALE_WEIGHTS, type ScaleWeights } from 'fastcam/viz';
import type { Limits } from './limits.js';
import { Problem } from './problem.js';

/** What can be answered: four pictures, and the numbers. */
const VIEWS = ['overlay', 'lovi', 'saliency', 'fastcam', 'json'] as const;
export type View = (typeof VIEWS)[number];

export interface Query {
  readonly view: View;
  readonly options: PoolExplainOptions;
}

type Reader = (text: string, name: string, limits: Limits) => PoolExplainOptions;

const READERS: Readonly<Record<string, Reader>> = {
  statistic: (text, name) => ({ statistic: oneOf(name, text, keysOf(STATISTICS)) }),
  normalizer: (text, name) => ({ normalizer: oneOf(name, text, keysOf(NORMALIZERS)) }),
  'scale-weights': (text, name) => ({ scaleWeights: scaleWeights(text, name) }),
  cam: (text, name) => ({ cam: oneOf(name, text, [...CAM_METHODS, 'none'] as const) }),
  class: (text) => ({ target: /^\d+$/.test(text) ? Number(text) : text }),
  fit: (text, name) => ({ fit: oneOf(name, text, ['whole', 'crop', 'stretch'] as const) }),
  size: (text, name, limits) => ({ size: size(text, name, limits) }),
  format: (text, name) => ({ format: oneOf(name, text, ['png', 'jpeg', 'webp'] as const) }),
};

/**
 * What to explain, and how to answer. Whether the network has such a class is for the network to say.
 *
 * @param accept the header: it counts where `as` is not given
 * @throws {Problem} 400 for an option that there is not, or a value that it cannot have
 */
export function readQuery(query: URLSearchParams, accept: string, limits: Limits): Query {
  let options: PoolExplainOptions = { format: 'webp', maxPixels: limits.pixels };
  for (const [name, text] of query) {
    if (name === 'as') continue;
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) {
      throw badOption(`${name}: expected ${Object.keys(READERS).join(', ')} or as`);
    }
    options = { ...options, ...read(text, name, limits) };
  }
  const as = query.get('as') ?? (/\bapplication\/json\b/.test(accept) ? 'json' : 'overlay');
  const view = oneOf('as', as, VIEWS);
  return { view, options: { ...options, only: view === 'json' ? [] : [view] } };
}

/** How many there have to be is the network's to say. */
function scaleWeights(text: string, name: string): ScaleWeights {
  if (Object.hasOwn(SCALE_WEIGHTS, text)) return text as ScaleWeights;
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  try {
    return resolveScaleWeights(weights, weights.length);
  } catch {
    const names = Object.keys(SCALE_WEIGHTS).join(', ');
    throw badOption(`${name}: expected ${names} or a number for each scale, got ${text}`);
  }
}

function size(text: string, name: string, limits: Limits): number {
  const pixels = Number(text);
  if (Number.isInteger(pixels) && pixels >= 1 && pixels <= limits.size) return pixels;
  throw badOption(`${name}: expected 1…${limits.size} pixels, got ${text}`);
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
