/**
 * Translates other names of weights to torchvision's. Each family has its own namings (../nets/).
 *
 * Wrappers put words before the names: `module.` (DataParallel), `_orig_mod.` (compile), `backbone.`,
 * `encoder_q.`. A naming is recognized by one key, and everything before this key is a prefix that is removed.
 * Keys without the prefix are *outside*: a classifier beside a backbone, a loss, a second network.
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
  /** The key by which the naming is recognized, without the prefix of a wrapper. */
  readonly first: RegExp;
  /** Set if such weights cannot be computed: the name of the network, for the error. */
  readonly refused?: string;
  /**
   * torchvision's name of a tensor, or the tensor's own name if torchvision has none. Default: names stay.
   *
   * @param key without the prefix
   * @param first the match of the key by which the naming was recognized
   */
  torchvisionName?(key: string, isOutside: boolean, first: RegExpExecArray): string;
  /** For each rank: which of the file's dimensions is torchvision's dimension d. Default: dimensions stay. */
  readonly axes?: Readonly<Record<number, readonly number[]>>;
  /** Metadata that the naming implies; the file's own metadata takes precedence. */
  readonly implied?: Implied | ((prefix: string, first: RegExpExecArray) => Implied);
}

/** Weights in torchvision's naming. */
export interface NamedWeights<T extends TensorShape> {
  /** The weights, with the metadata that the naming implies. */
  readonly source: TensorSource<T>;
  /** The prefix of the network's names in the file. */
  readonly prefix: string;
  /** The names of the tensors that do not have the prefix. */
  readonly outside: ReadonlySet<string>;
}

/** The most networks in one file; the largest of them is used. */
const MOST_PREFIXES = 64;

/**
 * Words that wrappers of single modules put into the middle of names: FSDP, checkpointing, compile; and
 * DataParallel, which PyTorch's ImageNet example puts around the features of a VGG or an AlexNet.
 */
const INFIXES =
  /(?<![^.])(?:_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod|(?<=(?<![^.])features\.)module)\./g;

/** A naming that was found in a file, with the prefix of its keys. */
interface Found {
  readonly naming: Naming;
  readonly prefix: string;
  readonly first: RegExpExecArray;
  /** Longer prefixes, of other networks whose keys begin with this prefix, too. */
  readonly others: readonly string[];
}

/**
 * The weights in torchvision's naming, if they have the given naming. If a file has several networks, it takes
 * the one with the most tensors; the first of equals.
 *
 * @throws {FormatError} for weights that the naming refuses, and if two tensors get the same name
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
    // Blocks may be numbered: the first block counts.
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
  /** Set if the file has the dimensions in another order. */
  readonly transposed?: Strided;
}

function renamed<T extends TensorShape>(source: TensorSource<T>, found: Found): NamedWeights<T> {
  const { naming, prefix } = found;
  const tensors = new Map<string, T & Renamed>();
  const outside = new Set<string>();
  const nameOf = (key: string): string => ownName(found, key);
  const isOutside = (key: string): boolean => isOutsideOf(found, bareKey(key));
  // Keys outside come last, so they take no name away from the network's.
  const keys = [...source.tensors.keys()];
  for (const key of [...keys.filter((k) => !isOutside(k)), ...keys.filter(isOutside)]) {
    const info = source.tensors.get(key)!;
    // Scales are named after the tensor that they scale.
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

/** The source with its tensors under other names. */
function overTensors<T extends TensorShape>(
  source: TensorSource<T>,
  tensors: ReadonlyMap<string, T & Renamed>,
  metadata: ReadonlyMap<string, string>,
): TensorSource<T> {
  // A part of a transposed tensor is spread over the whole tensor of the file.
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

/** The source's own metadata, then what the naming implies; `layers` with torchvision's names. */
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
