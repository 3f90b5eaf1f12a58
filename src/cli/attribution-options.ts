/** The options of methods that need gradients: `--method` and what belongs to it. */

import { extname } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { ATTRIBUTION_METHODS, SMOOTHINGS } from '../methods/gradients/attribution.js';
import { BASELINES } from '../methods/gradients/integrated-gradients.js';
import { CAM_METHODS } from '../methods/index.js';
import { SCORES } from '../model/gradient/score.js';
import type { AttributionOptions, PassOptions } from '../node/attribution.js';
import type { Model } from '../node/index.js';
import {
  parseClass,
  parseCount,
  parseNames,
  parsePath,
  parseSeed,
  parseShare,
} from './option-values.js';
import { checkClass, choice, valued } from './options.js';
import { UsageError } from './streams.js';

/** More passes than anybody waits for. */
const MAX_PASSES = 10_000;

/** What is differentiated, and how many passes are made. */
export interface PassFlags {
  readonly score?: NonNullable<PassOptions['score']>;
  readonly steps?: number;
  readonly samples?: number;
  readonly noise?: number;
  readonly seed?: number;
  /** `zero`, `mean`, `blurred`, or a file. */
  readonly baseline?: string;
}

export interface MethodFlags extends PassFlags {
  readonly method?: NonNullable<AttributionOptions['method']>;
  readonly smoothing?: NonNullable<AttributionOptions['smoothing']>;
  readonly at?: readonly string[];
  readonly class?: number | string;
  readonly alsoClass?: readonly (number | string)[];
}

/** Methods that are made from a value inside the network. */
const AT_METHODS: readonly string[] = [...CAM_METHODS, 'guided-gradcam'];

export function methodOptions(): Option[] {
  return [
    choice(
      '--method <name>',
      'another method, too: its map is drawn as attribution and attribution-overlay',
      ATTRIBUTION_METHODS,
    ),
    choice(
      '--smoothing <name>',
      'for --method: many gradients of noisy inputs as one (default: none)',
      SMOOTHINGS,
    ),
    valued(
      '--at <names>',
      'for a class activation map: make it from these values, a,b,c, or all scales (default: the last scale)',
      parseNames,
    ),
    new Option(
      '--also-class <index|name>',
      'for --method: add the score of another class to that of --class; may be repeated',
    ).argParser((text: string, before: readonly (number | string)[] = []) => [
      ...before,
      parseClass(text),
    ]),
    ...passOptions(),
  ];
}

export function passOptions(): Option[] {
  return [
    choice(
      '--score <name>',
      'what is differentiated (default: logit; for a single logit two-sided)',
      SCORES,
    ),
    valued('--steps <number>', 'steps of integrated gradients (default: 20)', (text) =>
      parseCount(text, 'steps', MAX_PASSES),
    ),
    valued(
      '--baseline <name|file>',
      'where integrated gradients begin: zero (default), mean, blurred, or a tensor as .safetensors',
      parseBaseline,
    ),
    valued('--samples <number>', 'noisy inputs of a smoothing (default: 15)', (text) =>
      parseCount(text, 'samples', MAX_PASSES),
    ),
    valued(
      '--noise <share>',
      "deviation of the noise, as a share of the input's range (default: 0.15)",
      parseShare,
    ),
    valued('--seed <number>', 'seed of the noise (default: 0)', parseSeed),
  ];
}

function parseBaseline(text: string): string {
  const isKnown = BASELINES.includes(text as never) || extname(text) === '.safetensors';
  if (isKnown) return parsePath(text);
  throw new InvalidArgumentError(`Expected ${BASELINES.join(', ')}, or a file ….safetensors.`);
}

/**
 * The same, as options for the functions that explain; `undefined` without a method.
 *
 * @throws {UsageError} for an option that has no effect
 */
export async function attributionOptions(
  { method, smoothing, at, class: wanted, alsoClass: others, ...flags }: MethodFlags,
  model: Model,
): Promise<AttributionOptions | undefined> {
  if (method === undefined) {
    refuse({ smoothing, at, 'also-class': others, ...passFlags(flags) }, 'it needs --method');
    return undefined;
  }
  if (wanted === undefined) refuse({ 'also-class': others }, 'it needs --class');
  if (!AT_METHODS.includes(method)) {
    refuse({ at }, `it has no effect on ${method}: only on class activation maps`);
  }
  for (const other of others ?? []) checkClass(other, model);
  const { steps, baseline, samples, noise, seed } = flags;
  if (method !== 'integrated-gradients') {
    refuse({ steps, baseline }, `it has no effect on ${method}: only on integrated-gradients`);
  }
  if (smoothing === undefined || smoothing === 'none') {
    refuse({ samples, noise, seed }, 'it has no effect without --smoothing');
  }
  const { scales } = model.net;
  return {
    method,
    ...(smoothing !== undefined && { smoothing }),
    ...(at && { at: at.length === 1 && at[0] === 'all' ? scales : at }),
    ...(others && { target: [wanted!, ...others] }),
    ...(await passesOf(flags, model)),
  };
}

/** Options of passes, with a baseline from its file. */
export async function passesOf(flags: PassFlags, { net }: Model): Promise<PassOptions> {
  const { baseline, ...rest } = passFlags(flags);
  if (baseline === undefined) return rest;
  const named = BASELINES.find((name) => name === baseline);
  if (named) return { ...rest, baseline: named };
  const { readTensor } = await import('../node/tensor-file.js');
  return { ...rest, baseline: await readTensor(baseline, net.channels) };
}

function passFlags({ score, steps, samples, noise, seed, baseline }: PassFlags): PassFlags {
  return {
    ...(score !== undefined && { score }),
    ...(steps !== undefined && { steps }),
    ...(samples !== undefined && { samples }),
    ...(noise !== undefined && { noise }),
    ...(seed !== undefined && { seed }),
    ...(baseline !== undefined && { baseline }),
  };
}

/** @throws {UsageError} if any of these was given */
function refuse(given: Readonly<Record<string, unknown>>, reason: string): void {
  const wrong = Object.keys(given).find((name) => given[name] !== undefined);
  if (wrong !== undefined) throw new UsageError(`--${wrong}: ${reason}`);
}
