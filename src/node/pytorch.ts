/**
 * PyTorch checkpoints as `torch.save` has written them since 1.6: an archive (zip) of
 *
 *   <root>/data.pkl       a pickle: the state dict, its tensors as (storage, offset, size, stride)
 *   <root>/data/<key>     a storage: the elements of one or more tensors, without a header
 *   <root>/byteorder      `little`, where it is there
 *
 * The archive comes as entries by name: taking zips apart needs an inflater, and is for whoever has files
 * (src/node/checkpoint-zip.ts). The pickle is read by pickle.ts, which runs nothing of it; the names that
 * stand for something are those in `GLOBALS` and `STORAGES`, all others are refused. A tensor must lie in
 * its storage, and a storage must be as long as it is said to be, before a byte of either is read.
 *
 * Source: torch/serialization.py (`_save`), torch/_utils.py (`_rebuild_tensor_v2`).
 */

import { FormatError, inFile } from '../errors.js';
import { checkWeights, DTYPE_BYTES, decodeFloats } from '../model/formats/dtype.js';
import { gather, isRowMajor, keepLatest, type Strided } from '../model/formats/strides.js';
import { sizeOf, type TensorShape, type TensorSource } from '../model/formats/tensor-source.js';
import {
  type Builder,
  checkPickleLength,
  type PickleObject,
  type PickleValue,
  readPickle,
} from './pickle.js';

/** The entries of a zip, whatever takes it apart. */
export interface CheckpointArchive {
  /** What messages call the file. */
  readonly name: string;
  /** Name → length in bytes, unpacked. */
  readonly entries: ReadonlyMap<string, number>;
  /** Bytes `begin` … `end` of an entry, which lie in it. @throws {FormatError} for a damaged entry */
  read(entry: string, begin: number, end: number): Uint8Array;
}

/** The dtype of each class of storages. */
const STORAGES: Readonly<Record<string, string>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const ORDERED_DICT = 'collections.OrderedDict';
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const GLOBALS: readonly string[] = [ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER];

/** Where training scripts put the state dict beside what else they save. */
const NESTED: readonly string[] = ['state_dict', 'model_state_dict', 'model'];
const MAX_NESTING = 4;

/** As many as PyTorch has. */
const MAX_DIMENSIONS = 64;

/**
 * Tensors may share storages, but not so that a small file claims a large network: all of them have at
 * most this many times the elements of all storages.
 */
const MAX_SHARING = 4;

interface StorageType extends PickleObject {
  readonly kind: 'storage type';
  readonly dtype: string;
}

interface Storage extends PickleObject {
  readonly kind: 'storage';
  readonly entry: string;
  readonly dtype: string;
  readonly length: number;
}

interface Tensor extends PickleObject, Strided {
  readonly kind: 'tensor';
  readonly storage: Storage;
}

interface Callable extends PickleObject {
  readonly kind: 'callable';
  readonly name: string;
}

/**
 * Reads the state dict of a checkpoint; of `{ 'state_dict': … }` and its like the inner one.
 *
 * @throws {FormatError} naming the entry, the byte of the pickle or the tensor, for an archive that is no
 * checkpoint, for a pickle that asks for more than tensors in dicts, and for a tensor outside its storage
 */
export function parseCheckpoint(archive: CheckpointArchive): TensorSource {
  const { name } = archive;
  const root = rootOf(archive);
  const pickle = `${root}data.pkl`;
  const length = archive.entries.get(pickle)!;
  inFile(name, () => checkPickleLength(length));
  const bytes = archive.read(pickle, 0, length);
  const builder = new TensorBuilder(archive, root);
  const tensors = inFile(name, () => stateDict(readPickle(bytes, builder)));
  const infos = new Map<string, TensorShape>();
  for (const [key, { storage, shape }] of tensors) infos.set(key, { dtype: storage.dtype, shape });

  const find = (tensor: string): Tensor => {
    const found = tensors.get(tensor);
    if (!found) throw new FormatError(`${name}: tensor ${tensor} is missing`);
    return found;
  };
  const decode = (out: Float32Array, { entry, dtype }: Storage, begin: number): void => {
    const size = DTYPE_BYTES[dtype]!;
    decodeFloats(out, archive.read(entry, size * begin, size * (begin + out.length)), dtype);
  };
  // What lies between a tensor's first and last element: a window may need any of it.
  const span = keepLatest((tensor: string) => {
    const strided = find(tensor);
    const x = new Float32Array(endOf(strided) - strided.offset);
    decode(x, strided.storage, strided.offset);
    return x;
  });
  return {
    name,
    metadata: new Map(),
    tensors: infos,
    readInto(out, tensor, begin) {
      const strided = find(tensor);
      const { shape, strides, offset, storage } = strided;
      inFile(name, () => checkWeights(tensor, storage.dtype));
      if (begin + out.length > sizeOf(shape)) {
        throw new FormatError(
          `${name}: tensor ${tensor} [${shape}] has no elements ${begin}…${begin + out.length}`,
        );
      }
      if (isRowMajor(strided)) decode(out, storage, offset + begin);
      else gather(out, span(tensor), { shape, strides, offset: 0 }, begin);
    },
  };
}

