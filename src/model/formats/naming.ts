/**
 * Weights under other names than torchvision's, presented under those. A family has its own (../nets/).
 *
 * Wrappers put words before the names: `module.` (DataParallel), `_orig_mod.` (compile), `backbone.`,
 * `encoder_q.`. Whatever stands before the key that gives a naming away is taken off. Keys without it are
 * *outside*: a classifier beside a backbone, a loss, a second network.
 */

import { FormatError } from '../../errors.js';
import { architectureOf, metadataObject } from './metadata.js';
import { gather, keepLatest, rowMajorStrides, type Strided } from './strides.js';
import {
  scaledName,
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
} from './tensor-source.js';

/** Values by the keys of the metadata. */
export type Implied = Readonly<Record<string, object>>;

export interface Naming {
  /** The key that gives it away, without what a wrapper puts before it. */
  readonly first: RegExp;
  /** What it is that cannot be computed: such weights are refused by it. */
  readonly refused?: string;
  /**
   * torchvision's name of a tensor; the tensor's own where torchvision has none. Default: all as they are.
   *
   * @param key without the prefix
   * @param first the match of the key that gave the naming away
   */
  torchvisionName?(key: string, isOutside: boolean, first: RegExpExecArray): string;
  /** By rank: which of the file's dimensions is torchvision's dimension d. Default: all as they are. */
  readonly axes?: Readonly<Record<number, readonly number[]>>;
  /** What the metadata says unless the file does. */
  readonly implied?: Implied | ((prefix: string, first: RegExpExecArray) => Implied);
}

/** Weights in torchvision's naming. */
export interface NamedWeights<T extends TensorShape> {
  /** With the metadata that the naming implies. */
  readonly source: TensorSource<T>;
  /** What the file puts before the network's names. */
  readonly prefix: string;
  /** The names of the tensors that do not have the prefix. */
  readonly outside: ReadonlySet<string>;
}

/** Networks in one file, at most, among which the largest is looked for. */
const MOST_PREFIXES = 64;

/**
 * What wrappers of single modules put into the middle of names: FSDP, checkpointing, compile; and the
 * DataParallel that PyTorch's ImageNet example puts around the features of a VGG or an AlexNet.
 */
const INFIXES =
  /(?<![^.])(?:_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod|(?<=(?<![^.])features\.)module)\./g;

/** A naming that a file has, with what stands before its keys. */
interface Found {
  readonly naming: Naming;
  readonly prefix: string;
  readonly first: RegExpExecArray;
  /** What stands before the keys of other networks that have this prefix, too. */
  readonly others: readonly string[];
}

/**
 * The weights in torchvision's naming, if theirs is the given one; of several networks in a file the one of
 * most tensors, the first of equals.
 *
 * @throws {FormatError} for weights that the naming refuses, and for tensors that torchvision calls by
 * the same name
 */
export function inTorchvisionNames<T extends TensorShape>(
  source: TensorSource<T>,
  naming: Naming,
): NamedWeights<T> | undefined {
  const keys = [...source.tensors.keys()].map(bareKey);
  const found = new Map<string, Found>();
  for (const key of keys) {
    const first = naming.first.exec(key);
    if (!first || found.size >= MOST_PREFIXES) continue;
    const prefix = key.slice(0, first.index);
    // Blocks may be numbered: the first of them counts.
    const isEarlier = Number(first[1]) < Number(found.get(prefix)?.first[1]);
    if (!found.has(prefix) || isEarlier) found.set(prefix, { naming, prefix, first, others: [] });
  }
  let best: Found | undefined;
  let most = 0;
  for (const one of found.values()) {
    const count = keys.filter((key) => key.startsWith(one.prefix)).length;
    if (count > most) [best, most] = [one, count];
  }
  if (!best) return undefined;
  if (naming.refused === undefined) {
    const { prefix } = best;
    const others = [...found.keys()].filter((key) => key !== prefix && key.startsWith(prefix));
    return renamed(source, { ...best, others });
  }
  throw new FormatError(
    `${source.name}: tensor ${best.first.input} is that of ${naming.refused}: not supported`,
  );
}

interface Renamed {
  readonly key: string;
  /** Where the file has the dimensions in another order. */
  readonly transposed?: Strided;
}

