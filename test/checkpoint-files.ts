/**
 * PyTorch checkpoints without PyTorch: the pickle that `torch.save` writes (protocol 2, with its memo),
 * and the zip around it (stored entries, data aligned to 64 bytes by an extra field `FB`).
 */

import { crc32, deflateRawSync } from 'node:zlib';
import type { CheckpointArchive } from '../src/node/pytorch/index.js';
import type { Tensor, Tensors } from './weight-namings.js';

/** What can be pickled: arrays are lists, Maps are dicts. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | readonly Picklable[]
  | ReadonlyMap<Picklable, Picklable>
  | Tuple
  | OrderedDict
  | Global
  | Call
  | Instance
  | StorageId
  | PersistentId;

export class Tuple {
  readonly items: readonly Picklable[];
  constructor(...items: Picklable[]) {
    this.items = items;
  }
}

/** A dict in the order of its entries, with the attribute that state dicts have. */
export class OrderedDict {
  readonly entries: readonly (readonly [string, Picklable])[];
  constructor(entries: readonly (readonly [string, Picklable])[]) {
    this.entries = entries;
  }
}

export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

export class Call {
  readonly callable: Global;
  readonly args: Tuple;
  constructor(callable: Global, ...args: Picklable[]) {
    this.callable = callable;
    this.args = new Tuple(...args);
  }
}

/** An object of a class: NEWOBJ, then its contents. */
export class Instance {
  readonly type: Global;
  readonly parts: InstanceParts;
  constructor(module: string, name: string, parts: InstanceParts = {}) {
    this.type = new Global(module, name);
    this.parts = parts;
  }
}

export interface InstanceParts {
  readonly args?: readonly Picklable[];
  readonly items?: readonly Picklable[];
  readonly entries?: ReadonlyMap<Picklable, Picklable>;
  readonly state?: Picklable;
}

/** An object that is referred to by a persistent id; the id of a storage is a tuple. */
export class StorageId {
  readonly id: Picklable;
  constructor(type: string, key: string, elements: number, ...view: Picklable[]) {
    this.id = new Tuple('storage', new Global('torch', type), key, 'cpu', elements, ...view);
  }
}

export class PersistentId {
  readonly id: Picklable;
  constructor(id: Picklable) {
    this.id = id;
  }
}

/** A dict of text keys. */
export function dict(entries: Readonly<Record<string, Picklable>>): Map<Picklable, Picklable> {
  return new Map(Object.entries(entries));
}

/** The bytes of a pickle, as Python's pickler writes protocol 2. */
export function pickle(value: Picklable): Buffer {
  const chunks: Buffer[] = [Buffer.of(0x80, 2)];
  const memo = new Map<string, number>();
  let memoised = 0;
  /** Objects by their places in the memo: one that is there twice, or holds itself, is written once. */
  const objects = new Map<Instance, number>();
  const emit = (...bytes: number[]) => chunks.push(Buffer.from(bytes));
  const put = () => {
    const index = memoised++;
    if (index < 256) emit(0x71, index);
    else chunks.push(Buffer.of(0x72), le32(index));
    return index;
  };
  const get = (index: number) => {
    if (index < 256) emit(0x68, index);
    else chunks.push(Buffer.of(0x6a), le32(index));
  };
  /** Writes text or a global the first time, and its place in the memo from then on. */
  const once = (key: string, write: () => void) => {
    const index = memo.get(key);
    if (index === undefined) {
      write();
      memo.set(key, put());
    } else get(index);
  };
  const items = (values: readonly Picklable[], close: number) => {
    emit(0x28);
    values.forEach(write);
    emit(close);
  };
  const write = (v: Picklable): void => {
    if (v === null) emit(0x4e);
    else if (typeof v === 'boolean') emit(v ? 0x88 : 0x89);
    else if (typeof v === 'number') chunks.push(number(v));
    else if (typeof v === 'string') {
      const text = Buffer.from(v);
      once(`text ${v}`, () => chunks.push(Buffer.of(0x58), le32(text.length), text));
    } else if (v instanceof Global) {
      once(`global ${v.module} ${v.name}`, () =>
        chunks.push(Buffer.from(`c${v.module}\n${v.name}\n`)),
      );
    } else if (v instanceof Tuple) {
      if (v.items.length === 0) return void emit(0x29);
      if (v.items.length <= 3) {
        v.items.forEach(write);
        emit(0x84 + v.items.length);
      } else items(v.items, 0x74);
      put();
    } else if (v instanceof Call) {
      write(v.callable);
      write(v.args);
      emit(0x52);
      put();
    } else if (v instanceof Instance && objects.has(v)) {
      get(objects.get(v)!);
    } else if (v instanceof Instance) {
      const { args = [], items: list, entries, state } = v.parts;
      write(v.type);
      write(new Tuple(...args));
      emit(0x81);
      objects.set(v, put());
      if (list) items(list, 0x65);
      if (entries) items([...entries].flat(), 0x75);
      if (state !== undefined) {
        write(state);
        emit(0x62);
      }
    } else if (v instanceof StorageId || v instanceof PersistentId) {
      write(v.id);
      emit(0x51);
    } else if (v instanceof OrderedDict) {
      write(new Call(new Global('collections', 'OrderedDict')));
      items(v.entries.flat(), 0x75);
      // __dict__: { _metadata: OrderedDict() }
      emit(0x7d);
      put();
      write('_metadata');
      write(new Call(new Global('collections', 'OrderedDict')));
      emit(0x73, 0x62);
    } else if (v instanceof Map) {
      emit(0x7d);
      put();
      items([...v].flat(), 0x75);
    } else {
      emit(0x5d);
      put();
      items(v as readonly Picklable[], 0x65);
    }
  };
  write(value);
  emit(0x2e);
  return Buffer.concat(chunks);
}

