/**
 * Checkpoints as `torch.save` wrote them until 1.6, and still does with `_use_new_zipfile_serialization=False`:
 * five pickles, one after another, and then the storages:
 *
 *   0x1950a86a20f9469cfc6c   the magic number
 *   1001                     the version of the format
 *   { little_endian: … }     about the machine that wrote the file
 *   what was saved           its storages as ('storage', type, key, location, elements, view)
 *   [key, …]                 the storages in the order of their bytes:
 *   i64 elements, bytes      of each
 *
 * Source: torch/serialization.py (`_legacy_save`, `_legacy_load`).
 */

import { FormatError, inFile } from '../../errors.js';
import { type ByteSource, byteSource } from '../../model/formats/byte-source.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import { type Builder, plainBuilder, readPickleAt } from './pickle.js';
import { isSize, type Storage, type StorageBytes, storageOf, tensorBuilder } from './tensors.js';
import { type PickleValue, shown, valueAt } from './values.js';

/** As a float64, which is how long numbers of pickles are read. */
const MAGIC = Number(0x1950a86a20f9469cfc6cn);
const VERSION = 1001;

/** Longer than the magic number in any protocol. */
const MAGIC_BYTES = 64;

/** The limit for the pickles around the object. */
const PLAIN = plainBuilder('before the object');

/** Whether a file begins with the magic number, pickled in any protocol. */
export function isLegacyCheckpoint(head: Uint8Array): boolean {
  try {
    const { value } = readPickleAt(byteSource(head.subarray(0, MAGIC_BYTES)), 0, PLAIN);
    return value === MAGIC;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/**
 * Reads a checkpoint from before 1.6: its dictionaries of tensors. The file is read in pieces.
 *
 * @param name its name in messages
 * @throws {FormatError} for a file that is not one or is damaged, and for one without tensors
 */
export function readLegacy(file: Uint8Array | ByteSource, name: string): Checkpoint {
  return checkpointOf(
    inFile(name, () => readObject(byteSource(file))),
    name,
  );
}

function readObject(file: ByteSource): PickleValue {
  let at = 0;
  const next = (builder: Builder): PickleValue => {
    const { value, end } = readPickleAt(file, at, builder);
    at = end;
    return value;
  };
  if (next(PLAIN) !== MAGIC) throw new FormatError('not a PyTorch checkpoint: wrong magic number');
  if (next(PLAIN) !== VERSION) throw new FormatError(`wrong version, expected ${VERSION}`);
  if (valueAt(next(PLAIN), 'little_endian') !== true) {
    throw new FormatError('its numbers are big-endian, expected little-endian');
  }
  const storages = new Map<string, LegacyStorage>();
  const object = next(tensorBuilder((id) => persistent(id, file, storages)));
  const keys = next(PLAIN);
  if (!Array.isArray(keys)) throw new FormatError('no list of storages after the object');
  placeStorages(file, at, keys, storages);
  return object;
}

/** A storage whose position is known only after all pickles are read. */
class LegacyStorage implements StorageBytes {
  readonly name: string;
  readonly elements: number;
  readonly length: number;
  /** Where its bytes begin. */
  at: number | undefined;
  readonly #file: ByteSource;

  constructor(file: ByteSource, key: string, elements: number, elementBytes: number) {
    this.#file = file;
    this.name = `storage ${shown(key)}`;
    this.elements = elements;
    this.length = elements * elementBytes;
  }

  read(begin: number, end: number): Uint8Array {
    return this.#file.read(this.at! + begin, this.at! + end);
  }
}

/** A storage, or a module with the source of its class, which is not needed. */
function persistent(
  id: PickleValue,
  file: ByteSource,
  storages: Map<string, LegacyStorage>,
): PickleValue {
  if (Array.isArray(id) && id[0] === 'module' && id.length > 1) return id[1]!;
  const { key, type, length, view } = storageOf(id);
  const bytes = storages.get(key) ?? new LegacyStorage(file, key, length, type.bytes);
  if (bytes.length !== length * type.bytes) {
    throw new FormatError(
      `${bytes.name} has two sizes, ${bytes.length} and ${length * type.bytes} bytes`,
    );
  }
  storages.set(key, bytes);
  const storage: Storage = { kind: 'storage', bytes, type, begin: 0, length };
  return view === null ? storage : viewOf(storage, view);
}

/** (key, offset, elements) of a storage. */
function viewOf(storage: Storage, view: PickleValue): Storage {
  const [, begin, length] = Array.isArray(view) ? view : [];
  if (!isSize(begin) || !isSize(length) || begin + length > storage.length) {
    throw new FormatError(`a view that reaches outside ${storage.bytes.name}`);
  }
  return { ...storage, begin, length };
}

/** Bytes of the number of elements before each storage. */
export const COUNT_BYTES: number = 8;

/** A whole number of eight bytes, little-endian; rounded above 2⁵³. */
export function int64(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32;
}

/** The bytes of the storages follow each other, each after its number of elements. */
function placeStorages(
  file: ByteSource,
  begin: number,
  keys: readonly PickleValue[],
  storages: ReadonlyMap<string, LegacyStorage>,
): void {
  let at = begin;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || storage.at !== undefined)
      throw new FormatError('the list names other storages');
    const { name, elements, length } = storage;
    const end = at + COUNT_BYTES + length;
    if (end > file.length) {
      throw new FormatError(
        `truncated: ${name} of ${length} bytes ends at ${end}, the file at ${file.length}`,
      );
    }
    const count = int64(file.read(at, at + COUNT_BYTES), 0);
    if (count !== elements) {
      throw new FormatError(`${name} expected ${elements} elements, has ${count}`);
    }
    storage.at = at + COUNT_BYTES;
    at = end;
  }
  for (const storage of storages.values()) {
    if (storage.at === undefined) throw new FormatError(`${storage.name} is missing`);
  }
}
