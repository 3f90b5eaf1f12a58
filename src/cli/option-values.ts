/** Values of options: text → checked values, or an error that says what was expected. */

import { InvalidArgumentError } from 'commander';
import { resolveScaleWeights, SCALE_WEIGHTS, type ScaleWeights } from '../viz/index.js';
import { byteSize } from './byte-size.js';

/** Larger sides take more memory than a process has. */
const MAX_SIZE = 4096;
/** More rounds than anybody waits for. */
const MAX_ROUNDS = 10_000;

/** More threads than machines have cores. */
const MAX_THREADS = 256;

/** `equal`, `ramp`, `prior`, or numbers separated by commas, one for each scale. */
export function parseScaleWeights(text: string): ScaleWeights {
  if (Object.hasOwn(SCALE_WEIGHTS, text)) return text as ScaleWeights;
  const named = Object.keys(SCALE_WEIGHTS).join(', ');
  const weights = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (weights.some(Number.isNaN)) {
    throw new InvalidArgumentError(`Expected ${named} or numbers like 1,2,3,4,5.`);
  }
  try {
    return resolveScaleWeights(weights, weights.length);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** A whole number of pixels. */
export function parseSize(text: string): number {
  return parseCount(text, 'pixels', MAX_SIZE);
}

/** More than a process has memory for. */
const MAX_TILE = 16_384;

/** The side of a square of pixels. */
export function parseTile(text: string): number {
  return parseCount(text, 'pixels', MAX_TILE);
}

/** Height and width in pixels: 224, or 224x320. */
export function parseSides(text: string): [height: number, width: number] {
  const [height, width = height, ...more] = text.split('x');
  if (more.length === 0) return [parseSize(height!), parseSize(width!)];
  throw new InvalidArgumentError('Expected pixels like 224, or height and width like 224x320.');
}

/** `min-max`, or the values of black and of white: 0,1. */
export function parseSampleRange(text: string): 'min-max' | [black: number, white: number] {
  if (text === 'min-max') return text;
  const [black = Number.NaN, white = Number.NaN, ...more] = text.split(',').map(Number);
  if (more.length === 0 && white > black && Number.isFinite(white - black)) return [black, white];
  throw new InvalidArgumentError('Expected min-max, or the values of black and white like 0,1.');
}

/** A whole number of rounds. */
export function parseRounds(text: string): number {
  return parseCount(text, 'rounds', MAX_ROUNDS);
}

/** A whole number of threads, each with pictures of its own. */
export function parseJobs(text: string): number {
  return parseCount(text, 'jobs', MAX_THREADS);
}

/** A whole number of threads. */
export function parseThreads(text: string): number {
  return parseCount(text, 'threads', MAX_THREADS);
}

/** A share of something; it may be more than all of it. */
export function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() !== '' && Number.isFinite(share) && share >= 0) return share;
  throw new InvalidArgumentError('Expected a number that is not negative, such as 0.15.');
}

/** A whole number that is not negative. */
export function parseSeed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 0 to 999999999.');
}

/** Bytes, of a size like 128MB. */
export function parseBytes(text: string): number {
  const bytes = byteSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('Expected a size like 128MB, 128MiB, 1.5GB or 4096.');
}

/** The hexadecimal digits of a SHA-256. */
export function parseSha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
}

/** A whole number is a class index; other text is a class name. */
export function parseClass(text: string): number | string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a class index or name.');
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Numbers separated by commas. */
export function parseNumbers(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.every(Number.isFinite)) return numbers;
  throw new InvalidArgumentError('Expected numbers like .5,.5,.5.');
}

/** Stages of a ResNet. */
const STAGES = 4;

/** The dilations of the stages, separated by commas. One number is the last stage's: each stage before it has half, at least 1. */
export function parseDilations(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (!numbers.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new InvalidArgumentError(
      'Expected whole numbers like 1,1,2,4, or that of the last stage.',
    );
  }
  const [last] = numbers;
  if (numbers.length > 1) return numbers;
  return Array.from({ length: STAGES }, (_, s) => Math.max(1, last! / 2 ** (STAGES - 1 - s)));
}

export function parsePositive(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('Expected a number > 0, such as 1e-3.');
}

/** A number > 0, or a fraction: 1/255. */
export function parseFactor(text: string): number {
  const [over, under = '1', ...more] = text.split('/');
  if (more.length === 0) return parsePositive(over!) / parsePositive(under);
  throw new InvalidArgumentError('Expected a number like 1/255 or 1.');
}

/** Names separated by commas. */
export function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Expected names like a,b,c.');
  return names;
}

/** Some of the allowed words, separated by commas. */
export function parseSome<T extends string>(text: string, allowed: readonly T[]): T[] {
  const names = parseNames(text);
  const wrong = names.find((name) => !(allowed as readonly string[]).includes(name));
  if (wrong === undefined) return names as T[];
  throw new InvalidArgumentError(`Expected some of ${allowed.join(',')}.`);
}

/** A path; it must not be empty. */
export function parsePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path.');
  return text;
}

/** Appends one path: commander passes the arguments of a command one by one. */
export function parsePaths(text: string, before: readonly string[] = []): string[] {
  return [...before, parsePath(text)];
}

/** A whole number of something, from 1 to `most`. */
export function parseCount(text: string, unit: string, most: number): number {
  const count = Number(text);
  if (text.trim() !== '' && Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new InvalidArgumentError(`Expected a whole number of ${unit} from 1 to ${most}.`);
}
