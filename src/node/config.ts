/**
 * Reads config.json and preprocessor_config.json of Hugging Face and timm into the same metadata that a file
 * may have itself.
 *
 *   Hugging Face   model_type, layer_type, hidden_act, downsample_in_first_stage, downsample_in_bottleneck, id2label
 *                  size, crop_pct, image_mean, image_std, resample, rescale_factor
 *   timm           architecture, model_args, pretrained_cfg: mean, std, input_size, interpolation, crop_pct; label_names
 *
 * Sources: transformers/models/resnet/configuration_resnet.py, models/convnext/image_processing_convnext.py;
 * timm/models/_hub.py (`save_config_for_hf`).
 */

import { FormatError } from '../errors.js';
import type { NetOptions, Preprocessing } from '../model/index.js';
import { architectureSays } from './architecture-names.js';

/** JSON. */
export type Config = Readonly<Record<string, unknown>>;

/** The content of a configuration; missing facts are absent. */
export interface ConfigFacts {
  readonly architecture: Partial<NetOptions>;
  readonly preprocessing: Partial<Preprocessing>;
  /** In index order. */
  readonly labels?: readonly string[];
  /** For the timm kind: the name of the architecture. */
  readonly name?: string;
}

/** Whether JSON is the configuration of a network, and not of another program. */
export function isConfig(value: unknown): value is Config {
  if (!isObject(value)) return false;
  return ['model_type', 'architecture', 'architectures', 'hidden_act', 'pretrained_cfg'].some(
    (key) => Object.hasOwn(value, key),
  );
}

/** Whether JSON looks like the preprocessor_config.json of a picture model. */
export function isPreprocessor(value: unknown): value is Config {
  const keys = ['image_mean', 'do_normalize', 'image_processor_type', 'feature_extractor_type'];
  return isObject(value) && keys.some((key) => Object.hasOwn(value, key));
}

/**
 * @param preprocessor preprocessor_config.json
 * @param isGraph whether the weights' own file has the graph: then facts about the graph are ignored
 * @throws {FormatError} without the file's name, for what cannot be computed
 */
export function factsOfConfig(
  config: Config,
  preprocessor: Config = {},
  isGraph = false,
): ConfigFacts {
  const labels = labelsOfConfig(config);
  const isTimm = typeof config['architecture'] === 'string';
  const facts = isGraph
    ? graphFacts(config)
    : isTimm
      ? timmFacts(config)
      : { architecture: huggingFaceFacts(config) };
  return {
    preprocessing: {},
    ...facts,
    ...(labels && { labels }),
    ...(Object.keys(preprocessor).length > 0 && {
      preprocessing: preprocessingOfConfig(preprocessor),
    }),
  };
}

function graphFacts(config: Config): ConfigFacts {
  const { architecture: name, pretrained_cfg: cfg } = config;
  const isTimm = typeof name === 'string';
  return {
    architecture: {},
    preprocessing: isTimm ? timmPreprocessing(isObject(cfg) ? cfg : config) : {},
    ...(isTimm && { name }),
  };
}

function huggingFaceFacts(config: Config): Partial<NetOptions> {
  const { model_type: type = 'resnet', hidden_act: act = 'relu' } = config;
  // Scripts, and models with their own code, use these keys for other things.
  const has = (...keys: string[]): boolean => keys.some((key) => Object.hasOwn(config, key));
  const isTheirs = has('architectures', 'transformers_version', 'hidden_act', 'depths');
  if (type !== 'resnet' && (!isTheirs || has('auto_map'))) return {};
  if (type !== 'resnet') {
    throw new FormatError(`the network type is ${type}, expected resnet`);
  }
  const first = config['downsample_in_first_stage'] === true;
  return {
    strideOn: config['downsample_in_bottleneck'] === true ? '1x1' : '3x3',
    batchNormEps: epsOf(config),
    activationFunction: text('hidden_act', act),
    strides: first ? [2] : [],
    dilations: [],
  };
}

/** Hugging Face's ResNets use PyTorch's value; a configuration with another value is not theirs. */
function epsOf(config: Config): number {
  const eps = config['batch_norm_eps'] ?? config['bn_eps'] ?? 1e-5;
  if (typeof eps === 'number' && eps > 0) return eps;
  throw new FormatError(`batch_norm_eps expected a number > 0, got ${JSON.stringify(eps)}`);
}

/** Arguments of timm's constructors that do not change the computation, or show in the weights. */
const HARMLESS =
  /^(?:block|layers|depths|channels|width|cardinality|base_width|stem_type|stem_width|avg_down|block_args|num_classes|in_chans|img_size|input_size|pretrained|drop|growth_rate|block_config|cfg|mlp_ratio|zero_init|num_init_features|bn_size|features_only|checkpoint|scriptable)/;

