import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { type Builder, type PickleValue, readPickle } from '../../src/node/pickle.js';
import { Global, OrderedDict, pickle, Tuple } from '../checkpoint-files.js';

/** Knows no global. */
const STRICT: Builder = {
  global: (module, name) => {
    throw new FormatError(`global ${module}.${name}`);
  },
  call: () => {
    throw new FormatError('call');
  },
  persistent: () => {
    throw new FormatError('persistent id');
  },
};

const read = (...bytes: (number | string | Uint8Array)[]): PickleValue =>
  readPickle(
    Buffer.concat(bytes.map((b) => (typeof b === 'number' ? Buffer.of(b) : Buffer.from(b)))),
    STRICT,
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
    expect(readPickle(pickle(value), STRICT)).toEqual(
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
    const stackGlobal = () => read(0x80, 4, 0x8c, 2, 'os', 0x8c, 6, 'system', 0x93, 0x2e);
    expect(stackGlobal).toThrow('pickle, byte 14: global os.system');
  });

  it('keeps a memo’s values one and the same, cycles included', () => {
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

  it.each<[string, () => unknown, string]>([
    ['nothing', () => read(), 'pickle, byte 0: truncated: 1 bytes expected, 0 left'],
    ['a pickle without an end', () => read(0x80, 2, 0x4e), 'byte 3: truncated'],
    ['protocol 0', () => read(0x80, 0, 0x2e), 'byte 0: protocol 0, expected 2 to 5'],
    ['protocol 6', () => read(0x80, 6, 0x2e), 'protocol 6'],
    ['INST', () => read(0x80, 2, '(ios\nsystem\n.'), 'byte 3: opcode 0x69 is not one'],
    ['OBJ', () => read(0x80, 2, 0x28, 0x6f), 'opcode 0x6f'],
    ['NEWOBJ', () => read(0x80, 2, 0x81), 'byte 2: opcode 0x81'],
    ['EXT1', () => read(0x80, 2, 0x82, 1), 'opcode 0x82'],
    ['a persistent id as text', () => read(0x80, 2, 'P0\n.'), 'opcode 0x50'],
    ['out-of-band buffers', () => read(0x80, 5, 0x97), 'opcode 0x97'],
    ['a call', () => read(0x80, 2, 0x4e, 0x29, 0x52), 'byte 4: call'],
    ['a call without a tuple', () => read(0x80, 2, 0x4e, 0x4e, 0x52), 'a call without a tuple'],
    [
      'a global',
      () => readPickle(pickle(new Global('posix', 'system')), STRICT),
      'byte 2: global posix.system',
    ],
    [
      'a dict’s class',
      () => readPickle(pickle(new OrderedDict([])), STRICT),
      'global collections.OrderedDict',
    ],
    ['a global without an end', () => read(0x80, 2, 'cos\nsystem'), 'a name without an end'],
    [
      'a global whose name is no text',
      () => read(0x80, 4, 0x4e, 0x4e, 0x93),
      'whose name is no text',
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
    ['an append to a number', () => read(0x80, 2, 0x4b, 1, 0x4b, 1, 0x61), 'no list'],
    ['an item of a list', () => read(0x80, 2, 0x5d, 0x4e, 0x4e, 0x73), 'no dict'],
    ['a key without a value', () => read(0x80, 2, 0x7d, 0x28, 0x4e, 0x75), 'a key without a value'],
    ['a list as a key', () => read(0x80, 2, 0x7d, 0x5d, 0x4e, 0x73), 'a key that is neither'],
    ['attributes of a list', () => read(0x80, 2, 0x5d, 0x7d, 0x62), 'something that is no dict'],
    ['a memo without the value', () => read(0x80, 2, 0x68, 3), 'nothing is remembered as 3'],
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
      () => readPickle(new Uint8Array(2 ** 26 + 1), STRICT),
      'at most 67108864 are read',
    ],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(FormatError);
    expect(action).toThrow(message);
  });
});
