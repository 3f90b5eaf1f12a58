/** The options that several commands share, each defined once. */

import { availableParallelism } from 'node:os';
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
  parseThreads,
} from './option-values.js';
import { printable, type Streams, UsageError } from './streams.js';

/** By default. More gain little: some steps are too small. */
const MOST_THREADS = 4;

const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES);
const ACTIVATIONS: readonly Activation[] = ['softmax', 'sigmoid'];
const CHANNELS: readonly Preprocessing['channels'][] = ['rgb', 'bgr', 'grey', 'other'];
const RANGES: readonly PixelRange[] = ['imagenet', 'caffe', '0..1', '-1..1', '0..255'];
const FITS: readonly Fit[] = ['whole', 'crop', 'stretch'];

/** An option whose value is one of the given words. */
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
    choice('--fit <how>', 'how the picture is fitted to the input', FITS).default('whole'),
    valued('--size <pixels>', "short side of the input (default: the model's own)", parseSize),
    valued(
      '--sample-range <range>',
      'black and white of TIFF samples: 0,1 or min-max (default: for 8 and 16 bits the full range; for floats 0,1 if all are inside, else min-max)',
      parseSampleRange,
    ),
  ];
}

/** The same, as options for the functions that read pictures. */
export function pictureOptions({ fit, size, sampleRange }: InputFlags): InputFlags {
  return {
    fit,
    ...(size !== undefined && { size }),
    ...(sampleRange !== undefined && { sampleRange }),
  };
}

/** Which network to run, and on which backend. */
export interface ModelFlags extends WeightsFlags {
  readonly model: string;
  readonly backend: Backend;
  readonly threads?: number;
  readonly precision?: Precision;
}

/** @param threads the default; absent: the cores */
export function modelOptions(threads?: number): Option[] {
  return [
    valued(
      '--model <bundled|file|name>',
      'weights, an ONNX file, or a fetched model',
      parsePath,
    ).default('bundled'),
    ...weightsOptions(),
    choice('--precision <name>', 'precision of weights in memory (default: as stored)', PRECISIONS),
    backendOption(),
    threadsOption(threads),
  ];
}

function threadsOption(threads?: number): Option {
  const name = '--threads <number>';
  const use = 'threads that work on each step of the network';
  if (threads !== undefined) return valued(name, use, parseThreads).default(threads);
  return valued(name, `${use} (default: the cores, at most 4; with several jobs 1)`, parseThreads);
}

/** What cannot be read from the weights themselves. */
export interface WeightsFlags {
  /** File of class names, or `imagenet`. */
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

/** All but class names, which some commands do not need. */
export function weightsOptions(): Option[] {
  const own = 'default: what the model says';
  return [
    valued(
      '--arch, --architecture <name|config.json>',
      "the network's name in torchvision or timm, or the path of its config.json",
      parsePath,
    ),
    valued(
      '--state-dict <key>',
      'key of the weights in a checkpoint (default: the most that make a network)',
      parsePath,
    ),
    choice(
      '--stride-on <where>',
      `the convolution of a bottleneck that has the stride (${own}, else 3x3; Keras: 1x1)`,
      ['3x3', '1x1'],
    ),
    new Option('--max-pool', `a max pool follows a 3×3 stem (${own}, else none)`),
    valued(
      '--activation-function <name>',
      `activation between layers: relu, leaky_relu:0.2, silu … (${own}, else relu)`,
      String,
    ),
    valued('--eps <number>', `epsilon of batch norms (${own}, else 1e-5)`, parsePositive),
    valued(
      '--dilation <numbers>',
      `dilation of each stage of a ResNet (1,1,2,4), or of the last one (${own}, else none)`,
      parseDilations,
    ),
    choice(
      '--activation <name>',
      'what turns logits into probabilities (default: the model’s own; sigmoid for one logit)',
      ACTIVATIONS,
    ),
    valued(
      '--output <name>',
      'for an ONNX file: the output with the logits (default: the first)',
      String,
    ),
    choice(
      '--preprocess <range>',
      `how pixels are scaled: imagenet, caffe, or a range (${own}, else imagenet)`,
      RANGES,
    ),
    valued(
      '--mean <numbers>',
      `mean of each input channel: .5,.5,.5 (${own}, else ImageNet's)`,
      parseNumbers,
    ),
    valued(
      '--std <numbers>',
      `standard deviation of each channel (${own}, else ImageNet's)`,
      parseNumbers,
    ),
    choice('--channels <order>', `channels of the input (${own}, else rgb)`, CHANNELS),
    valued(
      '--rescale <factor>',
      'factor for bytes, before mean and deviation: 1/255 (default), 1',
      parseFactor,
    ),
  ];
}

/** The same, as options for the functions that read weights. */
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
  const text = "class names: JSON, CSV, one per line, or ImageNet's (default: the model's own)";
  return valued('--labels <file|imagenet>', text, parsePath);
}