/** The folder of the archive that holds `data.pkl`, with its slash. */
function rootOf({ name, entries, read }: CheckpointArchive): string {
  const pickles = [...entries.keys()].filter((entry) => /^(?:[^/]+\/)?data\.pkl$/.test(entry));
  if (pickles.length !== 1) {
    throw new FormatError(
      `${name}: a zip archive, but no PyTorch checkpoint: ${pickles.length} entries data.pkl`,
    );
  }
  const root = pickles[0]!.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`)) {
    throw new FormatError(
      `${name}: a TorchScript program; save its weights: torch.save(model.state_dict(), …)`,
    );
  }
  const order = `${root}byteorder`;
  const length = entries.get(order);
  if (length !== undefined) {
    const text = String.fromCharCode(...read(order, 0, Math.min(length, 16)));
    if (text.trim() !== 'little') {
      throw new FormatError(`${name}: entry ${order} says ${text}, expected little`);
    }
  }
  return root;
}

/** The globals of a state dict. */
class TensorBuilder implements Builder {
  readonly #archive: CheckpointArchive;
  readonly #root: string;

  constructor(archive: CheckpointArchive, root: string) {
    this.#archive = archive;
    this.#root = root;
  }

  global(module: string, name: string): PickleObject {
    const full = `${module}.${name}`;
    if (GLOBALS.includes(full)) return { kind: 'callable', name: full } as Callable;
    if (module === 'torch' && Object.hasOwn(STORAGES, name)) {
      return { kind: 'storage type', dtype: STORAGES[name]! } as StorageType;
    }
    throw new FormatError(
      `global ${full} is refused, only tensors are read: save them alone, torch.save(model.state_dict(), …)`,
    );
  }

  call(callable: PickleValue, args: readonly PickleValue[]): PickleValue {
    const name = isKind<Callable>(callable, 'callable') ? callable.name : undefined;
    if (name === ORDERED_DICT && args.length === 0) return new Map();
    if (name === REBUILD_TENSOR) return rebuildTensor(args);
    if (name === REBUILD_PARAMETER && isKind<Tensor>(args[0], 'tensor')) return args[0];
    throw new FormatError(`a call of ${name ?? 'what cannot be called'} with other arguments`);
  }

  /** ('storage', type, key, device, elements) */
  persistent(id: PickleValue): Storage {
    const [tag, type, key, , length] = Array.isArray(id) ? id : [];
    const typed = isKind<StorageType>(type, 'storage type');
    if (tag !== 'storage' || !typed || typeof key !== 'string' || !isSize(length)) {
      throw new FormatError('a persistent id that is no storage');
    }
    const entry = `${this.#root}data/${key}`;
    const bytes = this.#archive.entries.get(entry);
    if (bytes === undefined) throw new FormatError(`entry ${entry} is missing`);
    const { dtype } = type;
    const expected = length * DTYPE_BYTES[dtype]!;
    if (bytes !== expected) {
      throw new FormatError(
        `entry ${entry} expected ${expected} bytes for ${length} of ${dtype}, got ${bytes}`,
      );
    }
    return { kind: 'storage', entry, dtype, length };
  }
}

/** (storage, offset, size, stride, requires_grad, hooks) */
function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): Tensor {
  if (
    !isKind<Storage>(storage, 'storage') ||
    !isSize(offset) ||
    !isSizes(shape) ||
    !isSizes(strides) ||
    shape.length !== strides.length ||
    shape.length > MAX_DIMENSIONS
  ) {
    throw new FormatError('a tensor without a storage, or without offset, size and stride in it');
  }
  const tensor: Tensor = {
    kind: 'tensor',
    storage,
    // Copies: what else the pickle does with its tuples is no concern of the tensor's.
    shape: [...shape],
    strides: [...strides],
    offset,
  };
  // More elements than the storage has would repeat some: a few bytes could claim any size.
  if (endOf(tensor) > storage.length || sizeOf(shape) > storage.length) {
    throw new FormatError(
      `a tensor [${shape}] with strides [${strides}] at ${offset} leaves entry ${storage.entry} of ${storage.length} elements`,
    );
  }
  return tensor;
}

/** One more than the index of the last element in the storage. */
function endOf({ shape, strides, offset }: Strided): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((last, size, d) => last + (size - 1) * strides[d]!, offset) + 1;
}

/** The tensors of the innermost dict that is a state dict. */
function stateDict(value: PickleValue): Map<string, Tensor> {
  let dict = value;
  for (let depth = 0; depth < MAX_NESTING && dict instanceof Map; depth++) {
    const outer: Map<PickleValue, PickleValue> = dict;
    const key = NESTED.find((k) => outer.get(k) instanceof Map);
    if (key === undefined) break;
    dict = outer.get(key)!;
  }
  const tensors = new Map<string, Tensor>();
  for (const [key, entry] of dict instanceof Map ? dict : []) {
    if (typeof key === 'string' && isKind<Tensor>(entry, 'tensor')) tensors.set(key, entry);
  }
  if (tensors.size === 0) {
    throw new FormatError('no state dict: save one, torch.save(model.state_dict(), …)');
  }
  refuseSharing(tensors);
  return tensors;
}

function refuseSharing(tensors: ReadonlyMap<string, Tensor>): void {
  const storages = new Map<string, number>();
  let claimed = 0;
  for (const { storage, shape } of tensors.values()) {
    storages.set(storage.entry, storage.length);
    claimed += sizeOf(shape);
  }
  const held = [...storages.values()].reduce((sum, length) => sum + length, 0);
  if (claimed > MAX_SHARING * held) {
    throw new FormatError(
      `tensors of ${claimed} elements share storages of ${held}: at most ${MAX_SHARING} times as many are read`,
    );
  }
}

function isKind<T extends PickleObject>(
  value: PickleValue | undefined,
  kind: T['kind'],
): value is T & PickleValue {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
