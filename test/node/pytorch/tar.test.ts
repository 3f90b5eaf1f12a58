import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { isTar, readTar } from '../../../src/node/pytorch/index.js';
import { pickle, tar, tarEntries } from '../../checkpoint-files.js';

const DATA = Float32Array.from({ length: 6 }, (_, i) => i);
const ENTRIES = tarEntries(DATA);

/** The entry with its first bytes of a number replaced. */
function patched(entry: string, find: Uint8Array, put: Uint8Array): Record<string, Uint8Array> {
  const bytes = Buffer.from(ENTRIES[entry]!);
  const at = bytes.indexOf(find);
  expect(at).toBeGreaterThanOrEqual(0);
  bytes.set(put, at);
  return { ...ENTRIES, [entry]: bytes };
}

describe('readTar', () => {
  it('reads the tensors of a checkpoint of PyTorch 0.1, views of storages among them', () => {
    const file = tar(ENTRIES);
    expect(isTar(file)).toBe(true);
    const source = readTar(file, 'file').dictionaries.get('')!;
    expect([...source.tensors]).toEqual([
      ['a', { dtype: 'F32', shape: [2, 3] }],
      ['b', { dtype: 'F32', shape: [2] }],
    ]);
    const a = new Float32Array(6);
    source.readInto(a, 'a', 0);
    expect(a).toEqual(DATA);
    const b = new Float32Array(2);
    source.readInto(b, 'b', 0);
    expect(b).toEqual(Float32Array.of(3, 5));
  });

  it('recognizes no other file as one', () => {
    expect(isTar(Buffer.alloc(512))).toBe(false);
    expect(isTar(tar(ENTRIES).subarray(0, 300))).toBe(false);
  });

  const count = Buffer.of(6, 0, 0, 0, 0, 0, 0, 0);
  it.each<[string, () => Uint8Array, string]>([
    [
      'a tar of other things',
      () => tar({ 'a.txt': Buffer.of(1) }),
      'no PyTorch checkpoint: no storages',
    ],
    [
      'an entry longer than the file',
      () => tar(ENTRIES).subarray(0, 1024 + 512 + 20),
      'an entry that is longer than the file',
    ],
    [
      'an entry of a negative length',
      () => {
        const file = tar(ENTRIES);
        file.write('-0000000777', 124);
        return file;
      },
      'tar, byte 0: an entry that is longer than the file',
    ],
    [
      'a storage of 2⁵⁶ elements',
      () => tar(patched('storages', count, Buffer.of(0, 0, 0, 0, 0, 0, 0, 1))),
      'entry storages: truncated: 288230376151711740 bytes expected',
    ],
    [
      'a storage of a negative number of elements',
      () => tar(patched('storages', count, Buffer.alloc(8, 255))),
      'entry storages: truncated: -4 bytes',
    ],
    [
      'a billion tensors',
      () => tar({ ...ENTRIES, tensors: pickle(1e9) }),
      'entry tensors: expected a number up to 100000 first',
    ],
    [
      'more tensors than there are',
      () => tar({ ...ENTRIES, tensors: pickle(2) }),
      'entry tensors: pickle, byte 5: truncated',
    ],
    [
      'a tensor of two hundred dimensions',
      () => tar(patched('tensors', Buffer.of(2, 0, 0, 0, 0, 0, 0, 0), Buffer.of(200))),
      'entry tensors: a tensor of 200 dimensions',
    ],
    [
      'a tensor that leaves its storage',
      () => tar(patched('tensors', Buffer.of(3, 0, 0, 0, 0, 0, 0, 0), Buffer.of(4))),
      'reaches outside storage 10 of 6 elements',
    ],
    [
      'a reference to no tensor',
      () => tar(patched('pickle', Buffer.from('20'), Buffer.from('29'))),
      'entry pickle: pickle',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readTar(bytes(), 'file')).toThrow(FormatError);
    expect(() => readTar(bytes(), 'file')).toThrow(message);
    expect(() => readTar(bytes(), 'file')).toThrow(/^file: /);
  });
});