/**
 * Opens a model, and prints its warnings and assumptions.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {UsageError} for an option that is not valid
 */
export async function openFlagged(
  flags: ModelFlags & Partial<InputFlags>,
  streams: Streams,
): Promise<Model> {
  const { model: name, backend, precision, size } = flags;
  const { threads = Math.min(availableParallelism(), MOST_THREADS) } = flags;
  const { openModel } = await import('../node/model-file.js');
  const options = {
    model: name,
    backend,
    threads,
    ...weightsOf(flags),
    ...(size !== undefined && { size }),
  };
  const model = await asUsage(
    openModel({ ...options, ...(precision !== undefined && { precision }) }),
  );
  tell(model, streams);
  return model;
}

/** Prints the warnings and the assumption of a model, each on its own line of stderr. */
export function tell(
  { name, warnings, assumption }: Pick<Model, 'name' | 'warnings' | 'assumption'>,
  { stderr }: Streams,
): void {
  for (const warning of [...warnings, ...(assumption === undefined ? [] : [assumption])]) {
    stderr.write(`fastcam: note: ${printable(name)}: ${printable(warning)}\n`);
  }
}

/** @throws {UsageError} for a class that the model does not have */
export function checkClass(wanted: number | string, { name, net, labelled }: Model): void {
  if (wanted === 'top') return;
  if (typeof wanted === 'string' && !labelled) {
    throw new UsageError(`--class ${wanted}: ${name} has no class names; give --labels FILE`);
  }
  try {
    net.classIndex(wanted);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new UsageError(error.message.replace(/^target/, `--class ${wanted}`));
  }
}

/** If the library rejects an option, the call was wrong: a `ShapeError` becomes a `UsageError`. */
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

/** The library's option names → the flags of the command line. */
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
  scales: '--scales',
  methods: '--methods',
  classes: '--classes',
};

/** Options of a measurement, on random weights or on a file. */
export interface MeasureFlags {
  readonly arch?: string;
  readonly backend: Backend;
  readonly size?: number;
  readonly rounds: number;
}

/** @param defaults shown as the defaults of `--arch` and `--size` */
export function measureOptions(defaults: { arch: string; size: string }): Option[] {
  return [
    choice('--arch <name>', `architecture (default: ${defaults.arch})`, ARCHITECTURE_NAMES),
    valued('--size <pixels>', `side of the input (default: ${defaults.size})`, parseSize),
    valued('--rounds <number>', 'number of passes; the median is printed', parseRounds).default(10),
  ];
}

export interface StatisticFlags {
  readonly statistic: Statistic;
}

export function statisticOption(): Option {
  return choice(
    '--statistic <name>',
    'statistic over the channels of each pixel of a scale',
    Object.keys(STATISTICS),
  ).default('smoe');
}

/** How results are printed. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** @param json what `--json` prints */
export function outputOptions(json: string): Option[] {
  return [
    new Option('--json', `print only ${json}`),
    new Option('--debug', 'print the stack of an error'),
  ];
}

export function backendOption(): Option {
  return choice('--backend <name>', 'which kernels compute', BACKENDS).default('auto');
}
