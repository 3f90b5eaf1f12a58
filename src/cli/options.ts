/** The options that commands have in common: one definition each, whoever takes them. */

import { Option } from 'commander';
import {
  BACKENDS,
  type Backend,
  PRECISIONS,
  type Precision,
  STATISTICS,
  type Statistic,
} from '../kernels/index.js';
import type { Activation, Fit } from '../model/index.js';
import { ARCHITECTURES } from '../node/architectures.js';
import type { Model, ModelOptions } from '../node/index.js';
import { parsePath, parseRounds, parseSize } from './option-values.js';

const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES);
const ACTIVATIONS: readonly Activation[] = ['softmax', 'sigmoid'];
const FITS: readonly Fit[] = ['whole', 'crop', 'stretch'];

/** An option that takes one of some words. */
export function choice(flags: string, text: string, values: readonly string[]): Option {
  return new Option(flags, text).choices(values);
}

/** An option whose value is read by `parse`. */
export function valued<T>(flags: string, text: string, parse: (text: string) => T): Option {
  return new Option(flags, text).argParser(parse);
}

/** How a picture becomes the network's input. */
export interface InputFlags {
  readonly fit: Fit;
  readonly size?: number;
}

export function inputOptions(): Option[] {
  return [
    choice('--fit <how>', 'how the picture meets the network', FITS).default('whole'),
    valued('--size <pixels>', "short side of the input (default: the model's own)", parseSize),
  ];
}

/** The same, as the options of what reads pictures. */
export function pictureOptions({ fit, size }: InputFlags): InputFlags {
  return { fit, ...(size !== undefined && { size }) };
}

/** Which network computes, and on what. */
export interface ModelFlags extends RecognitionFlags {
  readonly model: string;
  /** Where class names are told. */
  readonly labels?: string;
  readonly arch?: string;
  readonly backend: Backend;
  readonly precision?: Precision;
}

export function modelOptions(): Option[] {
  return [
    valued('--model <bundled|file|name>', 'weights, or a fetched model', parsePath).default(
      'bundled',
    ),
    ...architectureOptions(),
    choice('--precision <name>', 'how weights are kept in memory (default: as stored)', PRECISIONS),
    backendOption(),
  ];
}

/** What weights do not tell of themselves, and an architecture that they are held against. */
export function architectureOptions(): Option[] {
  return [
    choice('--arch <name>', 'architecture the weights must have', ARCHITECTURE_NAMES),
    ...recognitionOptions(),
  ];
}

/** What weights do not tell of themselves. */
export interface RecognitionFlags {
  readonly strideOn?: NonNullable<ModelOptions['strideOn']>;
  readonly maxPool?: boolean;
  readonly activation?: Activation;
}

export function recognitionOptions(): Option[] {
  return [
    choice(
      '--stride-on <where>',
      "where bottlenecks stride (default: what the model says, else 3x3; Keras' 1x1)",
      ['3x3', '1x1'],
    ),
    new Option(
      '--max-pool',
      'a max pool follows a 3×3 stem (default: what the model says, else none)',
    ),
    choice(
      '--activation <name>',
      'what makes probabilities (default: the model’s own; sigmoid for one logit)',
      ACTIVATIONS,
    ),
  ];
}

/** The same, as the options of what reads weights. */
export function recognition({ strideOn, maxPool, activation }: RecognitionFlags): RecognitionFlags {
  return {
    ...(strideOn !== undefined && { strideOn }),
    ...(maxPool !== undefined && { maxPool }),
    ...(activation !== undefined && { activation }),
  };
}

export function labelsOption(): Option {
  const text = "class names: JSON, CSV, one a line, or ImageNet's (default: the model's own)";
  return valued('--labels <file|imagenet>', text, parsePath);
}

/** @throws {FormatError} in one line that names the file and the cause */
export async function openFlagged(flags: ModelFlags): Promise<Model> {
  const { model, backend, labels, arch, precision } = flags;
  const { openModel } = await import('../node/model-file.js');
  return openModel({
    model,
    backend,
    ...(labels !== undefined && { labels }),
    ...(arch !== undefined && { architecture: arch }),
    ...recognition(flags),
    ...(precision !== undefined && { precision }),
  });
}

/** What is measured on a network of noise, or on one from a file. */
export interface MeasureFlags {
  readonly arch?: string;
  readonly backend: Backend;
  readonly size?: number;
  readonly rounds: number;
}

/** @param defaults what `--arch` and `--size` are where they are not given */
export function measureOptions(defaults: { arch: string; size: string }): Option[] {
  return [
    choice('--arch <name>', `architecture (default: ${defaults.arch})`, ARCHITECTURE_NAMES),
    backendOption(),
    valued('--size <pixels>', `side of the input (default: ${defaults.size})`, parseSize),
    valued('--rounds <number>', 'passes to take the median of', parseRounds).default(10),
  ];
}

export interface StatisticFlags {
  readonly statistic: Statistic;
}

export function statisticOption(): Option {
  return choice('--statistic <name>', 'of the columns of a scale', Object.keys(STATISTICS)).default(
    'smoe',
  );
}

/** How results are told. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** @param json what `--json` prints */
export function outputOptions(json: string): Option[] {
  return [
    new Option('--json', `print ${json}, and nothing else`),
    new Option('--debug', 'print where a failure comes from'),
  ];
}

export function backendOption(): Option {
  return choice('--backend <name>', 'what computes', BACKENDS).default('auto');
}