function timmFacts(config: Config): Omit<ConfigFacts, 'labels'> & { readonly name: string } {
  const name = config['architecture'] as string;
  // Until 0.6 it was not inside.
  const cfg = isObject(config['pretrained_cfg']) ? config['pretrained_cfg'] : config;
  const args = isObject(config['model_args']) ? config['model_args'] : {};
  const own: { -readonly [K in keyof NetOptions]?: NetOptions[K] } = {};
  const pool = { global_pool: config['global_pool'] };
  for (const [key, value] of Object.entries({ ...pool, ...args })) {
    if (value === null || value === undefined || HARMLESS.test(key)) continue;
    if (key === 'act_layer') own.activationFunction = text('model_args.act_layer', value);
    else if (key === 'output_stride') own.dilations = dilationsOf(value);
    else if (key === 'bn_eps') own.batchNormEps = epsOf(args);
    else if (key === 'global_pool' && /^(?:fast)?(?:avg)?$/.test(String(value))) continue;
    else if (key === 'norm_layer' && /^batchnorm/i.test(String(value))) continue;
    else throw new FormatError(`model_args.${key} is ${JSON.stringify(value)}: not supported`);
  }
  return {
    name,
    architecture: { ...architectureSays(name), ...own },
    preprocessing: timmPreprocessing(cfg),
  };
}

/** timm's output_stride: later stages keep their number of pixels. */
function dilationsOf(value: unknown): number[] {
  const dilations: Readonly<Record<string, number[]>> = {
    32: [],
    16: [1, 1, 1, 2],
    8: [1, 1, 2, 4],
  };
  const own = dilations[String(value)];
  if (own) return own;
  throw new FormatError(`model_args.output_stride expected 8, 16 or 32, got ${value}`);
}

function timmPreprocessing(cfg: Config): Partial<Preprocessing> {
  const { mean, std, input_size: extents, interpolation, crop_pct: crop } = cfg;
  const size = Array.isArray(extents) ? extents[1] : undefined;
  const known = interpolation === 'bilinear' || interpolation === 'bicubic';
  return {
    ...(isNumbers(mean) && { mean }),
    ...(isNumbers(std) && { std }),
    ...(isPixels(size) && { size }),
    ...(known && { interpolation }),
    ...(isRatio(crop) && { cropRatio: crop }),
  };
}

/** PIL's numbers for the resampling filters. */
const RESAMPLES: Readonly<Record<string, Preprocessing['interpolation']>> = {
  2: 'bilinear',
  3: 'bicubic',
};

function preprocessingOfConfig(config: Config): Partial<Preprocessing> {
  const { size: given, crop_size: cropped, crop_pct: crop, resample } = config;
  const { do_normalize: normalizes = true, do_rescale: rescales = true } = config;
  const { rescale_factor: factor = 1 / 255 } = config;
  const [mean, std] = [config['image_mean'], config['image_std']].map((v) =>
    typeof v === 'number' ? [v, v, v] : v,
  );
  const crops = config['do_center_crop'] !== false;
  const sides = [crops ? cropped : undefined, given].map(sideOf);
  const size = sides.find(isPixels);
  const before = sides[1];
  const ratio = isPixels(sides[0]) && isPixels(before) ? sides[0] / before : crop;
  const interpolation = RESAMPLES[String(resample)];
  const channels = isNumbers(mean) ? mean.length : 3;
  const constant = (value: number) => new Array<number>(channels).fill(value);
  return {
    ...(size !== undefined && { size }),
    ...(isRatio(ratio) && { cropRatio: ratio }),
    ...(interpolation && { interpolation }),
    ...scaled(
      normalizes && isNumbers(mean) ? mean : constant(0),
      normalizes && isNumbers(std) ? std : constant(1),
      rescales && typeof factor === 'number' ? factor : 1,
    ),
  };
}

/**
 * Mean and deviation of v·rescale, as those of v/255.
 *
 * @param rescale the factor that bytes are multiplied by first; usually 1/255
 */
export function scaled(
  mean: readonly number[],
  std: readonly number[],
  rescale: number,
): Pick<Preprocessing, 'mean' | 'std'> {
  const by = 1 / (255 * rescale);
  // Exact for the usual factor; its product with 255 may differ from 1.
  const factor = Math.abs(by - 1) < 1e-6 ? 1 : by;
  return { mean: mean.map((v) => v * factor), std: std.map((v) => v * factor) };
}

/** A number, { shortest_edge } or { height }. */
function sideOf(size: unknown): unknown {
  return isObject(size) ? (size['shortest_edge'] ?? size['height']) : size;
}

/** id2label of Hugging Face, label_names of timm. */
function labelsOfConfig(config: Config): readonly string[] | undefined {
  const { id2label, label_names: names, label_descriptions: described } = config;
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) {
    // For ImageNet the names are WordNet's ids, and the words are the descriptions.
    return isObject(described) ? names.map((name) => String(described[name] ?? name)) : names;
  }
  if (!isObject(id2label)) return undefined;
  const labels = Object.keys(id2label).map((_, i) => id2label[i]);
  // A model without its own names has Hugging Face's: LABEL_0, LABEL_1 …
  const isNamed = labels.every((label, i) => typeof label === 'string' && label !== `LABEL_${i}`);
  return isNamed ? (labels as string[]) : undefined;
}

function text(key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new FormatError(`${key} expected text, got ${JSON.stringify(value)}`);
}

function isObject(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isFinite(v));
}

function isPixels(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1;
}

function isRatio(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1;
}
