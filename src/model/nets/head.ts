/**
 * The classifier, whatever it is called: the matrices and batch norms that no other part of the network
 * took, over the mean of the last features.
 *
 *   fc · classifier · head.fc     one matrix
 *   fc.0, fc.3                    matrix, ReLU, matrix
 *   head.0, head.1, head.3        matrix, batch norm, ReLU, matrix
 *   1.2, 1.4, 1.6, 1.8            fast.ai's: batch norm, matrix, ReLU, batch norm, matrix, over the largest
 *                                 value and the mean of each channel
 *
 * The numbers of a Sequential tell what has no weights: one that is left out behind a matrix is a ReLU, with
 * or without dropout; neighbours have nothing between them.
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

/** What Keras' norms of that name have. */
const KERAS_NORM_EPS = 1e-3;

/** Classifiers that compare directions. */
const COSINE = /(?:^|[._])(?:\w*arc\w*|cos\w*|cosine\w*|sphere\w*|\w*margin\w*|metric_fc)$/i;

/**
 * Finishes a network that ends in features.
 *
 * @returns the network; without classes where no matrix fits the features
 * @throws {FormatError} where tensors are left over that some part of the network would need
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

/** What a classifier is taken for that it may not be, a line each. */
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
 * @throws {FormatError} for a matrix in place of which others are, as a spectral norm leaves them
 */
function refuseReplaced(b: NetBuilder, C: number): void {
  for (const name of b.unused) {
    const [, layer] = /^(.+)\.(?:weight_orig|parametrizations\.weight\.original)$/.exec(name) ?? [];
    const { shape } = b.source.tensors.get(name)!;
    const isOurs = !b.isOutside(name) || (shape.length === 2 && shape[1] === C);
    if (layer !== undefined && isOurs) b.shapeOf(`${layer}.weight`, shape.length);
  }
}

/** @param parts values that the classifier takes of each channel */
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
 * The activations in front of a layer of a Sequential, back to the one before, by their names; undefined
 * where the file tells nothing of what has no weights.
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

/** The function of the module that a layer is part of, where that has one kind of them. */
function onlyActivation(b: NetBuilder, { layer }: HeadLayer): string | undefined {
  const [module = ''] = layer.split('.', 1);
  const kinds = new Set(module === layer ? [] : b.activationsIn(`${module}.`));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

/** Whether a ReLU that is still due comes before `next`. */
function reluBetween(before: HeadLayer, next: HeadLayer): boolean {
  const [from, to] = [placeOf(before.layer), placeOf(next.layer)];
  if (isBehind(before.layer, next.layer)) return to.place - from.place > 1;
  // A layer of Keras' has its activation in itself.
  return !next.isNorm || KERAS_NORM.test(next.layer);
}
