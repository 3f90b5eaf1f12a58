/**
 * Finds the classifier's layers among the tensors that are left, and their order: matrices and batch norms, each
 * of which fits the layer before it. The order comes from the file if it is in the order of registration, and
 * from the numbers in the names if it is sorted.
 */

import type { NetBuilder } from './builder.js';

/** A layer that may be part of a classifier. */
export interface HeadLayer {
  readonly layer: string;
  readonly isNorm: boolean;
  /** Whether the weight is a 1×1 kernel, not a matrix. */
  readonly isKernel: boolean;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Heads of self-supervised training, by a part of their names: they compare pictures, and have no classes.
 * Everything in the same module belongs to them.
 */
const PROJECTION = /(?:^|[._])(?:proj\w*|prototypes?|predictor|last_layer)(?:[._]|$)/;

/** Names that classifiers have, too: such a layer is a classifier if it is alone and has a bias. */
const EITHER = /(?:^|[._])(?:predictor|last_layer)$/;

/** The name that Keras gives a norm by default. */
export const KERAS_NORM: RegExp = /(?:^|\.)batch_normalization(?:_\d+)?$/;

/** The most layers of a classifier; no real one has as many. */
export const MOST_LAYERS = 64;
/** The most layers beside the network that are searched for its classifier. */
const MOST_CANDIDATES = 2000;

/** Matrices, 1×1 kernels and batch norms that are left, in the order in which they are likely to run. */
export function headLayers(b: NetBuilder): HeadLayer[] {
  const { unused } = b;
  const others = otherNetworks(b, unused);
  const names = new Set(
    unused.flatMap((name) => {
      if (others.has(groupOf(b, name))) return [];
      const weight = /^(.+)\.(?:weight|weight_v|parametrizations\.weight\.original1)$/.exec(name);
      const norm = /^(.+)\.running_mean$/.exec(name);
      return weight?.[1] ?? norm?.[1] ?? [];
    }),
  );
  const layers = [...names].flatMap((layer): HeadLayer[] => {
    const mean = b.shapeIn(`${layer}.running_mean`);
    if (mean) {
      const size = mean[0] ?? 0;
      return [{ layer, isNorm: true, isKernel: false, inputs: size, outputs: size }];
    }
    const shape = b.shapeIn(b.weightName(layer) ?? '') ?? [];
    const isKernel = shape.length === 4 && shape[2] === 1 && shape[3] === 1;
    if (shape.length !== 2 && !isKernel) return [];
    return [{ layer, isNorm: false, isKernel, inputs: shape[1]!, outputs: shape[0]! }];
  });
  return inOrder(layers);
}

/**
 * The modules beside the network that have larger kernels: a second network, the pyramid of a detector, the
 * decoder of a segmentation. None of their layers belongs to a classifier.
 */
function otherNetworks(b: NetBuilder, unused: readonly string[]): Set<string> {
  return new Set(
    unused.flatMap((name) => {
      const shape = b.shapeIn(name)!;
      const isSpatial = shape.length === 4 && shape[2]! * shape[3]! > 1;
      return isSpatial && b.isOutside(name) ? groupOf(b, name) : [];
    }),
  );
}

/** The part of a name up to where it differs from the network's prefix: `model.decoder` for the prefix `model.encoder.`. */
function groupOf(b: NetBuilder, name: string): string {
  if (!b.isOutside(name)) return '';
  const parts = name.split('.');
  const way = b.prefix.split('.');
  let shared = 0;
  while (shared < way.length && parts[shared] === way[shared]) shared++;
  return parts.slice(0, shared + 1).join('.');
}

export function withoutProjections(layers: readonly HeadLayer[]): HeadLayer[] {
  const projections = layers.filter(({ layer }) => PROJECTION.test(layer));
  const modules = new Set(projections.map(({ layer }) => parentOf(layer)));
  return layers.filter(({ layer }) => {
    const around = pathsOf(parentOf(layer));
    return around.length > 0
      ? !around.some((module) => modules.has(module))
      : !PROJECTION.test(layer);
  });
}

/** The classifier, if its name is one of a projection, or if it comes after a projection. */
export function projectionChain(
  b: NetBuilder,
  layers: readonly HeadLayer[],
  C: number,
): readonly HeadLayer[] | undefined {
  const chain = chainOf(b, layers, C);
  const last = chain?.at(-1);
  if (!chain || !last || last.isNorm || !b.has(`${last.layer}.bias`)) return undefined;
  const isOne = PROJECTION.test(last.layer)
    ? chain.length === 1 && EITHER.test(last.layer)
    : chain.every(({ layer }) => parentOf(layer) === parentOf(last.layer));
  return isOne ? chain : undefined;
}

/** In the order of the file; layers with numbers in the order of these: fc2 before fc10. */
function inOrder(layers: readonly HeadLayer[]): HeadLayer[] {
  const stem = ({ layer }: HeadLayer) => layer.slice(0, layer.length - numberOf(layer).length);
  const place = ({ layer }: HeadLayer) => Number(numberOf(layer));
  return groupedBy(layers, stem).flatMap((group) => group.sort((a, c) => place(a) - place(c)));
}

/** The items grouped by key, in the order in which the keys first occur. */
export function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}

