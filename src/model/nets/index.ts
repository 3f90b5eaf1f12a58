/** Recognizes the family of a network by the names of its weights. */

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

/** Description of a network, as JSON: its family, and the facts that its family adds. */
export interface Architecture {
  readonly family: string;
  readonly [fact: string]: unknown;
}

export interface RecognizedNetwork<T extends TensorShape = TensorShape> {
  readonly architecture: Architecture;
  /** The weights in torchvision's naming, with the metadata that the original naming implies. */
  readonly source: TensorSource<T>;
  readonly graph: Graph;
  readonly activation: Activation;
  /** Warnings about the weights, one line each. */
  readonly warnings: readonly string[];
  /** Options that neither the weights nor the caller state: the usual value is assumed. */
  readonly assumed: readonly (keyof NetOptions)[];
  /** How many tensors the network takes. */
  readonly taken: number;
  /** The prefix of the network's names in the file: `module.`, `backbone.` */
  readonly prefix: string;
  /** Height and width of the input that the graph was made for; absent if it works for any. */
  readonly size?: readonly [H: number, W: number];
  /** Whether the network accepts only this size. */
  readonly isFixed?: boolean;
  /** The graph for another size, with the same layers. @throws {ShapeError} if it does not accept that size */
  at?(size: readonly [H: number, W: number]): Graph;
}

/** Options that replace or complete the metadata. */
export interface RecognizeOptions extends Partial<NetOptions> {
  /**
   * The function from logits to probabilities: `softmax` if one class excludes the others, `sigmoid` if each
   * class is a separate question. Default: the file's; else `sigmoid` for a single logit, `softmax` for several.
   */
  readonly activation?: Activation;
}

/**
 * Recognizes the network that weights belong to.
 *
 * @throws {FormatError} for weights of no known family, with the name of the tensor that does not fit
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

/** Modules that PyTorch inserts between layers to learn the ranges of their values. */
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

/** How many of the tensors a network takes; 0 if no network is recognized, or if it is refused. */
export function tensorsTaken(weights: TensorSource): number {
  try {
    return recognizeNetwork(weights).taken;
  } catch (error) {
    if (error instanceof FormatError) return 0;
    throw error;
  }
}

/** The assumed options: those that all families have, and those that the family adds. */
function assumedOf(
  { assumed }: SaidOptions,
  facts: Readonly<Record<string, unknown>>,
  isWhole: boolean,
): (keyof NetOptions)[] {
  // A whole module states the kind of every layer.
  if (isWhole) return assumed.filter((key) => key === 'activationFunction');
  const general: readonly string[] = ['batchNormEps', 'activationFunction'];
  return assumed.filter((key) => general.includes(key) || Object.hasOwn(facts, key));
}
