/** The weights of a model, by its name or path, as the network that they are: nothing of them is packed yet. */

import { FormatError, ShapeError } from '../errors.js';
import {
  type Architecture,
  inputChannels,
  labelsOf,
  metadataObject,
  type NetOptions,
  type PixelRange,
  type Preprocessing,
  preprocessingOfRange,
  type RecognizedNetwork,
  type RecognizeOptions,
  recognizeNetwork,
  type TensorSource,
} from '../model/index.js';
import { checkArchitecture, isArchitecture } from './architectures.js';
import { BUNDLED, bundledWeights } from './assets.js';
import { withSaid } from './beside.js';
import { locateRemote } from './cache.js';
import { labelsFor } from './labels.js';
import { openOnnx } from './onnx-file.js';
import { openWeights, type WeightsFile } from './weights-file.js';

export interface WeightsOptions extends RecognizeOptions {
  /**
   * A file of class names, as `readLabels` has it, or `imagenet`. Default: what the weights or the config.json
   * beside them say, the bundled model's own, ImageNet's for models that are published as its, else the
   * class numbers.
   */
  readonly labels?: string;
  /**
   * What the network is called by torchvision or timm, or the path of its config.json, in place of the one
   * beside the weights. Weights must have the tensors of a published network that is named.
   */
  readonly architecture?: string;
  /** Where in a checkpoint the weights are: `state_dict_ema`. Default: the most that make a network. */
  readonly stateDict?: string;
  /** What the network was trained behind, part by part; default what is said beside the weights. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** What pixels become, by a short name; `preprocessing` counts before it. */
  readonly preprocess?: PixelRange;
  /** Of an ONNX file: side of the input, where the file does not fix it. */
  readonly size?: number;
  /** Of an ONNX file: name of the output that has the logits; default the first. */
  readonly output?: string;
}

export interface OpenedModel extends Pick<WeightsFile, 'format' | 'files' | 'close'> {
  readonly network: RecognizedNetwork;
  /** Class names in index order, where any are known. */
  readonly labels?: readonly string[] | undefined;
  /** What was left out of the file, and what is doubtful: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what it is taken to be: a line. */
  readonly assumption?: string;
}

/**
 * Opens the weights of a model and recognises them, with all that is said beside them.
 *
 * @param model as of `ModelOptions`
 * @param describe of weights that are not recognised: what is to be said beside the reason
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option that is not valid
 */
export async function openNetwork(
  model: string,
  options: WeightsOptions = {},
  describe?: (weights: TensorSource) => string,
): Promise<OpenedModel> {
  const cached = await locateRemote(model);
  const path = cached?.path ?? (model === BUNDLED ? bundledWeights() : model);
  const onnx = await openOnnx(path, model, options);
  const weights = onnx ?? (await openWeights(path, model, options.stateDict));
  try {
    const { architecture } = options;
    const isGraph = onnx !== undefined;
    if (isGraph) refuseWeightsOptions(options);
    const said = await withSaid(weights.source, path, architecture, cached?.known, isGraph);
    const found = onnx
      ? { ...onnx.network, source: said.source }
      : recognized(said.source, options, describe);
    const network = options.preprocess ? withRange(found, options.preprocess) : found;
    if (!onnx && architecture !== undefined && isArchitecture(architecture)) {
      checkArchitecture(network.source, architecture);
    }
    const { classes } = network.graph;
    const own = labelsOf(network.source) ?? said.labels;
    const fits = own && fittingLabels(own, classes);
    const labels = await labelsFor(classes, {
      model,
      ...(said.isImagenet && { isImagenet: true }),
      ...(options.labels !== undefined && { labels: options.labels }),
      ...(fits && { said: fits }),
    });
    const isLeftOut = own && !fits && classes > 0 && options.labels === undefined;
    const isSaid = network.source.metadata.has('preprocessing');
    const warnings = [
      ...network.warnings.filter((warning) => !(isSaid && warning === onnx?.pixelsAssumed)),
      ...(isLeftOut
        ? [`${own.length} class names for ${classes} classes: the names are ignored`]
        : []),
    ];
    return {
      network: fits === own ? network : withoutLabels(network),
      labels,
      warnings,
      ...(network.assumed.length > 0 && { assumption: assumption(network) }),
      format: weights.format,
      files: weights.files,
      close: weights.close,
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** What is said of weights alone, and an ONNX file says itself. */
const OF_WEIGHTS = [
  ...(['strideOn', 'maxPool', 'batchNormEps', 'activationFunction', 'strides'] as const),
  ...(['dilations', 'activatesFeatures', 'stateDict'] as const),
];

function refuseWeightsOptions(options: WeightsOptions): void {
  const given = OF_WEIGHTS.find((key) => options[key] !== undefined);
  if (given !== undefined)
    throw new ShapeError(`${given}: not for ONNX files, where the graph defines it`);
}

function withRange(network: RecognizedNetwork, range: PixelRange): RecognizedNetwork {
  const { source, graph } = network;
  const preprocessing = {
    ...metadataObject(source, 'preprocessing'),
    ...preprocessingOfRange(range, inputChannels(graph)),
  };
  const metadata = new Map(source.metadata).set('preprocessing', JSON.stringify(preprocessing));
  return { ...network, source: { ...source, metadata } };
}

function withoutLabels(network: RecognizedNetwork): RecognizedNetwork {
  const metadata = new Map(network.source.metadata);
  metadata.delete('labels');
  return { ...network, source: { ...network.source, metadata } };
}

/** Of two classes one logit is the second's. */
function fittingLabels(labels: readonly string[], classes: number): readonly string[] | undefined {
  if (classes === 1 && labels.length === 2) return labels.slice(1);
  return labels.length === classes ? labels : undefined;
}

function recognized(
  source: TensorSource,
  options: WeightsOptions,
  describe: ((weights: TensorSource) => string) | undefined,
): RecognizedNetwork {
  try {
    return recognizeNetwork(source, options);
  } catch (error) {
    if (!(error instanceof FormatError) || !describe) throw error;
    throw new FormatError(`${error.message}; ${describe(source)}`, { cause: error });
  }
}

/** How each assumption is told. */
const ASSUMPTIONS: Readonly<
  Record<keyof NetOptions, readonly [option: string, text: (facts: Architecture) => string]>
> = {
  activationFunction: [
    '--activation-function',
    ({ activationFunction }) => `${activationFunction} after convolutions`,
  ],
  batchNormEps: ['--eps', ({ batchNormEps }) => `batch norm eps ${batchNormEps}`],
  strideOn: ['--stride-on', ({ strideOn }) => `stride on the ${strideOn}`],
  maxPool: ['--max-pool', ({ maxPool }) => `${maxPool ? 'a' : 'no'} max pool after the stem`],
  strides: ['--architecture', () => 'no blur pools and stride 1 in the first stage'],
  dilations: ['--dilation', () => 'no dilation'],
  activatesFeatures: ['--architecture', () => 'an activation after the features'],
};

/** What weights do not show, and what they are taken for. */
function assumption({ assumed, architecture }: RecognizedNetwork): string {
  const texts = assumed.map((key) => ASSUMPTIONS[key][1](architecture));
  const options = assumed.map((key) => ASSUMPTIONS[key][0]);
  return `weights do not show ${texts.length > 1 ? 'everything' : 'it'}: assumed ${texts.join(', ')}; to change this, use a config.json beside them, or ${options.join(', ')}`;
}