/**
 * A chain of layers from features of C channels, in which each layer fits the output of the one before. A file
 * sorted by names may have a later layer before an earlier one, so layers that were skipped are tried again.
 *
 * @returns undefined if no matrix fits
 */
export function chainOf(
  b: NetBuilder,
  layers: readonly HeadLayer[],
  C: number,
): readonly HeadLayer[] | undefined {
  if (layers.length > MOST_CANDIDATES) {
    throw b.fail(
      `${layers.length} matrices and norms are left over, among at most ${MOST_CANDIDATES} the classifier is looked for`,
    );
  }
  const left = new Map(layers.map((layer, i) => [layer, i]));
  const before = previousOf(layers);
  const chain: HeadLayer[] = [];
  for (;;) {
    const last = chain.at(-1);
    const width = last?.outputs;
    const next = nextOf(
      b,
      [...left.keys()].filter((layer) => {
        const previous = before.get(layer);
        const mayFollow = previous === undefined || previous === last;
        return mayFollow && (width === undefined ? isPooling(layer, C) : layer.inputs === width);
      }),
      { layers, left, last },
    );
    if (!next) break;
    if (chain.length === MOST_LAYERS)
      throw b.fail(`a classifier of more than ${MOST_LAYERS} layers`);
    chain.push(next);
    // The search continues after it in the file.
    const place = left.get(next)!;
    left.delete(next);
    for (const [layer, i] of left) if (i < place) left.set(layer, i + layers.length);
  }
  // Norms alone are no classifier.
  return chain.some(({ isNorm }) => !isNorm) ? chain : undefined;
}

/** For each layer of a Sequential, the layer before it: a Sequential begins with its first layer. */
function previousOf(layers: readonly HeadLayer[]): Map<HeadLayer, HeadLayer> {
  const previous = new Map<HeadLayer, HeadLayer>();
  const latest = new Map<string, HeadLayer>();
  for (const layer of layers) {
    const { parent, place } = placeOf(layer.layer);
    if (place < 0) continue;
    const other = latest.get(parent);
    if (other) previous.set(layer, other);
    latest.set(parent, layer);
  }
  return previous;
}

interface Step {
  readonly layers: readonly HeadLayer[];
  /** Layers that are not in the chain yet, and the position of each, counted from the last layer taken. */
  readonly left: ReadonlyMap<HeadLayer, number>;
  readonly last: HeadLayer | undefined;
}

