/** The options that commands have in common: one definition each, whoever takes them. */

import { Option } from 'commander';
import { ShapeError } from '../errors.js';
import {
  BACKENDS,
  type Backend,
  PRECISIONS,
  type Precision,
  STATISTICS,
  type Statistic,
} from '../kernels/index.js';
import type { Activation, Fit, PixelRange, Preprocessing } from '../model/index.js';
import { ARCHITECTURES } from '../node/architectures.js';
import { scaled } from '../node/config.js';
import type { DecodeOptions, Model, ModelOptions } from '../node/index.js';
import type { WeightsOptions } from '../node/model-weights.js';
import {
  parseDilations,
  parseFactor,
  parseNumbers,
  parsePath,
  parsePositive,
  parseRounds,
  parseSampleRange,
  parseSize,
} from './option-values.js';
import { printable, type Streams, UsageError } from './streams.js';

const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES);
const ACTIVATIONS: readonly Activation[] = ['softmax', 'sigmoid'];
const CHANNELS: readonly Preprocessing['channels'][] = ['rgb', 'bgr', 'grey', 'other'];
const RANGES: readonly PixelRange[] = ['imagenet', 'caffe', '0..1', '-1..1', '0..255'];
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
  readonly sampleRange?: NonNullable<DecodeOptions['sampleRange']>;
}

export function inputOptions(): Option[] {
  return [
    choice('--fit <how>', 'how the picture meets the network', FITS).default('whole'),
    valued('--size <pixels>', "short side of the input (default: the model's own)", parseSize),
    valued(
      '--sample-range <range>',
      'of TIFF samples, black to white: 0,1 or min-max (default: of 8 and 16 bits the full range; of floats 0,1 where none is outside; else min-max)',
      parseSampleRange,
    ),
  ];
}

/** The same, as the options of what reads pictures. */
export function pictureOptions({ fit, size, sampleRange }: InputFlags): InputFlags {
  return {
    fit,
    ...(size !== undefined && { size }),
    ...(sampleRange !== undefined && { sampleRange }),
  };
}

/** Which network computes, and on what. */
export interface ModelFlags extends WeightsFlags {
  readonly model: string;
  readonly backend: Backend;
  readonly precision?: Precision;
}

export function modelOptions(): Option[] {
  return [
    valued(
      '--model <bundled|file|name>',
      'weights, an ONNX file, or a fetched model',
      parsePath,
    ).default('bundled'),
    ...weightsOptions(),
    choice('--precision <name>', 'how weights are kept in memory (default: as stored)', PRECISIONS),
    backendOption(),
  ];
}

/** What weights do not tell of themselves. */
export interface WeightsFlags {
  /** Where class names are told. */
  readonly labels?: string;
  readonly architecture?: string;
  readonly stateDict?: string;
  readonly strideOn?: NonNullable<ModelOptions['strideOn']>;
  readonly maxPool?: boolean;
  readonly activation?: Activation;
  readonly activationFunction?: string;
  readonly eps?: number;
  readonly dilation?: readonly number[];
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly channels?: Preprocessing['channels'];
  readonly rescale?: number;
  readonly preprocess?: PixelRange;
  readonly output?: string;
}

/** All but class names, which not every command wants. */
export function weightsOptions(): Option[] {
  const own = 'default: what the model says';
  return [
    valued(
      '--arch, --architecture <name|config.json>',
      'what torchvision or timm calls the network, or its config.json elsewhere',
      parsePath,
    ),
    valued('--state-dict <key>', 'weights of a checkpoint (default: the most that fit)', parsePath),
    choice('--stride-on <where>', `where bottlenecks stride (${own}, else 3x3; Keras' 1x1)`, [
      '3x3',
      '1x1',
    ]),
    new Option('--max-pool', `a max pool follows a 3×3 stem (${own}, else none)`),
    valued(
      '--activation-function <name>',
      `relu, leaky_relu:0.2, silu … (${own}, else relu)`,
      String,
    ),
    valued('--eps <number>', `of batch norms (${own}, else 1e-5)`, parsePositive),
    valued(
      '--dilation <numbers>',
      `of a ResNet's stages, or of the last: 1,1,2,4 (${own}, else none)`,
      parseDilations,
    ),
    choice(
      '--activation <name>',
      'what makes probabilities (default: the model’s own; sigmoid for one logit)',
      ACTIVATIONS,
    ),
    valued(
      '--output <name>',
      'of an ONNX file: the output with the logits (default: the first)',
      String,
    ),
    choice(
      '--preprocess <range>',
      `what pixels become: imagenet, caffe, or a range (${own}, else imagenet)`,
      RANGES,
    ),
    valued(
      '--mean <numbers>',
      `of the input's channels: .5,.5,.5 (${own}, else ImageNet's)`,
      parseNumbers,
    ),
    valued('--std <numbers>', 'their deviations, likewise', parseNumbers),
    choice('--channels <order>', `of a picture (${own}, else rgb)`, CHANNELS),
    valued(
      '--rescale <factor>',
      'of bytes, before mean and deviation: 1/255 (default), 1',
      parseFactor,
    ),
  ];
}

