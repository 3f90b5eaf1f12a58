/**
 * Damaged files by the thousand: mutated headers of safetensors and mutated pickles. Each must end in a
 * FormatError, or in tensors that lie in their file, all of which can be read; in bounded time and memory.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import {
  labelsOf,
  parseSafetensors,
  preprocessingOf,
  recognizeNetwork,
  type TensorSource,
} from '../../../src/model/index.js';
import { checkTensors, layersOf } from '../../../src/model/layers.js';
import {
  type Checkpoint,
  chooseDictionary,
  readArchive,
  readLegacy,
  readTar,
} from '../../../src/node/pytorch/index.js';
import { writeSafetensors } from '../../../src/node/safetensors-writer.js';
import {
  archiveOf,
  checkpoint,
  type Entries,
  OrderedDict,
  type Picklable,
  parameter,
  StorageId,
  stateDict,
  strictPiece,
  Tuple,
  tensorCall,
} from '../../checkpoint-files.js';
import { hashWeights, stateDictOf } from '../../hash-weights.js';
import {
  huggingFaceName,
  renameTensors,
  type Tensors,
  tensorsOf,
  toKeras,
} from '../../weight-namings.js';

/** One case takes a millisecond; a machine that does something else may hold it up. */
const MAX_CASE_MS = 2000;
/** The files are some ten kilobytes; the rest is the engine's. */
const MAX_GROWTH_BYTES = 400e6;

const TINY = { depths: [1, 1], width: 2, classes: 3 };
const TENSORS = tensorsOf(hashWeights(stateDictOf(TINY), 3));

interface Mutation {
  readonly kind: 'set' | 'insert' | 'delete' | 'copy' | 'cut' | 'number';
  readonly at: number;
  readonly from: number;
  readonly length: number;
  readonly value: number;
}

const MUTATIONS: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('set', 'set', 'set', 'insert', 'delete', 'copy', 'cut', 'number'),
    at: fc.nat(0xffffff),
    from: fc.nat(0xffffff),
    length: fc.integer({ min: 1, max: 40 }),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 5 },
);

/** What numbers in JSON are replaced with. */
const NUMBERS = [
  '-1',
  '0',
  '1.5',
  '1e400',
  '4294967296',
  '9007199254740993',
  'null',
  '"x"',
  '[]',
  '{}',
];

/** Bytes that mean something to a pickle machine, refused ones included. */
const OPCODES = [
  ...'()]}.eaustbRcQqrhjXKMJGN0PioUT',
  '\x80',
  '\x81',
  '\x82',
  '\x85',
  '\x86',
  '\x87',
  '\x88',
  '\x8a',
  '\x8c',
  '\x93',
  '\x94',
  '\x95',
];

function mutate(
  original: Uint8Array,
  mutations: readonly Mutation[],
  opcodes: boolean,
): Uint8Array {
  let bytes = Buffer.from(original);
  for (const { kind, at, from, length, value } of mutations) {
    const i = at % (bytes.length + 1);
    const j = from % (bytes.length + 1);
    const byte = opcodes && value % 2 ? OPCODES[value % OPCODES.length]!.charCodeAt(0) : value;
    const splice = (end: number, middle: Uint8Array) => {
      bytes = Buffer.concat([bytes.subarray(0, i), middle, bytes.subarray(end)]);
    };
    if (kind === 'set' && i < bytes.length) bytes[i] = byte;
    else if (kind === 'insert') splice(i, Buffer.of(byte));
    else if (kind === 'delete') splice(i + length, Buffer.of());
    else if (kind === 'copy') splice(i, bytes.subarray(j, j + length));
    else if (kind === 'cut' && value < 32) bytes = bytes.subarray(0, i);
    else if (kind === 'number') {
      const number = /\d+/.exec(bytes.toString('latin1', i));
      if (number && !opcodes) {
        const begin = i + number.index;
        const text = Buffer.from(NUMBERS[value % NUMBERS.length]!);
        const after = bytes.subarray(begin + number[0].length);
        bytes = Buffer.concat([bytes.subarray(0, begin), text, after]);
      }
    }
  }
  return bytes;
}

/** Reads all that there is to read. @param held elements that the file has room for */
function readAll(source: TensorSource, held: number): void {
  for (const [name, { shape }] of source.tensors) {
    const size = shape.reduce((product, n) => product * n, 1);
    expect(size).toBeLessThanOrEqual(held);
    const out = new Float32Array(size);
    refused(() => source.readInto(out, name, 0));
  }
  refused(() => {
    labelsOf(source);
    preprocessingOf(source, 3);
    const { graph, source: named } = recognizeNetwork(source);
    checkTensors(named, layersOf(graph));
  });
}

