/**
 * The calls with which a pickle makes tensors: each is (storage, offset, size, stride), with the elements in
 * the storage. All other calls stay inert.
 *
 * Source: torch/_utils.py (`_rebuild_tensor` and its kin), torch/_tensor.py (`_rebuild_from_type_v2`).
 */

import { FormatError } from '../../errors.js';
import type { Strided } from '../../model/formats/strides.js';
import { dtypeOf, type ElementType, storageType } from './element-types.js';
import type { Builder } from './pickle.js';
import {
  fullName,
  type Inert,
  inert,
  isInert,
  isKind,
  type PickleMap,
  type PickleObject,
  type PickleValue,
} from './values.js';

/** The bytes of a storage, in any place; one object for all storages that share them. */
export interface StorageBytes {
  /** Its name in messages. */
  readonly name: string;
  readonly length: number;
  read(begin: number, end: number): Uint8Array;
}

export interface Storage extends PickleObject {
  readonly kind: 'storage';
  readonly bytes: StorageBytes;
  readonly type: ElementType;
  /** Where it begins in `bytes`, in elements; not 0 for a view of another storage. */
  readonly begin: number;
  /** Number of elements. */
  readonly length: number;
}

export interface Tensor extends PickleObject, Strided {
  readonly kind: 'tensor';
  readonly storage: Storage;
}

/** PyTorch's own limit. */
const MAX_DIMENSIONS = 64;

export const isTensor = (value: PickleValue | undefined): value is Tensor & PickleValue =>
  isKind<Tensor>(value, 'tensor');

/** A builder of tensors. @param persistent what a persistent id stands for */
export function tensorBuilder(persistent: Builder['persistent']): Builder {
  return { persistent, call };
}

const call: Builder['call'] = (callable, args, spend) => {
  // Only globals: an object that was made from one is not a global.
  if (callable.args) return undefined;
  const name = fullName(callable);
  const [first] = args;
  switch (name) {
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return rebuildTensor(args);
    case 'torch._utils._rebuild_tensor_v3':
      return rebuildTensor([retyped(first, args[6]), ...args.slice(1, 4)]);
    case 'torch._tensor._rebuild_from_type':
    case 'torch._tensor._rebuild_from_type_v2':
      return rebuildFromType(args, spend);
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
    case 'torch.nn.parameter.Parameter':
    case 'torch.nn.parameter.Buffer':
    case 'torch.autograd.variable.Variable':
      return isTensor(first) ? first : undefined;
    case 'torch._utils._rebuild_qtensor':
      return refuseQuantized();
    case 'collections.OrderedDict':
      return args.length === 0 ? new Map() : mapOf(first, spend);
    case 'builtins.dict':
    case '__builtin__.dict':
      return args.length === 0 ? new Map() : undefined;
    case 'copyreg._reconstructor':
    case 'copy_reg._reconstructor':
      return reconstructed(args);
    case 'copyreg.__newobj__':
    case 'copy_reg.__newobj__':
      spend(args.length);
      return isInert(first) ? inert(first.module, first.name, args.slice(1)) : undefined;
    default:
      if (callable.module.startsWith('__torch__.torch.classes.quantized')) refuseQuantized();
      return undefined;
  }
};

function refuseQuantized(): never {
  throw new FormatError(
    'quantised by PyTorch; save the state dict of the float model: torch.save(model.state_dict(), …)',
  );
}

/** (storage, offset, size, stride, …) */
export function rebuildTensor(args: readonly (PickleValue | undefined)[]): Tensor {
  const [storage, offset] = args;
  const shape = sizesOf(args[2]);
  const strides = sizesOf(args[3]);
  if (
    !isKind<Storage>(storage, 'storage') ||
    !isSize(offset) ||
    !shape ||
    shape.length !== strides?.length
  ) {
    throw new FormatError('a tensor without a storage, or without offset, size and stride in it');
  }
  // Copies: the pickle may still change its tuples.
  const tensor: Tensor = {
    kind: 'tensor',
    storage,
    shape: [...shape],
    strides: [...strides],
    offset,
  };
  if (endOf(tensor) > storage.length) {
    throw new FormatError(
      `a tensor [${shape}] with strides [${strides}] at ${offset} reaches outside ${storage.bytes.name} of ${storage.length} elements`,
    );
  }
  return tensor;
}

/** One more than the index of the last element in the storage. */
export function endOf({ shape, strides, offset }: Strided): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((last, size, d) => last + (size - 1) * strides[d]!, offset) + 1;
}

/** A storage of bytes, seen as one of another type. */
function retyped(
  storage: PickleValue | undefined,
  dtype: PickleValue | undefined,
): Storage | undefined {
  const type = isInert(dtype) ? dtypeOf(dtype.module, dtype.name) : undefined;
  if (!type) throw new FormatError('a tensor of a dtype that is not known');
  if (!isKind<Storage>(storage, 'storage')) return undefined;
  const { bytes, begin } = storage;
  const length = Math.floor((storage.length * storage.type.bytes) / type.bytes);
  return { kind: 'storage', bytes, type, begin, length };
}

/** (function, class, its arguments, state): a tensor of its own class. */
function rebuildFromType(
  [callable, , args]: readonly PickleValue[],
  spend: (values: number) => void,
): PickleValue | undefined {
  if (!isInert(callable) || !Array.isArray(args)) return undefined;
  if (fullName(callable).startsWith('torch._tensor._rebuild_from_type')) {
    throw new FormatError('a tensor with nested types');
  }
  return call(callable, args, spend);
}

/** From [[key, value], …], as Python 2 writes an OrderedDict. */
function mapOf(
  pairs: PickleValue | undefined,
  spend: (values: number) => void,
): PickleMap | undefined {
  if (!Array.isArray(pairs)) return undefined;
  spend(2 * pairs.length);
  const map: PickleMap = new Map();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    map.set(pair[0]!, pair[1]!);
  }
  return map;
}

/** (class, base, value of the base): an object as protocols 0 and 1 make it. */
function reconstructed([type, , held]: readonly PickleValue[]): Inert | undefined {
  if (!isInert(type)) return undefined;
  const object = inert(type.module, type.name, []);
  if (held instanceof Map) object.entries = held;
  else if (Array.isArray(held)) object.items = held;
  return object;
}

/**
 * The storage of the id ('storage', type, key, location, elements, …), without its bytes.
 *
 * @throws {FormatError} for an invalid id
 */
export function storageOf(id: PickleValue): {
  key: string;
  type: ElementType;
  length: number;
  view: PickleValue;
} {
  const [tag, cls, key, , length, view = null] = Array.isArray(id) ? id : [];
  const type = isInert(cls) ? storageType(cls.module, cls.name) : undefined;
  if (tag !== 'storage' || !type || typeof key !== 'string' || !isSize(length)) {
    throw new FormatError('a persistent id that is not a storage');
  }
  return { key, type, length, view };
}

export function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Extents or strides; a `torch.Size` holds a tuple of them. */
function sizesOf(value: PickleValue | undefined): number[] | undefined {
  const sizes = isInert(value) && fullName(value) === 'torch.Size' ? value.args?.[0] : value;
  if (!Array.isArray(sizes) || sizes.length > MAX_DIMENSIONS) return undefined;
  return sizes.every(isSize) ? sizes : undefined;
}
