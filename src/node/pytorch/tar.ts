/**
 * Checkpoints of PyTorch 0.1, until spring 2017: a tar of
 *
 *   storages   pickle n; n times pickle (key, location, type), i64 elements, bytes; pickle [view, …]
 *   tensors    pickle n; n times pickle (key, storage, type), i32 dimensions, 4 bytes, i64 sizes, strides, offset
 *   pickle     what was saved, its tensors as persistent ids: their keys
 *
 * Source: torch/serialization.py (`legacy_load`); the header of a tar's entries is POSIX's ustar.
 */

import { FormatError, inFile } from '../../errors.js';
import { type ByteSource, byteSource } from '../../model/formats/byte-source.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import { storageType } from './element-types.js';
import { COUNT_BYTES, int64 } from './legacy.js';
import { type Builder, plainBuilder, readPickleAt } from './pickle.js';
import { isSize, rebuildTensor, type Storage, type Tensor, tensorBuilder } from './tensors.js';
import { isInert, isKind, type PickleObject, type PickleValue, shown } from './values.js';

const BLOCK = 512;
/** The most entries; a checkpoint has four. */
const MAX_ENTRIES = 64;

/** The most storages or tensors of a file. */
const MAX_COUNT = 100_000;
const MAX_DIMENSIONS = 64;

/** Whether a file begins with the header of a tar. */
export function isTar(head: Uint8Array): boolean {
  return head.length >= BLOCK && textAt(head, 257, 5) === 'ustar';
}

/**
 * Reads a checkpoint of PyTorch 0.1: its dictionaries of tensors.
 *
 * @param name its name in messages
 * @throws {FormatError} for a tar that is not one or is damaged, and for one without tensors
 */
export function readTar(file: Uint8Array | ByteSource, name: string): Checkpoint {
  return checkpointOf(
    inFile(name, () => readObject(byteSource(file))),
    name,
  );
}

function readObject(file: ByteSource): PickleValue {
  const entries = entriesOf(file);
  const open = (entry: string): EntryReader => {
    const found = entries.get(entry);
    if (!found) throw new FormatError(`a tar archive, but no PyTorch checkpoint: no ${entry}`);
    return new EntryReader(entry, found);
  };
  const objects = new Map<string, PickleObject>();
  readStorages(open('storages'), objects);
  readTensors(open('tensors'), objects);
  const persistent = (id: PickleValue): PickleValue => {
    // A class, with the source of its module.
    if (Array.isArray(id) && id.length > 0) return id[0]!;
    const found = objects.get(keyOf(id));
    if (!found) throw new FormatError('a persistent id that is not a tensor');
    return found;
  };
  return open('pickle').pickle(tensorBuilder(persistent));
}