/** Which of the layers that fit comes next. */
function nextOf(b: NetBuilder, fitting: readonly HeadLayer[], step: Step): HeadLayer | undefined {
  const { left, last } = step;
  const inSequence = fitting.find(({ layer }) => last && isBehind(last.layer, layer));
  if (inSequence) return inSequence;
  const isFree = ({ isNorm, layer }: HeadLayer): boolean => isNorm && placeOf(layer).place < 0;
  const norms = last?.isNorm ? [] : fitting.filter((norm) => isFree(norm) && isNext(b, norm, step));
  const others = fitting.filter((layer) => !isFree(layer));
  const hasMatrix = others.some(({ isNorm, isKernel }) => !isNorm && !isKernel);
  const matrices = hasMatrix ? others.filter(({ isKernel }) => !isKernel) : others;
  const candidates = norms.length > 0 ? norms : matrices;
  return candidates.reduce<HeadLayer | undefined>(
    (first, layer) => (first && left.get(first)! < left.get(layer)! ? first : layer),
    undefined,
  );
}

/**
 * Whether a norm with a name comes after `last`, or first of all. If it fits in several places, its number
 * decides (fc1 and bn1 belong together), else the order of the file.
 *
 * @throws {FormatError} if neither decides
 */
function isNext(b: NetBuilder, norm: HeadLayer, { layers, left, last }: Step): boolean {
  const parent = parentOf(norm.layer);
  if (last && parentOf(last.layer) !== parent) return false;
  const matrices = [...left.keys()].filter(
    ({ layer, isNorm }) => !isNorm && parentOf(layer) === parent,
  );
  const takers = matrices.filter(({ inputs }) => inputs === norm.inputs);
  if (!last && matrices.length > 0 && takers.length === 0) return false;
  // It could also come after one of these, if another layer continues from there.
  const rivals = matrices.filter(
    (rival) => rival.outputs === norm.inputs && takers.some((taker) => taker !== rival),
  );
  if (rivals.length === 0) return true;
  const number = numberOf(norm.layer);
  if (number !== '' && last && numberOf(last.layer) === number) return true;
  if (number !== '' && rivals.some(({ layer }) => numberOf(layer) === number)) return false;
  const names = layers.map(({ layer }) => layer);
  const isSorted = names.every((name, i) => i === 0 || names[i - 1]! < name);
  if (isSorted && names.length > 2) {
    throw b.fail(
      `where in the classifier the norm ${norm.layer} stands is not told by names and sizes`,
    );
  }
  const place = names.indexOf(norm.layer);
  return rivals.every(({ layer }) => names.indexOf(layer) > place);
}

export function parentOf(layer: string): string {
  return layer.slice(0, Math.max(layer.lastIndexOf('.'), 0));
}

/** A name and the names of the modules that contain it, from the inside out: `a.b.c`, `a.b`, `a`. */
export function pathsOf(name: string): string[] {
  const paths: string[] = [];
  for (let path = name; path !== ''; path = parentOf(path)) paths.push(path);
  return paths;
}

/** The digits at the end of a name. */
function numberOf(layer: string): string {
  let at = layer.length;
  while (/\d/.test(layer.charAt(at - 1))) at--;
  return layer.slice(at);
}

/** Whether a layer takes each channel once, twice, or for each part of a square map. */
function isPooling({ inputs, isNorm }: HeadLayer, C: number): boolean {
  const parts = inputs / C;
  return parts === 1 || parts === 2 || (!isNorm && parts > 1 && Number.isInteger(Math.sqrt(parts)));
}

/** Whether `layer` comes after `before` in the same Sequential. */
export function isBehind(before: string, layer: string): boolean {
  const [from, to] = [placeOf(before), placeOf(layer)];
  return from.place >= 0 && to.place > from.place && from.parent === to.parent;
}

/** The module that contains a layer, and the layer's number in it. */
export function placeOf(layer: string): { parent: string; place: number } {
  const [, parent = '', place = '-1'] = /^(?:(.*)\.)?(\d+)$/.exec(layer) ?? [];
  return { parent, place: Number(place) };
}

/** The prefix of the names of a module's parts. */
export function wayTo(module: string): string {
  return module === '' ? '' : `${module}.`;
}
