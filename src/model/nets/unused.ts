/**
 * Tensors that no layer of a network has taken. Those beside the network give a warning. Those inside belong to
 * some unknown computation, so the weights are refused.
 */

import { sizeOf } from '../formats/tensor-source.js';
import type { NetBuilder } from './builder.js';
import { groupedBy, type HeadLayer, parentOf, pathsOf, placeOf } from './head-layers.js';

/** The number of names in a warning. */
const SOME = 3;

/** A classifier, and the channels of its features. */
interface Head {
  readonly chain: readonly HeadLayer[];
  readonly C: number;
}

/**
 * Checks the tensors that no layer has taken. Beside the network they are a loss or another head, and give a
 * warning. Inside the network they belong to some unknown computation.
 *
 * @param trunk the first parts of the names of the network's own layers
 * @throws {FormatError} for a tensor inside the network
 */
export function checkUnused(
  b: NetBuilder,
  trunk: ReadonlySet<string>,
  head: Head = { chain: [], C: 0 },
): void {
  const { unused } = b;
  const isPart = partsOf(b, head);
  const needed = unused.filter((name) => {
    if (isPart(name) || isBefore(b, name) || isGeneralisedMean(b, name)) return true;
    if (b.isOutside(name)) return false;
    const isTrunk = trunk.has(name.split('.', 1)[0]!);
    return isTrunk || b.shapeIn(name)!.length > 2 || isPRelu(b, name);
  });
  const [first] = needed;
  if (first !== undefined) throw b.fail(unexpected(b, first, needed.length, isPart(first)));
  if (unused.length === 0) return;
  const groups = groupsOf(unused);
  const some = groups.slice(0, SOME).join(', ');
  const are = unused.length === 1 ? 'tensor is' : 'tensors are';
  const more = groups.length > SOME ? ', …' : '';
  b.warnings.push(`${unused.length} ${are} part of no layer, and left out: ${some}${more}`);
}

/**
 * Returns a test whether a tensor belongs to a layer of the classifier, to a layer between them in a Sequential,
 * or to a norm beside them that they would read.
 */
function partsOf(b: NetBuilder, { chain, C }: Head): (name: string) => boolean {
  const layers = new Set(chain.map(({ layer }) => layer));
  const parents = new Set(chain.map(({ layer }) => parentOf(layer)));
  const sequences = new Set(
    chain.flatMap(({ layer }) => {
      const { parent, place } = placeOf(layer);
      return place >= 0 ? parent : [];
    }),
  );
  const widths = new Set([C, ...chain.map(({ inputs }) => inputs)]);
  return (name) => {
    if (chain.length === 0) return false;
    const layer = parentOf(name);
    if (pathsOf(layer).some((path) => layers.has(path))) return true;
    const isInSequence = pathsOf(name).some((path) => {
      const { parent, place } = placeOf(path);
      return place >= 0 && sequences.has(parent);
    });
    if (isInSequence) {
      // In a list of classifiers, all read the same features.
      const weight = b.shapeIn(b.weightName(layer) ?? '');
      return !(weight?.length === 2 && weight[1] === chain[0]!.inputs);
    }
    const shape = b.shapeIn(name)!;
    return (
      isNorm(b, layer) &&
      shape.length === 1 &&
      widths.has(shape[0]!) &&
      parents.has(parentOf(layer))
    );
  };
}

/** Whether a layer has a vector of weights and a bias. */
function isNorm(b: NetBuilder, layer: string): boolean {
  return b.has(`${layer}.bias`) && b.shapeIn(`${layer}.weight`)?.length === 1;
}

/** Whether a layer runs before the network, in a Sequential that has both. */
function isBefore(b: NetBuilder, name: string): boolean {
  const [, way = '', number] = /^((?:.*\.)?)(\d+)\.$/.exec(b.prefix) ?? [];
  if (number === undefined || !b.isOutside(name) || !name.startsWith(way)) return false;
  const [, own] = /^(\d+)\.weight$/.exec(name.slice(way.length)) ?? [];
  return own !== undefined && Number(own) < Number(number);
}

/** Whether a tensor is the power of a generalised mean (GeM), in place of the mean of all pixels. */
function isGeneralisedMean(b: NetBuilder, name: string): boolean {
  if (!name.endsWith('.p') || sizeOf(b.shapeIn(name)!) !== 1) return false;
  return /pool|gem/i.test(name.slice(parentOf(parentOf(name)).length));
}

function isPRelu(b: NetBuilder, name: string): boolean {
  return /(?:relu|act)\d?\.weight$/.test(name) && b.shapeIn(name)!.length === 1;
}

/** The reason to refuse weights with a tensor that no layer uses. */
function unexpected(b: NetBuilder, name: string, count: number, isPart: boolean): string {
  const layer = parentOf(name);
  if (isPRelu(b, name)) return `tensor ${name} is that of a PReLU: not supported`;
  if (isGeneralisedMean(b, name)) {
    return `tensor ${name} is that of a generalised mean (GeM): not supported, only the mean of all pixels`;
  }
  if (isBefore(b, name)) return `tensor ${name} is of a layer before the network: not supported`;
  if (name.endsWith('.filt')) return `tensor ${name} is that of a blur pool: not supported`;
  if (isPart && b.has(`${layer}.running_mean`)) {
    return `where in the classifier the norm ${layer} stands is not known`;
  }
  if (isNorm(b, layer)) {
    return `${layer} is a LayerNorm or another norm without statistics: not supported`;
  }
  return `${count} unexpected tensors, the first is ${name}`;
}

/** Names for a warning; the names of one module are joined: `criterion.weight`, `encoder_k.* (32)`. */
function groupsOf(names: readonly string[]): string[] {
  const pattern = /^(?:(?:module|model|_orig_mod|net)\.)*[^.]+/;
  return groupedBy(names, (name) => pattern.exec(name)?.[0] ?? name).map((own) =>
    own.length === 1 ? own[0]! : `${sharedPath(own)}* (${own.length})`,
  );
}

/** The common beginning of names, in whole words. */
function sharedPath([first = '', ...others]: readonly string[]): string {
  let path = first.slice(0, first.lastIndexOf('.') + 1);
  while (!others.every((name) => name.startsWith(path))) {
    path = path.slice(0, path.lastIndexOf('.', path.length - 2) + 1);
  }
  return path;
}
