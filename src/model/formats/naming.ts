/** Weights under other names than torchvision's, presented under those. A family has its own (../nets/). */

import { FormatError } from '../../errors.js';
import { metadataObject } from './metadata.js';
import { gather, keepLatest, rowMajorStrides, type Strided } from './strides.js';
import {
  scaledName,
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
} from './tensor-source.js';

export interface Naming {
  /** Keys that give it away. */
  readonly recognises: RegExp;
  /** What it is that cannot be computed: such weights are refused by it. */
  readonly refused?: string;
  /** torchvision's name of a tensor; the tensor's own where torchvision has none. Default: all as they are. */
  torchvisionName?(key: string): string;
  /** By rank: which of the file's dimensions is torchvision's dimension d. Default: all as they are. */
  readonly axes?: Readonly<Record<number, readonly number[]>>;
  /** What the metadata says unless the file does. */
  readonly implied?: Readonly<Record<string, object>>;
}

/** What `DataParallel` puts before every key. */
const PREFIX = 'module.';

/**
 * The weights in torchvision's naming, and the metadata that theirs implies. A source in torchvision's
 * naming, or in none of `namings`, is returned as it is.
 *
 * @throws {FormatError} naming the tensor, for a naming that is refused, and for two tensors that would have
 * the same name
 */
export function asTorchvision<T extends TensorShape>(
  source: TensorSource<T>,
  namings: readonly Naming[],
): TensorSource<T> {
  const bare = [...source.tensors.keys()].every((key) => key.startsWith(PREFIX))
    ? renamed(source, { recognises: /^/, torchvisionName: (key) => key.slice(PREFIX.length) })
    : source;
  const keys = [...bare.tensors.keys()];
  for (const naming of namings) {
    const key = keys.find((name) => naming.recognises.test(name));
    if (key === undefined) continue;
    if (naming.refused === undefined) return renamed(bare, naming);
    throw new FormatError(
      `${source.name}: tensor ${key} is that of ${naming.refused}: not supported`,
    );
  }
  return bare;
}

interface Renamed {
  readonly key: string;
  /** Where the file has the dimensions in another order. */
  readonly transposed?: Strided;
}

function renamed<T extends TensorShape>(source: TensorSource<T>, naming: Naming): TensorSource<T> {
  const tensors = new Map<string, T & Renamed>();
  for (const [key, info] of source.tensors) {
    // Scales go by the name of what they scale.
    const scaled = scaledName(key);
    const nameOf = naming.torchvisionName ?? ((own: string) => own);
    const name =
      scaled !== undefined && source.tensors.has(scaled) ? scaleName(nameOf(scaled)) : nameOf(key);
    const other = tensors.get(name);
    if (other) {
      throw new FormatError(
        `${source.name}: tensors ${other.key} and ${key} are both ${name} in torchvision's naming`,
      );
    }
    const axes = naming.axes?.[info.shape.length];
    const strided = axes && transpose(info.shape, axes);
    const order = strided && { shape: strided.shape, transposed: strided };
    tensors.set(name, { ...info, key, ...order });
  }
  // A window of a transposed tensor lies all over the file's.
  const decode = keepLatest((key) => {
    const x = new Float32Array(sizeOf(source.tensors.get(key)!.shape));
    source.readInto(x, key, 0);
    return x;
  });
  return {
    name: source.name,
    metadata: withImplied(source, naming.implied ?? {}),
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

function withImplied(
  source: TensorSource,
  implied: Readonly<Record<string, object>>,
): ReadonlyMap<string, string> {
  const metadata = new Map(source.metadata);
  for (const [key, values] of Object.entries(implied)) {
    metadata.set(key, JSON.stringify({ ...values, ...metadataObject(source, key) }));
  }
  return metadata;
}