function number(v: number): Buffer {
  if (!Number.isInteger(v)) {
    const float = Buffer.alloc(9, 0x47);
    float.writeDoubleBE(v, 1);
    return float;
  }
  if (v >= 0 && v < 256) return Buffer.of(0x4b, v);
  if (v >= 0 && v < 65536) return Buffer.of(0x4d, v & 255, v >> 8);
  if (v === (v | 0)) {
    const int = Buffer.alloc(5, 0x4a);
    int.writeInt32LE(v, 1);
    return int;
  }
  const long = Buffer.alloc(10);
  long.set([0x8a, 8]);
  long.writeBigInt64LE(BigInt(v), 2);
  return long;
}

function le32(v: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(v);
  return bytes;
}

export type Entries = Record<string, Uint8Array>;

/** A tensor over a storage, as `torch._utils._rebuild_tensor_v2` gets it. */
export function tensorCall(
  storage: StorageId,
  offset: number,
  size: readonly number[],
  stride: readonly number[],
): Call {
  return new Call(
    new Global('torch._utils', '_rebuild_tensor_v2'),
    ...[storage, offset, new Tuple(...size), new Tuple(...stride), false],
    new Call(new Global('collections', 'OrderedDict')),
  );
}

export const parameter = (tensor: Call): Call =>
  new Call(
    new Global('torch._utils', '_rebuild_parameter'),
    ...[tensor, true, new Call(new Global('collections', 'OrderedDict'))],
  );

export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, d) => shape.slice(d + 1).reduce((product, size) => product * size, 1));
}

/** A state dict with a storage for each tensor, and the entries of its storages. */
export function stateDict(tensors: Tensors): { dict: OrderedDict; storages: Entries } {
  const storages: Entries = {};
  const entries = Object.entries(tensors).map(([name, { shape, data }]: [string, Tensor], key) => {
    storages[String(key)] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const storage = new StorageId('FloatStorage', String(key), data.length);
    return [name, tensorCall(storage, 0, shape, rowMajor(shape))] as const;
  });
  return { dict: new OrderedDict(entries), storages };
}

/** The entries of a checkpoint. */
export function checkpoint(value: Picklable, storages: Entries, root = 'archive'): Entries {
  return {
    [`${root}/data.pkl`]: pickle(value),
    [`${root}/byteorder`]: Buffer.from('little'),
    ...Object.fromEntries(
      Object.entries(storages).map(([key, bytes]) => [`${root}/data/${key}`, bytes]),
    ),
    [`${root}/version`]: Buffer.from('3\n'),
  };
}

export interface ModuleParts {
  readonly tensors?: Readonly<Record<string, Picklable>>;
  readonly buffers?: Readonly<Record<string, Picklable>>;
  readonly modules?: Readonly<Record<string, Picklable>>;
  readonly state?: Readonly<Record<string, Picklable>>;
}

/** A whole module, as `torch.save(model)` pickles it: a class of torch.nn.modules by default. */
export function moduleOf(
  type: string,
  { tensors = {}, buffers = {}, modules = {}, state = {} }: ModuleParts = {},
): Instance {
  const [module, name] = /\./.test(type)
    ? [type.slice(0, type.lastIndexOf('.')), type.slice(type.lastIndexOf('.') + 1)]
    : ['torch.nn.modules.all', type];
  return new Instance(module, name, {
    state: dict({
      training: false,
      _parameters: new OrderedDict(Object.entries(tensors)),
      _buffers: new OrderedDict(Object.entries(buffers)),
      _modules: new OrderedDict(Object.entries(modules)),
      ...state,
    }),
  });
}