/** @returns true where the action ends in a FormatError; any other error is the test's */
function refused(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof FormatError) return true;
    throw error;
  }
}

const SAFETENSORS: readonly Uint8Array[] = [
  TENSORS,
  toKeras(TENSORS),
  renameTensors(TENSORS, huggingFaceName),
].map((tensors: Tensors) =>
  writeSafetensors(tensors, { architecture: '{"strideOn":"1x1"}', labels: '["a","ü","c"]' }),
);

function safetensorsCase(which: number, mutations: readonly Mutation[], honest: boolean): boolean {
  const file = SAFETENSORS[which]!;
  const headerBytes = new DataView(file.buffer).getUint32(0, true);
  const header = mutate(file.subarray(8, 8 + headerBytes), mutations, false);
  const length = Buffer.from(file.subarray(0, 8));
  if (honest) length.writeUInt32LE(header.length);
  const bytes = Buffer.concat([length, header, file.subarray(8 + headerBytes)]);
  const read = (begin: number, end: number) => strictPiece(bytes, begin, end);
  const source = { length: bytes.length, read };
  return refused(() => readAll(parseSafetensors(source, 'file'), bytes.length));
}

const CHECKPOINTS: readonly Entries[] = [
  (() => {
    const { dict, storages } = stateDict(TENSORS);
    return checkpoint(dict, storages);
  })(),
  (() => {
    const shared = new StorageId('FloatStorage', '0', 96);
    const half = new StorageId('HalfStorage', '1', 24);
    const dict = new OrderedDict([
      ['module.a.weight', tensorCall(shared, 0, [4, 6, 2], [1, 4, 24])],
      ['module.b.weight', parameter(tensorCall(shared, 48, [4, 3, 2, 2], [12, 4, 2, 1]))],
      ['module.c.num_batches_tracked', tensorCall(new StorageId('LongStorage', '2', 1), 0, [], [])],
      ['module.d.bias', tensorCall(half, 3, [5], [4])],
    ]);
    const value = new Map<Picklable, Picklable>([
      ['epoch', 90],
      ['lr', 1e-3],
      ['state_dict', dict],
      ['optimizer', [new Tuple(1, 2, 3, null, true), 2 ** 40, 70_000]],
    ]);
    const zeros = (bytes: number) => new Uint8Array(bytes);
    return checkpoint(value, { '0': zeros(384), '1': zeros(48), '2': zeros(8) });
  })(),
];

function checkpointCase(which: number, mutations: readonly Mutation[]): boolean {
  const entries = CHECKPOINTS[which]!;
  const pickle = mutate(entries['archive/data.pkl']!, mutations, true);
  const archive = archiveOf({ ...entries, 'archive/data.pkl': pickle });
  const held = [...archive.entries.values()].reduce((sum, bytes) => sum + bytes, 0);
  return refused(() => readAll(parseCheckpoint(archive), held));
}

/** Half of `runs` for each format. */
export function fuzzReaders(runs: number): void {
  const cases = (runs / 2).toLocaleString('en');
  const timed = (action: () => boolean, count: (wasRefused: boolean) => void): void => {
    const start = performance.now();
    count(action());
    expect(performance.now() - start).toBeLessThan(MAX_CASE_MS);
  };
  const bounded = (check: (count: (wasRefused: boolean) => void) => void): void => {
    const before = process.memoryUsage().rss;
    const ends = { refused: 0, read: 0 };
    check((wasRefused) => ends[wasRefused ? 'refused' : 'read']++);
    expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH_BYTES);
    // Both ends are reached: the damage is neither too much nor too little.
    expect(ends.refused).toBeGreaterThan(runs / 20);
    expect(ends.read).toBeGreaterThan(runs / 200);
  };

  it(`${cases} damaged safetensors headers end in a FormatError or a right load`, () => {
    bounded((count) =>
      fc.assert(
        fc.property(fc.nat(SAFETENSORS.length - 1), MUTATIONS, fc.nat(9), (which, mutations, n) =>
          timed(() => safetensorsCase(which, mutations, n > 0), count),
        ),
        { numRuns: runs / 2 },
      ),
    );
  });

  it(`${cases} damaged pickles end in a FormatError or a right load`, () => {
    bounded((count) =>
      fc.assert(
        fc.property(fc.nat(CHECKPOINTS.length - 1), MUTATIONS, (which, mutations) =>
          timed(() => checkpointCase(which, mutations), count),
        ),
        { numRuns: runs / 2 },
      ),
    );
  });
}
