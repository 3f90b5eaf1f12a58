/** The values of options: text in, checked values out, or a line that says what was expected. */

import { InvalidArgumentError } from 'commander';
import { resolveScaleWeights, SCALE_WEIGHTS, type ScaleWeights } from '../viz/index.js';

/** Scales of every ResNet: the stem and its four stages. */
const SCALES = 5;
/** Sides beyond this take more memory than a process has. */
const MAX_SIZE = 4096;
/** More than anybody waits for. */
const MAX_ROUNDS = 10_000;

/** `equal`, `ramp`, `prior`, or five numbers parted by commas. */
export function parseScaleWeights(text: string): ScaleWeights {
  if (Object.hasOwn(SCALE_WEIGHTS, text)) return text as ScaleWeights;
  const named = Object.keys(SCALE_WEIGHTS).join(', ');
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (weights.some(Number.isNaN)) {
    throw new InvalidArgumentError(`Expected ${named} or ${SCALES} numbers like 1,2,3,4,5.`);
  }
  try {
    return resolveScaleWeights(weights, SCALES);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** A whole number of pixels. */
export function parseSize(text: string): number {
  return parseCount(text, 'pixels', MAX_SIZE);
}

/** A whole number of rounds. */
export function parseRounds(text: string): number {
  return parseCount(text, 'rounds', MAX_ROUNDS);
}

/** A class index where it is a whole number, else a class name. */
export function parseClass(text: string): number | string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a class index or name.');
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** A path that is not empty. */
export function parsePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path.');
  return text;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A number of bytes: `24MiB`, `25MB`, `25000000`. */
export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]i?B)?$/.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * BYTE_UNITS[unit]!);
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new InvalidArgumentError('Expected a number of bytes, like 24MiB, 25MB or 25000000.');
}

function parseCount(text: string, unit: string, most: number): number {
  const count = Number(text);
  if (text.trim() !== '' && Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new InvalidArgumentError(`Expected a whole number of ${unit} from 1 to ${most}.`);
}