/** The bytes of a checkpoint as it was before 1.6. Storages are in the order of their keys here. */
export function legacyFile(value: Picklable, storages: Entries, elementBytes = 4): Buffer {
  const chunks: Uint8Array[] = [
    LEGACY_MAGIC,
    pickle(1001),
    pickle(dict({ protocol_version: 1001, little_endian: true })),
    pickle(value),
    pickle(Object.keys(storages)),
  ];
  for (const bytes of Object.values(storages)) {
    chunks.push(le64(bytes.length / elementBytes), bytes);
  }
  return Buffer.concat(chunks);
}

/** The pickled magic number. */
export const LEGACY_MAGIC: Buffer = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

export function le64(v: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(v));
  return bytes;
}

/** A tar, each entry's bytes after a header of 512 and filled up to 512. */
export function tar(entries: Entries): Buffer {
  const chunks: Buffer[] = [];
  for (const [name, bytes] of Object.entries(entries)) {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('ustar\x0000', 257);
    chunks.push(header, Buffer.from(bytes), Buffer.alloc(-bytes.length & 511));
  }
  return Buffer.concat([...chunks, Buffer.alloc(1024)]);
}

/**
 * The tar that PyTorch 0.1 wrote of a dict of two tensors: `a` [2, 3] of all six elements of a storage,
 * and `b` [2] of a view of the last four, strided.
 */
export function tarEntries(data: Float32Array): Entries {
  const float = new Global('torch', 'FloatStorage');
  const tensor = (
    key: number,
    storage: number,
    shape: number[],
    stride: number[],
    offset: number,
  ) =>
    Buffer.concat([
      pickle(new Tuple(key, storage, new Global('torch', 'FloatTensor'))),
      le32(shape.length),
      le32(0),
      ...[...shape, ...stride, offset].map(le64),
    ]);
  return {
    sys_info: pickle(dict({ little_endian: true })),
    storages: Buffer.concat([
      pickle(1),
      pickle(new Tuple(10, 'cpu', float)),
      le64(data.length),
      new Uint8Array(data.buffer),
      pickle([new Tuple(11, 10, 2, 4)]),
    ]),
    tensors: Buffer.concat([
      pickle(2),
      tensor(20, 10, [2, 3], [3, 1], 0),
      tensor(21, 11, [2], [2], 1),
    ]),
    pickle: pickle(
      new OrderedDict([
        ['a', new PersistentId('20')],
        ['b', new PersistentId('21')],
      ]),
    ),
  };
}

/** Entries as the reader of checkpoints takes them, without a zip. */
export function archiveOf(entries: Entries, name = 'file'): CheckpointArchive {
  return {
    name,
    entries: new Map(Object.entries(entries).map(([entry, bytes]) => [entry, bytes.length])),
    read: (entry, begin, end) => strictPiece(entries[entry]!, begin, end),
  };
}

/** `subarray` that takes no range beyond the bytes. */
export function strictPiece(bytes: Uint8Array, begin: number, end: number): Uint8Array {
  if (begin < 0 || begin > end || end > bytes.length) {
    throw new RangeError(`bytes ${begin}…${end} of ${bytes.length}`);
  }
  return bytes.subarray(begin, end);
}

/** The bytes of a zip file: stored, as torch writes it, or deflated, as one that was packed again. */
export function zip(entries: Entries, { deflate = false }: { deflate?: boolean } = {}): Buffer {
  const chunks: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const add = (...parts: Uint8Array[]) => {
    for (const part of parts) {
      chunks.push(Buffer.from(part));
      at += part.length;
    }
  };
  for (const [name, data] of Object.entries(entries)) {
    const packed = deflate ? deflateRawSync(data) : data;
    const begin = at;
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(deflate ? 8 : 0, 4);
    fixed.writeUInt32LE(crc32(data), 10);
    fixed.writeUInt32LE(packed.length, 14);
    fixed.writeUInt32LE(data.length, 18);
    fixed.writeUInt16LE(name.length, 22);
    const padding = 63 - ((begin + 30 + name.length + 4 + 63) % 64);
    const extra = Buffer.alloc(4 + padding, 'Z');
    extra.write('FB');
    extra.writeUInt16LE(padding, 2);
    const local = Buffer.from(fixed);
    local.writeUInt16LE(extra.length, 24);
    add(Buffer.from('PK\x03\x04'), local, Buffer.from(name), extra, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(begin, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fixed, tail, Buffer.from(name));
  }
  const begin = at;
  add(...directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(at - begin, 12);
  end.writeUInt32LE(begin, 16);
  add(end);
  return Buffer.concat(chunks);
}
