import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource, TensorSource } from '../../../src/model/index.js';
import { isLegacyCheckpoint, readLegacy } from '../../../src/node/pytorch/index.js';
import {
  dict,
  Global,
  Instance,
  LEGACY_MAGIC,
  le64,
  legacyFile,
  OrderedDict,
  PersistentId,
  type Picklable,
  pickle,
  StorageId,
  strictPiece,
  Tuple,
  tensorCall,
} from '../../checkpoint-files.js';

const DATA = Float32Array.from({ length: 6 }, (_, i) => i);
const STORAGES = { '7': new Uint8Array(DATA.buffer), '8': new Uint8Array(DATA.buffer) };
const SEVEN = new StorageId('FloatStorage', '7', 6);
const EIGHT = new StorageId('FloatStorage', '8', 6);

const GOOD = new OrderedDict([
  ['a', tensorCall(SEVEN, 0, [6], [1])],
  ['b', tensorCall(EIGHT, 1, [2], [2])],
]);

function sourceOf(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (begin, end) => strictPiece(bytes, begin, end) };
}

const read = (bytes: Uint8Array): TensorSource =>
  readLegacy(sourceOf(bytes), 'file').dictionaries.get('')!;

function valuesOf(source: TensorSource, tensor: string): number[] {
  const out = new Float32Array(source.tensors.get(tensor)!.shape.reduce((n, m) => n * m, 1));
  source.readInto(out, tensor, 0);
  return [...out];
}

/** The file's pickles, one of which is another. */
function withPickle(index: number, value: Picklable): Buffer {
  const pickles = [
    LEGACY_MAGIC,
    pickle(1001),
    pickle(dict({ little_endian: true })),
    pickle(GOOD),
    pickle(['7', '8']),
  ];
  pickles[index] = pickle(value);
  const { '7': seven, '8': eight } = STORAGES;
  return Buffer.concat([...pickles, le64(6), seven, le64(6), eight]);
}

describe('readLegacy', () => {
  it('reads tensors of storages after the pickles', () => {
    const source = read(legacyFile(GOOD, STORAGES));
    expect(valuesOf(source, 'a')).toEqual([...DATA]);
    expect(valuesOf(source, 'b')).toEqual([1, 3]);
  });

  it('reads views of storages, and views of views', () => {
    const view = new StorageId('FloatStorage', '7', 6, new Tuple('9', 2, 3));
    const value = dict({ all: tensorCall(SEVEN, 0, [6], [1]), v: tensorCall(view, 1, [2], [1]) });
    expect(valuesOf(read(legacyFile(value, { '7': STORAGES['7'] })), 'v')).toEqual([3, 4]);
  });

  it('reads a class that comes with its source', () => {
    const cls = new PersistentId(
      new Tuple('module', new Global('m', 'Net'), 'net.py', 'class Net'),
    );
    const value = new Map<Picklable, Picklable>([
      ['class', cls],
      ['state_dict', GOOD],
    ]);
    const { dictionaries } = readLegacy(sourceOf(legacyFile(value, STORAGES)), 'file');
    expect([...dictionaries.keys()]).toEqual(['state_dict']);
  });

  it('does not read the storages before a tensor is asked for', () => {
    const bytes = legacyFile(GOOD, { ...STORAGES, '8': STORAGES['8'] });
    const reads: number[] = [];
    const far = Buffer.concat([bytes, Buffer.alloc(2 ** 20)]);
    const source = {
      length: far.length,
      read: (begin: number, end: number) => {
        reads.push(end - begin);
        return strictPiece(far, begin, end);
      },
    };
    readLegacy(source, 'file');
    expect(Math.max(...reads)).toBeLessThanOrEqual(2 ** 16);
  });

  it('is recognized by its magic number, in any protocol', () => {
    expect(isLegacyCheckpoint(LEGACY_MAGIC)).toBe(true);
    expect(isLegacyCheckpoint(Buffer.from('L119547037146038801333356L\n.'))).toBe(true);
    expect(isLegacyCheckpoint(Buffer.from('80048a0a6cfc9c46f9206aa850192e', 'hex'))).toBe(true);
    expect(isLegacyCheckpoint(pickle(0x1950a86a20f9))).toBe(false);
    expect(isLegacyCheckpoint(pickle(GOOD))).toBe(false);
    expect(isLegacyCheckpoint(Buffer.of())).toBe(false);
  });

  const good = legacyFile(GOOD, STORAGES);
  it.each<[string, () => Uint8Array, string]>([
    ['another magic number', () => withPickle(0, 5), 'wrong magic number'],
    ['another version', () => withPickle(1, 1002), 'wrong version, expected 1001'],
    ['big-endian numbers', () => withPickle(2, dict({ little_endian: false })), 'big-endian'],
    ['no list of storages', () => withPickle(4, 'a'), 'no list of storages'],
    ['a storage that is not listed', () => withPickle(4, ['7']), 'storage 8 is missing'],
    [
      'a storage that is listed twice',
      () => withPickle(4, ['7', '7']),
      'the list names other storages',
    ],
    ['a storage of no tensor', () => withPickle(4, ['7', '9']), 'the list names other storages'],
    [
      'a file cut short',
      () => good.subarray(0, good.length - 1),
      `truncated: storage 8 of 24 bytes ends at ${good.length}, the file at ${good.length - 1}`,
    ],
    [
      'another number of elements',
      () => legacyFile(GOOD, STORAGES, 8),
      'expected 6 elements, has 3',
    ],
    [
      'a storage of a petabyte',
      () =>
        legacyFile(tensorCall(new StorageId('FloatStorage', '7', 2 ** 50), 0, [1], [1]), STORAGES),
      'truncated: storage 7 of 4503599627370496 bytes',
    ],
    [
      'a storage of two lengths',
      () => legacyFile([SEVEN, new StorageId('FloatStorage', '7', 5)], STORAGES),
      'storage 7 has two sizes, 24 and 20 bytes',
    ],
    [
      'a view that reaches outside its storage',
      () => legacyFile([new StorageId('FloatStorage', '7', 6, new Tuple('9', 4, 3))], STORAGES),
      'a view that reaches outside storage 7',
    ],
    [
      'a persistent id where there is none',
      () => withPickle(1, new PersistentId('x')),
      'a persistent id before the object',
    ],
    ['an end after the magic number', () => LEGACY_MAGIC, 'pickle, byte 15: truncated'],
    [
      'an object without tensors',
      () => legacyFile(new Instance('m', 'Net'), {}),
      'file: no state dict',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => read(bytes())).toThrow(FormatError);
    expect(() => read(bytes())).toThrow(message);
    expect(() => read(bytes())).toThrow(/^file: /);
  });
});