/** The same, as the options of what reads weights. */
export function weightsOf(flags: WeightsFlags): WeightsOptions {
  const { labels, architecture, stateDict, strideOn, maxPool, activation } = flags;
  const { activationFunction, eps, dilation, preprocess, output } = flags;
  const preprocessing = preprocessingOf(flags);
  return {
    ...(labels !== undefined && { labels }),
    ...(architecture !== undefined && { architecture }),
    ...(stateDict !== undefined && { stateDict }),
    ...(strideOn !== undefined && { strideOn }),
    ...(maxPool !== undefined && { maxPool }),
    ...(activation !== undefined && { activation }),
    ...(activationFunction !== undefined && { activationFunction }),
    ...(eps !== undefined && { batchNormEps: eps }),
    ...(dilation !== undefined && { dilations: dilation }),
    ...(preprocess !== undefined && { preprocess }),
    ...(output !== undefined && { output }),
    ...(Object.keys(preprocessing).length > 0 && { preprocessing }),
  };
}

function preprocessingOf(flags: WeightsFlags): Partial<Preprocessing> {
  const { channels, rescale } = flags;
  let { mean, std } = flags;
  if (rescale !== undefined) {
    const count = (mean ?? std)?.length ?? (channels === 'grey' ? 1 : 3);
    const constant = (value: number) => new Array<number>(count).fill(value);
    ({ mean, std } = scaled(mean ?? constant(0), std ?? constant(1), rescale));
  }
  return {
    ...(mean !== undefined && { mean }),
    ...(std !== undefined && { std }),
    ...(channels !== undefined && { channels }),
  };
}

export function labelsOption(): Option {
  const text = "class names: JSON, CSV, one a line, or ImageNet's (default: the model's own)";
  return valued('--labels <file|imagenet>', text, parsePath);
}

/**
 * Opens a model, and tells what there is to say about it.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {UsageError} for an option that is not valid
 */
export async function openFlagged(
  flags: ModelFlags & Partial<InputFlags>,
  streams: Streams,
): Promise<Model> {
  const { model: name, backend, precision, size } = flags;
  const { openModel } = await import('../node/model-file.js');
  const options = {
    model: name,
    backend,
    ...weightsOf(flags),
    ...(size !== undefined && { size }),
  };
  const model = await asUsage(
    openModel({ ...options, ...(precision !== undefined && { precision }) }),
  );
  tell(model, streams);
  return model;
}

/** What is to be said about a model, each on a line of stderr. */
export function tell(
  { name, warnings, assumption }: Pick<Model, 'name' | 'warnings' | 'assumption'>,
  { stderr }: Streams,
): void {
  for (const warning of [...warnings, ...(assumption === undefined ? [] : [assumption])]) {
    stderr.write(`fastcam: note: ${printable(name)}: ${printable(warning)}\n`);
  }
}

/** An option that the library does not take is a mistake in the call. */
export async function asUsage<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const message = Object.entries(FLAGS).reduce(
      (text, [option, flag]) => text.replace(new RegExp(`^${option}: `), `${flag}: `),
      error.message,
    );
    throw new UsageError(message);
  }
}

/** What the library's options are called here. */
const FLAGS: Readonly<Record<string, string>> = {
  activationFunction: '--activation-function',
  batchNormEps: '--eps',
  dilations: '--dilation',
  strideOn: '--stride-on',
  maxPool: '--max-pool',
  stateDict: '--state-dict',
  architecture: '--architecture',
  preprocessing: '--mean, --std, --channels',
  preprocess: '--preprocess',
  statistic: '--statistic',
  scaleWeights: '--scale-weights',
  cam: '--cam',
  classInput: '--class-input',
  taps: '--taps',
  size: '--size',
};

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