function renamed<T extends TensorShape>(source: TensorSource<T>, found: Found): NamedWeights<T> {
  const { naming, prefix } = found;
  const tensors = new Map<string, T & Renamed>();
  const outside = new Set<string>();
  const nameOf = (key: string): string => ownName(found, key);
  const isOutside = (key: string): boolean => isOutsideOf(found, bareKey(key));
  // What is outside takes no name away.
  const keys = [...source.tensors.keys()];
  for (const key of [...keys.filter((k) => !isOutside(k)), ...keys.filter(isOutside)]) {
    const info = source.tensors.get(key)!;
    // Scales go by the name of what they scale.
    const scaled = scaledName(key);
    const isScale = scaled !== undefined && source.tensors.has(scaled);
    let name = isScale ? scaleName(nameOf(scaled)) : nameOf(key);
    const other = tensors.get(name);
    if (other && !isOutside(key)) {
      throw new FormatError(
        `${source.name}: tensors ${other.key} and ${key} are both ${name} in torchvision's naming`,
      );
    }
    if (isOutside(key)) {
      if (other) name = `/${key}`;
      outside.add(name);
    }
    const axes = naming.axes?.[info.shape.length];
    const strided = axes && transpose(info.shape, axes);
    const order = strided && { shape: strided.shape, transposed: strided };
    tensors.set(name, { ...info, key, ...order });
  }
  return { source: overTensors(source, tensors, metadataOf(source, found)), prefix, outside };
}

function bareKey(key: string): string {
  return key.replace(INFIXES, '');
}

function isOutsideOf({ prefix, others }: Found, bare: string): boolean {
  return !bare.startsWith(prefix) || others.some((other) => bare.startsWith(other));
}

function ownName(found: Found, key: string): string {
  const { naming, prefix, first } = found;
  const all = bareKey(key);
  const isOutside = isOutsideOf(found, all);
  const bare = isOutside ? all : all.slice(prefix.length);
  return naming.torchvisionName?.(bare, isOutside, first) ?? bare;
}

/** The source, its tensors under other names. */
function overTensors<T extends TensorShape>(
  source: TensorSource<T>,
  tensors: ReadonlyMap<string, T & Renamed>,
  metadata: ReadonlyMap<string, string>,
): TensorSource<T> {
  // A window of a transposed tensor lies all over the file's.
  const decode = keepLatest((key) => {
    const x = new Float32Array(sizeOf(source.tensors.get(key)!.shape));
    source.readInto(x, key, 0);
    return x;
  });
  return {
    ...source,
    metadata,
    tensors,
    readInto(out, tensor, begin) {
      const found = tensors.get(tensor);
      if (!found) throw new FormatError(`${source.name}: tensor ${tensor} is missing`);
      const { key, transposed: strided } = found;
      if (!strided) return source.readInto(out, key, begin);
      if (begin + out.length > sizeOf(strided.shape)) {
        throw new FormatError(
          `${source.name}: tensor ${key} [${strided.shape}] has no elements ${begin}…${begin + out.length}`,
        );
      }
      gather(out, decode(key), strided, begin);
    },
  };
}

function transpose(shape: readonly number[], axes: readonly number[]): Strided {
  const strides = rowMajorStrides(shape);
  return {
    shape: axes.map((axis) => shape[axis]!),
    strides: axes.map((axis) => strides[axis]!),
    offset: 0,
  };
}

/** The source's own, what the naming implies behind it, layers by torchvision's names. */
function metadataOf(source: TensorSource, found: Found): ReadonlyMap<string, string> {
  const metadata = new Map(source.metadata);
  const { implied = {} } = found.naming;
  const all = typeof implied === 'function' ? implied(found.prefix, found.first) : implied;
  for (const [key, values] of Object.entries(all)) {
    const own = key === 'architecture' ? architectureOf(source) : metadataObject(source, key);
    metadata.set(key, JSON.stringify({ ...values, ...own }));
  }
  const layers = metadataObject(source, 'layers');
  if (layers) {
    const weight = '.weight';
    const named = Object.entries(layers).map(([layer, facts]) => [
      ownName(found, layer + weight).slice(0, -weight.length),
      facts,
    ]);
    metadata.set('layers', JSON.stringify(Object.fromEntries(named)));
  }
  return metadata;
}
