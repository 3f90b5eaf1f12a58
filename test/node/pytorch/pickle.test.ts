import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { type Builder, readPickle, readPickleAt } from '../../../src/node/pytorch/pickle.js';
import type { Inert, PickleValue } from '../../../src/node/pytorch/values.js';
import { dict, Global, Instance, pickle, Tuple } from '../../checkpoint-files.js';

/** Makes nothing of its own. */
const INERT: Builder = {
  call: () => undefined,
  persistent: (id) => ({ kind: `persistent ${JSON.stringify(id)}` }),
};

const read = (...bytes: (number | string | Uint8Array)[]): PickleValue =>
  readPickle(
    Buffer.concat(bytes.map((b) => (typeof b === 'number' ? Buffer.of(b) : Buffer.from(b)))),
    INERT,
  );

describe('readPickle', () => {
  it('reads what Python’s pickler writes of plain values', () => {
    const text = 'ü — 猫 🐈';
    const value = new Map<string, never>(
      Object.entries({
        none: null,
        flags: [true, false],
        ints: [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31, -(2 ** 40), 2 ** 53],
        floats: [0.5, -1.25e-300, 1e-5],
        text: [text, text],
        tuples: [new Tuple(), new Tuple(1), new Tuple(1, 2), new Tuple(1, 2, 3, 4)],
      }) as never,
    );
    expect(readPickle(pickle(value), INERT)).toEqual(
      new Map<string, unknown>([
        ...[...value].slice(0, 5),
        ['tuples', [[], [1], [1, 2], [1, 2, 3, 4]]],
      ]),
    );
  });

  it('reads protocols 3 to 5: frames, short text, a memo that counts by itself', () => {
    // (lambda x: [x, x])('ab') in protocol 4.
    const frame = [0x95, 13, 0, 0, 0, 0, 0, 0, 0];
    const list = [0x5d, 0x94, 0x28, 0x8c, 2, 0x61, 0x62, 0x94, 0x68, 1, 0x65, 0x2e];
    for (const protocol of [3, 4, 5]) {
      expect(read(0x80, protocol, ...frame, ...list)).toEqual(['ab', 'ab']);
    }
    const global = read(0x80, 4, 0x8c, 2, 'os', 0x8c, 6, 'system', 0x93, 0x2e);
    expect(global).toEqual({ kind: 'inert', module: 'os', name: 'system' });
  });

  it('keeps the identity of a memo’s values, also in cycles', () => {
    const list = read(0x80, 2, 0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e) as PickleValue[];
    expect(list[0]).toBe(list);
  });

  it('reads a list nested a hundred thousand times without recursion', () => {
    const depth = 100_000;
    let list = read(
      0x80,
      2,
      new Uint8Array(depth).fill(0x5d),
      new Uint8Array(depth - 1).fill(0x61),
      0x2e,
    );
    for (let i = 1; i < depth; i++) list = (list as PickleValue[])[0]!;
    expect(list).toEqual([]);
  });

  it.each<[string, () => PickleValue, unknown]>([
    // pickle.dumps(value, 0), without what Python puts in the memo.
    [
      'protocol 0: numbers',
      () => read('(I12\nL-3L\nF1e-05\nI01\nI00\nl.'),
      [12, -3, 1e-5, true, false],
    ],
    [
      'protocol 0: what is no number',
      () => read('(Finf\nF-inf\nFnan\nl.'),
      [Infinity, -Infinity, NaN],
    ],
    [
      'protocol 0: text',
      () => read("(S'it\\'s\\x41\\n'\nVfoo\\u00e9\xe9\nl."),
      ["it'sA\n", 'fooéÃ©'],
    ],
    ['protocol 0: dicts and their memo', () => read('(dp0\nVa\np1\ng1\ns.'), new Map([['a', 'a']])],
    ['protocol 0: a dict of its items', () => read('(I1\nI2\nd.'), new Map([[1, 2]])],
    ['Python 2’s text', () => read(0x80, 2, '(T', 2, 0, 0, 0, 'abU', 1, 'cl.'), ['ab', 'c']],
    ['long text', () => read(0x8d, 3, 0, 0, 0, 0, 0, 0, 0, 'abc.'), 'abc'],
    ['long numbers', () => read(0x8b, 2, 0, 0, 0, 0xff, 0xff, '.'), -1],
    ['bytes', () => read('C', 2, 1, 2, '.'), { kind: 'bytes', bytes: Uint8Array.of(1, 2) }],
    ['many bytes', () => read('B', 1, 0, 0, 0, 7, '.'), { kind: 'bytes', bytes: Uint8Array.of(7) }],
    [
      'bytes of 64-bit length',
      () => read(0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.'),
      { kind: 'bytes', bytes: Uint8Array.of(7) },
    ],
    [
      'a bytearray',
      () => read(0x96, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.'),
      { kind: 'bytes', bytes: Uint8Array.of(7) },
    ],
    ['POP, POP_MARK and DUP', () => read('K', 1, 'N0(N12', 0x86, '.'), [1, 1]],
    ['POP of a mark', () => read('K', 1, '(0.'), 1],
    [
      'a set',
      () => read(0x8f, '(K', 1, 'K', 2, 0x90, '.'),
      { kind: 'inert', module: 'builtins', name: 'set', args: [], items: [1, 2] },
    ],
    [
      'a frozenset',
      () => read('(K', 1, 0x91, '.'),
      { kind: 'inert', module: 'builtins', name: 'frozenset', args: [[1]] },
    ],
    [
      'NEWOBJ_EX',
      () => read('cos\nsystem\nK', 1, 0x85, '}', 0x92, '.'),
      { kind: 'inert', module: 'os', name: 'system', args: [1, new Map()] },
    ],
    [
      'persistent ids',
      () => read('(Pa b\nK', 1, 'Ql.'),
      [{ kind: 'persistent "a b"' }, { kind: 'persistent 1' }],
    ],
    ['a dict whose keys are tuples', () => read('}K', 1, 0x85, 'Ns.'), new Map([[[1], null]])],
    [
      'INST',
      () => read('(K', 1, 'ios\nsystem\n.'),
      { kind: 'inert', module: 'os', name: 'system', args: [1] },
    ],
    [
      'OBJ',
      () => read('(cos\nsystem\nK', 1, 'o.'),
      { kind: 'inert', module: 'os', name: 'system', args: [1] },
    ],
  ])('reads %s', (_, action, value) => {
    expect(action()).toEqual(value);
  });

  it('makes inert objects of globals and calls, with all that is put into them', () => {
    const object = new Instance('my.module', 'Thing', {
      args: [1],
      items: [2],
      entries: new Map([['k', 3]]),
      state: dict({ a: 4 }),
    });
    expect(readPickle(pickle(object), INERT)).toEqual({
      kind: 'inert',
      module: 'my.module',
      name: 'Thing',
      args: [1],
      items: [2],
      entries: new Map([['k', 3]]),
      state: new Map([['a', 4]]),
    });
    const call = new Global('posix', 'system');
    expect(readPickle(pickle(call), INERT)).toEqual({
      kind: 'inert',
      module: 'posix',
      name: 'system',
    });
    const self = read('cm\nC\n)', 0x81, 'q', 0, 'h', 0, 'b.') as Inert;
    expect(self.state).toBe(self);
  });

  it('ends in bounded time for lists of lists, a hundred deep, each twice in the next', () => {
    const twice = '2\x86'.repeat(100);
    const value = read(']', Buffer.from(twice, 'latin1'), '.');
    expect(value).toHaveLength(2);
  });

  it('reads a pickle in the middle of a file, across the chunks it comes in', () => {
    const long = 'x'.repeat(200_000);
    const bytes = Buffer.concat([
      Buffer.alloc(5),
      pickle([long, [1.5, 'y'], long]),
      Buffer.alloc(9),
    ]);
    const reads: number[] = [];
    const source = {
      length: bytes.length,
      read: (begin: number, end: number) => {
        reads.push(end - begin);
        return bytes.subarray(begin, end);
      },
    };
    const { value, end } = readPickleAt(source, 5, INERT);
    expect(value).toEqual([long, [1.5, 'y'], long]);
    expect(end).toBe(bytes.length - 9);
    expect(reads.length).toBeLessThan(10);
  });

  it.each<[string, () => unknown, string]>([
    ['nothing', () => read(), 'pickle, byte 0: truncated: 1 bytes expected, 0 left'],
    ['a pickle without an end', () => read(0x80, 2, 0x4e), 'byte 3: truncated'],
    ['protocol 6', () => read(0x80, 6, 0x2e), 'protocol 6'],
    ['EXT1', () => read(0x80, 2, 0x82, 1), 'byte 2: opcode EXT1 (0x82) is refused'],
    ['out-of-band buffers', () => read(0x80, 5, 0x97), 'opcode NEXT_BUFFER (0x97) is refused'],
    ['a read-only buffer', () => read(0x80, 5, 0x98), 'opcode READONLY_BUFFER'],
    ['what is no opcode', () => read(0x80, 2, 0xff), 'opcode 0xff is not a pickle opcode'],
    [
      'a call of nothing',
      () => read(0x80, 2, 0x4e, 0x29, 0x52),
      'a call of something that is not a global',
    ],
    ['a call without a tuple', () => read('cos\nx\nN', 0x52), 'a call without a tuple'],
    ['a call of a number', () => read('K', 1, ')', 0x81), 'a call of something'],
    ['OBJ of nothing', () => read('(o'), 'a call of something'],
    [
      'attributes of a list',
      () => read(0x5d, 0x7d, 0x62),
      'attributes of something that is not an object',
    ],
    [
      'a name of a megabyte',
      () => read('c', 'x'.repeat(2 ** 20), '\ny\n.'),
      'a name that is too long',
    ],
    ['a value that is not a number', () => read('Ix\n.'), 'a value that is not a number'],
    [
      'a number of a megabyte of digits',
      () => read('L', '9'.repeat(2 ** 20), 'L\n.'),
      'a value that is not a number',
    ],
    ['text without quotes', () => read('Sab\n.'), 'text without quotes'],
    [
      'a number of a gigabyte that is not there',
      () => read(0x8b, 0, 0, 0, 0x40, 1),
      'truncated: 1073741824 bytes expected, 1 left',
    ],
    [
      'bytes of 2⁶³',
      () => read(0x8e, 0, 0, 0, 0, 0, 0, 0, 0x80, 1),
      'truncated: 9223372036854776000 bytes expected',
    ],
    [
      'a million dicts in a list',
      () =>
        read(
          ']',
          new Uint8Array(3e6).map((_, i) => (i % 2 ? 0x61 : 0x7d)),
          '.',
        ),
      'more than 8388608 values',
    ],
    [
      'a global without an end',
      () => read(0x80, 2, 'cos\nsystem'),
      'a name or number without an end',
    ],
    [
      'a global whose name is not text',
      () => read(0x80, 4, 0x4e, 0x4e, 0x93),
      'whose name is not text',
    ],
    [
      'text beyond the pickle',
      () => read(0x80, 2, 'X', 0xff, 0xff, 0xff, 0xff, 'a'),
      'truncated: 4294967295 bytes expected, 1 left',
    ],
    ['a number beyond the pickle', () => read(0x80, 2, 0x8a, 255, 1), 'truncated: 255 bytes'],
    ['an empty stack', () => read(0x80, 2, 0x2e), 'the stack is empty'],
    ['a tuple of what is not there', () => read(0x80, 2, 0x4e, 0x86), 'the stack is empty'],
    ['a tuple over a mark', () => read(0x80, 2, 0x4e, 0x28, 0x4e, 0x86), 'the stack is empty'],
    ['a list without a mark', () => read(0x80, 2, 0x5d, 0x65), 'no mark on the stack'],
    ['an append to a number', () => read(0x80, 2, 0x4b, 1, 0x4b, 1, 0x61), 'not a list'],
    ['an item of a list', () => read(0x80, 2, 0x5d, 0x4e, 0x4e, 0x73), 'not a dict'],
    ['a key without a value', () => read(0x80, 2, 0x7d, 0x28, 0x4e, 0x75), 'a key without a value'],
    ['a memo without the value', () => read(0x80, 2, 0x68, 3), 'nothing is stored in memo 3'],
    [
      'two million values',
      () => read(0x80, 2, new Uint8Array(2e6).fill(0x4e)),
      'byte 1048578: more than 1048576 values',
    ],
    [
      'two million marks',
      () => read(0x80, 2, new Uint8Array(2e6).fill(0x28)),
      'more than 1048576 values',
    ],
    [
      'a gigantic pickle',
      () => readPickle(new Uint8Array(2 ** 26 + 1), INERT),
      'at most 67108864 are read',
    ],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(FormatError);
    expect(action).toThrow(message);
  });
});
