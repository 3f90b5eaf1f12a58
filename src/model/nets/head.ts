/**
 * The classifier, with any name: the matrices and batch norms that no other part of the network uses, applied
 * to the mean of the last features.
 *
 *   fc · classifier · head.fc     one matrix
 *   fc.0, fc.3                    matrix, ReLU, matrix
 *   head.0, head.1, head.3        matrix, batch norm, ReLU, matrix
 *   1.2, 1.4, 1.6, 1.8            fast.ai's: batch norm, matrix, ReLU, batch norm, matrix, over the largest
 *                                 value and the mean of each channel
 *
 * In a Sequential, layers without weights leave gaps in the numbers. A gap after a matrix is a ReLU, with or
 * without dropout. Between consecutive numbers there is nothing.
 */

import type { Graph } from '../graph/node.js';
import { adaptiveMean } from '../graph/operators/adaptive-mean.js';
import { flatten } from '../graph/operators/flatten.js';
import { globalMax } from '../graph/operators/global-max.js';
import type { NetBuilder, Value } from './builder.js';
import {
  chainOf,
  type HeadLayer,
  headLayers,
  isBehind,
  KERAS_NORM,
  MOST_LAYERS,
  placeOf,
  projectionChain,
  wayTo,
  withoutProjections,
} from './head-layers.js';
import { checkUnused } from './unused.js';

/** The eps of Keras' norms of that name. */
const KERAS_NORM_EPS = 1e-3;

/** Classifiers that compare directions. */
const COSINE = /(?:^|[._])(?:\w*arc\w*|cos\w*|cosine\w*|sphere\w*|\w*margin\w*|metric_fc)$/i;

/**
 * Adds the classifier to a network that ends in features.
 *
 * @returns the network; without classes if no matrix fits the features
 * @throws {FormatError} if tensors are left over that belong to some part of the network
 */
export function classified(b: NetBuilder, x: Value): Graph {
  const trunk = b.topNames();
  refuseReplaced(b, x.C);
  const all = headLayers(b);
  const layers = withoutProjections(all);
  const chain = chainOf(b, layers, x.C) ?? projectionChain(b, all, x.C) ?? [];
  if (chain.length === 0) {
    const own = layers.find(({ layer, isNorm }) => !isNorm && !b.isOutside(b.weightName(layer)!));
    if (own) {
      throw b.fail(
        `tensor ${b.weightName(own.layer)} expected [classes,${x.C}], or as many values for each part of a map, got [${own.outputs},${own.inputs}]`,
      );
    }
    checkUnused(b, trunk);
    return b.finish(x, 0);
  }
  const parts = chain[0]!.inputs / x.C;
  let y = pooled(b, x, parts);
  let needsRelu = false;
  for (const [i, layer] of chain.entries()) {
    const before = chain[i - 1];
    const told = activationsBefore(b, before, layer);
    for (const [name, kind] of told ?? []) y = b.relu(name, y, kind);
    if (told) needsRelu = false;
    if (needsRelu && reluBetween(before!, layer)) {
      y = b.relu(`${before!.layer}.relu`, y, onlyActivation(b, before!));
      needsRelu = false;
    }
    if (layer.isNorm) {
      const eps = KERAS_NORM.test(layer.layer) ? KERAS_NORM_EPS : undefined;
      y = b.batchNorm(layer.layer, y, eps);
    } else {
      y = b.linear(layer.layer, y);
      needsRelu = true;
    }
  }
  checkUnused(b, trunk, { chain, C: x.C });
  addDoubts(b, chain, parts);
  return b.finish(y, y.C);
}

/** Adds the guesses about a classifier that may be wrong, one line each. */
function addDoubts(b: NetBuilder, chain: readonly HeadLayer[], parts: number): void {
  const { layer: first } = chain[0]!;
  const cosine = chain.find(({ layer }) => COSINE.test(layer) && !b.has(`${layer}.bias`));
  if (cosine) {
    b.doubts.push(
      `${cosine.layer} is taken for a linear classifier, not one that compares directions`,
    );
  }
  const early = chain.find(({ isKernel }, i) => isKernel && i < chain.length - 1);
  if (early && chain.some(({ isKernel }) => !isKernel)) {
    b.doubts.push(`${early.layer} is taken to come behind the mean of all pixels`);
  }
  if (parts === 2 && placeOf(first).place < 0) {
    b.doubts.push(
      `${first} is taken for one of the largest values and then the means of the channels`,
    );
  }
}

/**
 * @param C channels of the features
 * @throws {FormatError} for a matrix that is stored as other tensors, as a spectral norm does
 */
function refuseReplaced(b: NetBuilder, C: number): void {
  for (const name of b.unused) {
    const [, layer] = /^(.+)\.(?:weight_orig|parametrizations\.weight\.original)$/.exec(name) ?? [];
    const { shape } = b.source.tensors.get(name)!;
    const isOurs = !b.isOutside(name) || (shape.length === 2 && shape[1] === C);
    if (layer !== undefined && isOurs) b.shapeOf(`${layer}.weight`, shape.length);
  }
}

/** @param parts how many values the classifier reads from each channel */
function pooled(b: NetBuilder, x: Value, parts: number): Value {
  if (parts === 2) {
    const most = b.node('maxpool', globalMax(), [x]);
    const mean = b.node('avgpool', adaptiveMean(1, 1), [x]);
    return b.concat('concatpool', [most, mean]);
  }
  const side = Math.sqrt(parts);
  const mean = b.node('avgpool', adaptiveMean(side, side), [x]);
  return side === 1 ? mean : b.node('flatten', flatten(), [mean], parts * x.C);
}

/**
 * The names of the activations between a layer of a Sequential and the layer before it; undefined if the file
 * states nothing about modules without weights.
 */
function activationsBefore(
  b: NetBuilder,
  before: HeadLayer | undefined,
  layer: HeadLayer,
): (readonly [name: string, kind: string])[] | undefined {
  const { parent, place } = placeOf(layer.layer);
  if (!b.isWhole || place < 0) return undefined;
  if (before && !isBehind(before.layer, layer.layer)) return undefined;
  const from = before ? placeOf(before.layer).place + 1 : 0;
  const found: (readonly [string, string])[] = [];
  for (let i = Math.max(from, place - MOST_LAYERS); i < place; i++) {
    const name = `${wayTo(parent)}${i}`;
    const kind = b.factsOf(name)?.activation;
    if (kind !== undefined) found.push([name, kind]);
  }
  return found;
}

/** The activation function in the module of a layer, if all of them there are the same. */
function onlyActivation(b: NetBuilder, { layer }: HeadLayer): string | undefined {
  const [module = ''] = layer.split('.', 1);
  const kinds = new Set(module === layer ? [] : b.activationsIn(`${module}.`));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

/** Whether a ReLU without a name comes between the two layers. */
function reluBetween(before: HeadLayer, next: HeadLayer): boolean {
  const [from, to] = [placeOf(before.layer), placeOf(next.layer)];
  if (isBehind(before.layer, next.layer)) return to.place - from.place > 1;
  // A layer of Keras includes its activation.
  return !next.isNorm || KERAS_NORM.test(next.layer);
}
