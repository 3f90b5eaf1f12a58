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

/** A layer that may be part of a classifier. */
interface HeadLayer {
  readonly layer: string;
  readonly isNorm: boolean;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Heads of self-supervised training, by a part of their names: they compare pictures, and have no classes.
 * What is in the same module goes with them.
 */
const PROJECTION = /(?:^|[._])(?:proj\w*|prototypes?|predictor|last_layer)(?:[._]|$)/;

/** Names that a warning lists. */
const SOME = 3;

/**
 * Finishes a network that ends in features.
 *
 * @returns the network; without classes where no matrix fits the features
 * @throws {FormatError} where tensors are left over that some part of the network would need
 */
export function classified(b: NetBuilder, x: Value): Graph {
  const trunk = b.topNames();
  const layers = headLayers(b);
  const chain = chainOf(layers, x.C);
  if (chain.length === 0) {
    const own = layers.find(({ layer, isNorm }) => !isNorm && !b.isOutside(b.weightName(layer)!));
    if (own) {
      throw b.fail(
        `tensor ${b.weightName(own.layer)} expected [classes,${x.C}], or as many values for each part of a map, got [${own.outputs},${own.inputs}]`,
      );
    }
    checkUnused(b, trunk, chain);
    return b.finish(x, 0);
  }
  let y = pooled(b, x, chain[0]!.inputs / x.C);
  let needsRelu = false;
  for (const [i, layer] of chain.entries()) {
    const before = chain[i - 1];
    if (needsRelu && reluBetween(before!, layer)) {
      y = b.relu(`${before!.layer}.relu`, y);
      needsRelu = false;
    }
    y = layer.isNorm ? b.batchNorm(layer.layer, y) : b.linear(layer.layer, y);
    if (!layer.isNorm) needsRelu = true;
  }
  checkUnused(b, trunk, chain);
  return b.finish(y, y.C);
}

/** Matrices, 1×1 kernels and batch norms that are left, in the order in which they are likely to run. */
function headLayers(b: NetBuilder): HeadLayer[] {
  const names = new Set(
    b.unused.flatMap((name) => {
      const weight = /^(.+)\.(?:weight|weight_v|parametrizations\.weight\.original1)$/.exec(name);
      const norm = /^(.+)\.running_mean$/.exec(name);
      return weight?.[1] ?? norm?.[1] ?? [];
    }),
  );
  const layers = [...names].flatMap((layer): HeadLayer[] => {
    const mean = b.source.tensors.get(`${layer}.running_mean`)?.shape;
    if (mean) return [{ layer, isNorm: true, inputs: mean[0] ?? 0, outputs: mean[0] ?? 0 }];
    const shape = b.source.tensors.get(b.weightName(layer)!)!.shape;
    const isMatrix = shape.length === 2 || (shape.length === 4 && shape[2] === 1 && shape[3] === 1);
    if (!isMatrix) return [];
    return [{ layer, isNorm: false, inputs: shape[1]!, outputs: shape[0]! }];
  });
  return inOrder(withoutProjections(layers));
}

function withoutProjections(layers: readonly HeadLayer[]): HeadLayer[] {
  const projections = layers.flatMap(({ layer }) => {
    if (!PROJECTION.test(layer)) return [];
    const dot = layer.lastIndexOf('.');
    return dot < 0 ? layer : layer.slice(0, dot + 1);
  });
  return layers.filter(({ layer }) => !projections.some((part) => layer.startsWith(part)));
}

/** As the file has them, but where they are numbered: fc2 before fc10. */
function inOrder(layers: readonly HeadLayer[]): HeadLayer[] {
  const groups = new Map<string, HeadLayer[]>();
  for (const layer of layers) {
    const stem = layer.layer.replace(/\d+$/, '');
    groups.set(stem, [...(groups.get(stem) ?? []), layer]);
  }
  const place = ({ layer }: HeadLayer): number => Number(/\d*$/.exec(layer)![0]);
  return [...groups.values()].flatMap((group) => group.sort((a, c) => place(a) - place(c)));
}

/** The layers that go on from features of C channels, each from what the one before gives. */
function chainOf(layers: readonly HeadLayer[], C: number): HeadLayer[] {
  const chain: HeadLayer[] = [];
  /** Sequentials whose first layer does not fit: their other layers are none that begin. */
  const others = new Set<string>();
  let width = 0;
  for (const layer of layers) {
    const { parent, place } = placeOf(layer.layer);
    const isLater = place >= 0 && others.has(parent);
    const fits = chain.length > 0 ? layer.inputs === width : !isLater && isPooling(layer, C);
    if (!fits && place >= 0) others.add(parent);
    if (!fits) continue;
    chain.push(layer);
    width = layer.outputs;
  }
  // Norms alone make no classes.
  return chain.some(({ isNorm }) => !isNorm) ? chain : [];
}

/** Whether a layer takes each channel once, twice, or for each part of a square map. */
function isPooling({ inputs, isNorm }: HeadLayer, C: number): boolean {
  const parts = inputs / C;
  return parts === 1 || parts === 2 || (!isNorm && parts > 1 && Number.isInteger(Math.sqrt(parts)));
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

/** Whether a ReLU that is still due comes before `next`. */
function reluBetween(before: HeadLayer, next: HeadLayer): boolean {
  const [from, to] = [placeOf(before.layer), placeOf(next.layer)];
  const isNumbered = from.place >= 0 && to.place >= 0 && from.parent === to.parent;
  if (isNumbered) return to.place - from.place > 1;
  return !next.isNorm;
}

/** What a layer is part of, and its number there. */
function placeOf(layer: string): { parent: string; place: number } {
  const [, parent = '', place = '-1'] = /^(?:(.*)\.)?(\d+)$/.exec(layer) ?? [];
  return { parent, place: Number(place) };
}

/**
 * Looks at what no layer has taken. Beside the network it is a loss or another head, and told; within
 * the network something would be computed that is not known.
 *
 * @param trunk what the names of the network's own layers begin with
 * @throws {FormatError} for what is within
 */
export function checkUnused(
  b: NetBuilder,
  trunk: ReadonlySet<string>,
  chain: readonly HeadLayer[] = [],
): void {
  const { unused } = b;
  const needed = unused.filter((name) => {
    if (isPartOf(b, name, chain)) return true;
    const isTrunk = trunk.has(name.split('.', 1)[0]!);
    return !b.isOutside(name) && (isTrunk || b.source.tensors.get(name)!.shape.length > 2);
  });
  const [first] = needed;
  if (first !== undefined) throw b.fail(unexpected(b, first, needed.length));
  if (unused.length === 0) return;
  const groups = groupsOf(unused);
  const some = groups.slice(0, SOME).join(', ');
  const are = unused.length === 1 ? 'tensor is' : 'tensors are';
  const more = groups.length > SOME ? ', …' : '';
  b.warnings.push(`${unused.length} ${are} part of no layer, and left out: ${some}${more}`);
}

/** Whether a tensor belongs to a layer of the classifier, or to one between them in a Sequential. */
function isPartOf(b: NetBuilder, name: string, chain: readonly HeadLayer[]): boolean {
  if (chain.some(({ layer }) => name.startsWith(`${layer}.`))) return true;
  const sibling = chain.find(({ layer }) => {
    const { parent, place } = placeOf(layer);
    return place >= 0 && name.startsWith(`${parent}.`) && /^\d/.test(name.slice(parent.length + 1));
  });
  if (!sibling) return false;
  // In a list of classifiers each takes the same features.
  const layer = name.slice(0, name.lastIndexOf('.'));
  const weight = b.source.tensors.get(b.weightName(layer) ?? '')?.shape;
  return !(weight?.length === 2 && weight[1] === chain[0]!.inputs);
}

/** Why weights are refused that have a tensor which no layer asks for. */
function unexpected(b: NetBuilder, name: string, count: number): string {
  const dot = name.lastIndexOf('.');
  const layer = name.slice(0, dot);
  if (/fake_quant|activation_post_process|observer/.test(name)) {
    return `tensor ${name} is that of quantisation-aware training: save the float model's state dict`;
  }
  const shape = b.source.tensors.get(name)!.shape;
  if (/relu\d?\.weight$|act\d?\.weight$/.test(name) && shape.length === 1) {
    return `tensor ${name} is that of a PReLU: not supported`;
  }
  if (name.endsWith('.filt')) return `tensor ${name} is that of a blur pool: not supported`;
  if (b.has(`${layer}.bias`) && b.source.tensors.get(`${layer}.weight`)?.shape.length === 1) {
    return `${layer} is a LayerNorm or another norm without statistics: not supported`;
  }
  return `${count} unexpected tensors, the first is ${name}`;
}

/** Names, those of a module as one: `criterion.weight`, `encoder_k.* (32)`. */
function groupsOf(names: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const [, module = name] = /^((?:(?:module|model|_orig_mod|net)\.)*[^.]+)/.exec(name) ?? [];
    groups.set(module, [...(groups.get(module) ?? []), name]);
  }
  return [...groups.values()].map((own) =>
    own.length === 1 ? own[0]! : `${sharedPath(own)}* (${own.length})`,
  );
}

/** What names begin with alike, whole words. */
function sharedPath([first = '', ...others]: readonly string[]): string {
  let path = first.slice(0, first.lastIndexOf('.') + 1);
  while (!others.every((name) => name.startsWith(path))) {
    path = path.slice(0, path.lastIndexOf('.', path.length - 2) + 1);
  }
  return path;
}
