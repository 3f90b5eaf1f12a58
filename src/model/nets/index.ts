/** The families of networks that are known by the names of their weights. */

import { FormatError } from '../../errors.js';
import {
  type Activation,
  activationOf,
  batchNormEpsOf,
  type NetOptions,
  netOptionsOf,
} from '../formats/metadata.js';
import { asTorchvision } from '../formats/naming.js';
import type { TensorShape, TensorSource } from '../formats/tensor-source.js';
import type { Graph } from '../graph/node.js';
import { ALEXNET } from './alexnet.js';
import { NetBuilder } from './builder.js';
import { DENSENET } from './densenet.js';
import type { Family } from './family.js';
import { RESNET } from './resnet.js';
import { VGG } from './vgg.js';

/** In the order in which they are tried. */
const FAMILIES: readonly Family[] = [RESNET, DENSENET, VGG, ALEXNET];

/** What a network is: its family, and what its family has to say. JSON. */
export interface Architecture {
  readonly family: string;
  readonly [fact: string]: unknown;
}

export interface RecognizedNetwork<T extends TensorShape = TensorShape> {
  readonly architecture: Architecture;
  /** The weights in torchvision's naming, with the metadata that theirs implies. */
  readonly source: TensorSource<T>;
  readonly graph: Graph;
  readonly activation: Activation;
}

/** What the metadata says otherwise, or does not say. */
export interface RecognizeOptions extends Partial<NetOptions> {
  /**
   * What makes probabilities of logits: `softmax` where one class excludes the others, `sigmoid` where
   * each is a question of its own. Default: what the file says, else a sigmoid for one logit alone.
   */
  readonly activation?: Activation;
}

/**
 * The network that weights are of.
 *
 * @throws {FormatError} for weights of no family, naming the tensor that does not fit
 */
export function recognizeNetwork<T extends TensorShape>(
  weights: TensorSource<T>,
  options: RecognizeOptions = {},
): RecognizedNetwork<T> {
  const source = asTorchvision(
    weights,
    FAMILIES.flatMap(({ namings }) => namings),
  );
  const family = FAMILIES.find(({ recognises }) => recognises(source.tensors));
  if (!family) {
    const [first = 'none'] = weights.tensors.keys();
    throw new FormatError(
      `${weights.name}: weights of no network that is known by its tensors' names (a ResNet, DenseNet, VGG or AlexNet, as torchvision, timm, Hugging Face or Keras name them), or one file of several; the first tensor is ${first}`,
    );
  }
  const eps = batchNormEpsOf(source);
  const builder = new NetBuilder(source, eps);
  const said = netOptionsOf(source);
  const { strideOn = said.strideOn, maxPool = said.maxPool } = options;
  const { graph, facts } = family.build(builder, { strideOn, maxPool });
  const { classes } = graph;
  const saidActivation = activationOf(source, classes);
  const { activation = saidActivation } = options;
  const architecture = { family: family.name, ...facts, classes, batchNormEps: eps, activation };
  return { architecture, source, graph, activation };
}
