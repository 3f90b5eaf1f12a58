/** The families of networks that are known by the names of their weights. */

import { FormatError } from '../../errors.js';
import {
  type Activation,
  activationOf,
  architectureOf,
  type NetOptions,
  netOptionsOf,
  type SaidOptions,
} from '../formats/metadata.js';
import { inTorchvisionNames } from '../formats/naming.js';
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
  /** What is to be said about the weights, a line each. */
  readonly warnings: readonly string[];
  /** What neither the weights nor anybody says of the network: the usual is assumed. */
  readonly assumed: readonly (keyof NetOptions)[];
  /** How many tensors the network takes. */
  readonly taken: number;
  /** What the file puts before the network's names: `module.`, `backbone.` */
  readonly prefix: string;
  /** Height and width of the input that the graph is for, where it is not for any. */
  readonly size?: readonly [H: number, W: number];
  /** Whether it takes no other. */
  readonly isFixed?: boolean;
  /** The graph for another size, with the same layers. @throws {ShapeError} where it does not take that */
  at?(size: readonly [H: number, W: number]): Graph;
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
  try {
    return recognized(weights, options);
  } catch (error) {
    const prepared = [...weights.tensors.keys()].find((name) => PREPARED.test(name));
    if (!(error instanceof FormatError) || prepared === undefined) throw error;
    throw new FormatError(
      `${weights.name}: tensor ${prepared} is of quantisation-aware training: save the float model's state dict`,
      { cause: error },
    );
  }
}

/** What PyTorch puts between layers whose ranges it is to learn. */
const PREPARED = /(?:^|\.)(?:fake_quant|\w*_fake_quant|activation_post_process|\w*observer)/;

function recognized<T extends TensorShape>(
  weights: TensorSource<T>,
  options: RecognizeOptions,
): RecognizedNetwork<T> {
  for (const family of FAMILIES) {
    for (const naming of family.namings) {
      const named = inTorchvisionNames(weights, naming);
      if (!named || family.recognises?.(named.source.tensors) === false) continue;
      const { source } = named;
      const said = netOptionsOf(source, options);
      const b = new NetBuilder(named, said.options);
      const { graph, facts } = family.build(b);
      const { classes } = graph;
      const saidActivation = activationOf(source, classes);
      const { activation = saidActivation } = options;
      const isSettled = architectureOf(source)['classes'] !== undefined;
      const { batchNormEps, activationFunction } = said.options;
      const general = { classes, batchNormEps, activationFunction, activation };
      return {
        architecture: { family: family.name, ...facts, ...general },
        source,
        graph,
        activation,
        warnings: [...b.warnings, ...(isSettled ? [] : b.doubts)],
        assumed: assumedOf(said, facts, b.isWhole),
        taken: b.taken,
        prefix: named.prefix,
      };
    }
  }
  const [first = 'none'] = weights.tensors.keys();
  throw new FormatError(
    `${weights.name}: weights of no network that is known by its tensors' names (ResNet, DenseNet, VGG, AlexNet of torchvision, timm, Hugging Face, Keras), or one file of several; the first tensor is ${first}`,
  );
}

/** How many tensors of weights a network takes; 0 where it is none that is known, or is refused. */
export function tensorsTaken(weights: TensorSource): number {
  try {
    return recognizeNetwork(weights).taken;
  } catch (error) {
    if (error instanceof FormatError) return 0;
    throw error;
  }
}

/** Options that all families have, and those that a family tells of itself. */
function assumedOf(
  { assumed }: SaidOptions,
  facts: Readonly<Record<string, unknown>>,
  isWhole: boolean,
): (keyof NetOptions)[] {
  // A whole module says of every layer what it is.
  if (isWhole) return assumed.filter((key) => key === 'activationFunction');
  const general: readonly string[] = ['batchNormEps', 'activationFunction'];
  return assumed.filter((key) => general.includes(key) || Object.hasOwn(facts, key));
}