/** The files of a tar by name, each as its own source. */
function entriesOf(file: ByteSource): Map<string, ByteSource> {
  const entries = new Map<string, ByteSource>();
  for (let at = 0; at + BLOCK <= file.length && entries.size < MAX_ENTRIES; ) {
    const header = file.read(at, at + BLOCK);
    const name = textAt(header, 0, 100);
    if (name === '') break;
    const octal = textAt(header, 124, 12).trim();
    const length = /^[0-7]+$/.test(octal) ? Number.parseInt(octal, 8) : Number.NaN;
    const begin = at + BLOCK;
    if (!(begin + length <= file.length)) {
      throw new FormatError(`tar, byte ${at}: an entry that is longer than the file`);
    }
    const read = (from: number, to: number): Uint8Array => file.read(begin + from, begin + to);
    entries.set(name.replace(/^\.\//, ''), { length, read });
    at = begin + Math.ceil(length / BLOCK) * BLOCK;
  }
  return entries;
}

/** Text up to its zero byte. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
}

/** An entry, read from front to back. */
class EntryReader {
  at = 0;
  readonly source: ByteSource;
  readonly #name: string;

  constructor(name: string, source: ByteSource) {
    this.#name = name;
    this.source = source;
  }

  pickle(builder: Builder): PickleValue {
    try {
      const { value, end } = readPickleAt(this.source, this.at, builder);
      this.at = end;
      return value;
    } catch (error) {
      throw error instanceof FormatError ? this.error(error.message) : error;
    }
  }

  /** The number at the front of an entry: how many items follow. */
  count(): number {
    const count = this.pickle(PLAIN);
    if (isSize(count) && count <= MAX_COUNT) return count;
    throw this.error(`expected a number up to ${MAX_COUNT} first`);
  }

  bytes(length: number): Uint8Array {
    const begin = this.skip(length);
    return this.source.read(begin, begin + length);
  }

  /** Skips bytes. @returns where they begin */
  skip(length: number): number {
    const begin = this.at;
    if (!(length >= 0 && length <= this.source.length - begin)) {
      throw this.error(`truncated: ${length} bytes expected, ${this.source.length - begin} left`);
    }
    this.at += length;
    return begin;
  }

  error(what: string): FormatError {
    return new FormatError(`entry ${this.#name}: ${what}`);
  }
}

/** Limit for the pickles around the object. */
const PLAIN = plainBuilder('where there is none');

/** For each: (key, location, type), the number of elements and the elements; then views of them. */
function readStorages(reader: EntryReader, objects: Map<string, PickleObject>): void {
  for (let n = reader.count(); n > 0; n--) {
    const [key, , cls] = listOf(reader.pickle(PLAIN));
    const type = isInert(cls) ? storageType(cls.module, cls.name) : undefined;
    if (!type) throw reader.error('a storage of a type that is not known');
    const count = int64(reader.bytes(COUNT_BYTES), 0);
    const length = count * type.bytes;
    const begin = reader.skip(length);
    const read = (from: number, to: number): Uint8Array =>
      reader.source.read(begin + from, begin + to);
    const bytes = { name: `storage ${keyOf(key)}`, length, read };
    const storage: Storage = { kind: 'storage', bytes, type, begin: 0, length: count };
    objects.set(keyOf(key), storage);
  }
  for (const view of listOf(reader.pickle(PLAIN))) {
    const [key, root, begin, length] = listOf(view);
    const storage = objects.get(keyOf(root));
    if (
      !isKind<Storage>(storage as PickleValue, 'storage') ||
      !isSize(begin) ||
      !isSize(length) ||
      begin + length > (storage as Storage).length
    ) {
      throw reader.error('a view that reaches outside its storage');
    }
    objects.set(keyOf(key), { ...(storage as Storage), begin, length } as Storage);
  }
}

/** For each: (key, storage, type), dimensions, sizes, strides and offset. */
function readTensors(reader: EntryReader, objects: Map<string, PickleObject>): void {
  for (let n = reader.count(); n > 0; n--) {
    const [key, storage] = listOf(reader.pickle(PLAIN));
    // An i32; older files had eight bytes here, with zeros in the upper ones.
    const dimensions = reader.bytes(COUNT_BYTES)[0]!;
    if (dimensions > MAX_DIMENSIONS) throw reader.error(`a tensor of ${dimensions} dimensions`);
    const numbers = (): number[] => {
      const bytes = reader.bytes(COUNT_BYTES * dimensions);
      return Array.from({ length: dimensions }, (_, d) => int64(bytes, COUNT_BYTES * d));
    };
    const shape = numbers();
    const strides = numbers();
    const offset = int64(reader.bytes(COUNT_BYTES), 0);
    const found = objects.get(keyOf(storage)) as PickleValue | undefined;
    const tensor: Tensor = rebuildTensor([found, offset, shape, strides]);
    objects.set(keyOf(key), tensor);
  }
}

/** Keys are addresses, as numbers; in persistent ids they are text. */
function keyOf(value: PickleValue | undefined): string {
  return typeof value === 'number' || typeof value === 'string' ? shown(`${value}`) : '';
}

function listOf(value: PickleValue | undefined): readonly PickleValue[] {
  return Array.isArray(value) ? value : [];
}
