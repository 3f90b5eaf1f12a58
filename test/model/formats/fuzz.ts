/**
 * Damaged files by the thousand: mutated headers of safetensors, mutated pickles and checkpoints. Each must end in a
 * FormatError, or in tensors that lie in their file, all of which can be read; in bounded time and memory.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import {
  type ByteSource,
  labelsOf,
  parseSafetensors,
  preprocessingOf,
  recognizeNetwork,
  type TensorSource,
} from '../../../src/model/index.js';
import { checkTensors, layersOf } from '../../../src/model/layers.js';
import { type Config, factsOfConfig, isConfig } from '../../../src/node/config.js';
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
  dict,
  type Entries,
  Instance,
  legacyFile,
  moduleOf,
  OrderedDict,
  type Picklable,
  parameter,
  pickle,
  StorageId,
  stateDict,
  strictPiece,
  Tuple,
  tar,
  tarEntries,
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
const OPCODES: readonly number[] = [
  ...Buffer.from('()]}.eaustbRcQqrhjXKMJGN0PioUT12VSdgplBCLFI'),
  ...[0x80, 0x81, 0x82, 0x85, 0x86, 0x87, 0x88, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f],
  ...[0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97],
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
    const byte = opcodes && value % 2 ? OPCODES[value % OPCODES.length]! : value;
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

const zeros = (bytes: number) => new Uint8Array(bytes);

/** A checkpoint whose tensors share storages, beside an optimizer's state. */
function training(): { value: Picklable; storages: Entries } {
  const shared = new StorageId('FloatStorage', '0', 96);
  const half = new StorageId('HalfStorage', '1', 24);
  const state = new OrderedDict([
    ['module.a.weight', tensorCall(shared, 0, [4, 6, 2], [1, 4, 24])],
    ['module.b.weight', parameter(tensorCall(shared, 48, [4, 3, 2, 2], [12, 4, 2, 1]))],
    ['module.c.num_batches_tracked', tensorCall(new StorageId('LongStorage', '2', 1), 0, [], [])],
    ['module.d.bias', tensorCall(half, 3, [5], [4])],
  ]);
  const value = dict({
    epoch: 90,
    lr: 1e-3,
    state_dict: state,
    optimizer: [new Tuple(1, 2, 3, null, true), 2 ** 40, 70_000],
  });
  return { value, storages: { '0': zeros(384), '1': zeros(48), '2': zeros(8) } };
}

const FLOATS = new StorageId('FloatStorage', '0', 24);
const weight = parameter(tensorCall(FLOATS, 0, [2, 3, 2, 2], [12, 4, 2, 1]));
const bias = tensorCall(FLOATS, 3, [3], [0]);

/** Several dictionaries among objects of other classes, and other values beside them. */
const WRAPPED: Picklable = dict({
  args: new Instance('argparse', 'Namespace', { state: dict({ arch: 'resnet18', lr: 0.1 }) }),
  best: new Instance('numpy', 'float64', { args: [1, 'x'] }),
  class_to_idx: dict({ a: 0, b: 2, c: 1 }),
  config: dict({ model_type: 'resnet', depths: [1, 2] }),
  counts: new Instance('collections', 'Counter', { entries: new Map([[new Tuple(1), 2]]) }),
  ema: new Instance('easydict', 'EasyDict', { entries: dict({ w: weight, b: bias }) }),
  model: dict({ w: weight, b: bias }),
  parts: [new Tuple(dict({ w: weight })), new Instance('my', 'List', { items: [1, 2] })],
});

const MODULE: Picklable = moduleOf('my.Net', {
  modules: {
    conv1: moduleOf('Conv2d', {
      tensors: { weight, bias: null },
      state: { stride: new Tuple(2, 2), padding: new Tuple(3, 3), dilation: new Tuple(1, 1) },
    }),
    bn1: moduleOf('BatchNorm2d', { buffers: { running_mean: bias }, state: { eps: 1e-3 } }),
    act: moduleOf('LeakyReLU', { state: { negative_slope: 0.1 } }),
    pool: moduleOf('MaxPool2d', { state: { kernel_size: 3, stride: 2, padding: 1 } }),
    odd: moduleOf('Shuffle'),
  },
  state: { classes: new Tuple('a', 'b', 'c') },
});

const SCRIPT: Picklable = new Instance('__torch__', 'Net', {
  state: dict({
    training: false,
    conv1: new Instance('__torch__.conv', 'Conv2d', { state: dict({ weight, bias: null }) }),
    act: new Instance('__torch__.conv', 'LeakyReLU', { state: dict({ training: false }) }),
  }),
});
const CODE = `class Conv2d(Module):
  weight : Tensor
  def forward(self, x: Tensor) -> Tensor:
    return torch._convolution(x, weight, None, [2, 2], [3, 3], [1, 1], False, [0, 0], 1)
class LeakyReLU(Module):
    return torch.leaky_relu_(x, 0.10000000000000001)
`;

/** A file of which some bytes are damaged. */
interface Damageable {
  readonly bytes: Uint8Array;
  /** Whether they are a pickle, for the most part. */
  readonly isPickle: boolean;
  /** The checkpoint of other bytes, and how many bytes of tensors the file has room for. */
  read(bytes: Uint8Array): { checkpoint: Checkpoint; held: number };
}

function archive(entries: Entries, damaged: string): Damageable {
  return {
    bytes: entries[damaged]!,
    isPickle: damaged.endsWith('.pkl'),
    read(bytes) {
      const file = archiveOf({ ...entries, [damaged]: bytes });
      const held = [...file.entries.values()].reduce((sum, length) => sum + length, 0);
      return { checkpoint: readArchive(file), held };
    },
  };
}

function wholeFile(
  bytes: Uint8Array,
  read: (file: ByteSource, name: string) => Checkpoint,
): Damageable {
  const sourceOf = (file: Uint8Array): ByteSource => ({
    length: file.length,
    read: (begin, end) => strictPiece(file, begin, end),
  });
  return {
    bytes,
    isPickle: true,
    read: (file) => ({ checkpoint: read(sourceOf(file), 'file'), held: file.length }),
  };
}

const PICKLE = 'archive/data.pkl';
const SCRIPT_FILES: Entries = {
  ...checkpoint(SCRIPT, { '0': zeros(96) }),
  'archive/constants.pkl': pickle(new Tuple()),
  'archive/code/__torch__/conv.py': Buffer.from(CODE),
};
const SMALL = stateDict(TENSORS);
const TRAINING = training();

const ARCHIVES: readonly Damageable[] = [
  archive(checkpoint(SMALL.dict, SMALL.storages), PICKLE),
  archive(checkpoint(TRAINING.value, TRAINING.storages), PICKLE),
  archive(checkpoint(WRAPPED, { '0': zeros(96) }), PICKLE),
  archive(checkpoint(MODULE, { '0': zeros(96) }), PICKLE),
  archive(SCRIPT_FILES, PICKLE),
  archive(SCRIPT_FILES, 'archive/code/__torch__/conv.py'),
];

const OLD: readonly Damageable[] = [
  wholeFile(legacyFile(WRAPPED, { '0': zeros(96) }), readLegacy),
  wholeFile(legacyFile(MODULE, { '0': zeros(96) }), readLegacy),
  wholeFile(tar(tarEntries(new Float32Array(6))), readTar),
];

function checkpointCase(file: Damageable, mutations: readonly Mutation[]): boolean {
  const bytes = mutate(file.bytes, mutations, file.isPickle);
  return refused(() => {
    const { checkpoint, held } = file.read(bytes);
    // An expanded tensor may have four times as many elements as the storages have bytes.
    for (const source of checkpoint.dictionaries.values()) readAll(source, 4 * held);
    refused(() => chooseDictionary(checkpoint, ({ tensors }) => tensors.size).metadata);
  });
}

/** Configurations of Hugging Face and of timm, with that of a preprocessor. */
const CONFIGS: readonly Uint8Array[] = [
  {
    config: {
      ...{ model_type: 'resnet', hidden_act: 'leaky_relu', downsample_in_first_stage: true },
      ...{ downsample_in_bottleneck: true, id2label: { 0: 'a', 1: 'ü', 2: 'c' } },
    },
    preprocessor: {
      ...{ size: { shortest_edge: 32 }, crop_pct: 0.875, resample: 3, do_normalize: true },
      ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.25, 1], rescale_factor: 1 / 255 },
    },
  },
  {
    config: {
      ...{ architecture: 'resnet50', model_args: { act_layer: 'silu', output_stride: 16 } },
      label_names: ['a', 'b', 'c'],
      pretrained_cfg: {
        ...{ mean: [0.4, 0.5, 0.6], std: [1, 1, 2], input_size: [3, 64, 64], crop_pct: 0.9 },
        interpolation: 'bicubic',
      },
    },
  },
].map((said) => Buffer.from(JSON.stringify(said)));

const BARE = parseSafetensors(writeSafetensors(TENSORS), 'file');

function configCase(which: number, mutations: readonly Mutation[]): boolean {
  const text = mutate(CONFIGS[which]!, mutations, false).toString();
  let said: { config?: unknown; preprocessor?: unknown };
  try {
    said = JSON.parse(text);
  } catch {
    return true;
  }
  const { config, preprocessor } = said ?? {};
  if (!isConfig(config)) return true;
  return refused(() => {
    const facts = factsOfConfig(config, isConfigText(preprocessor) ? preprocessor : {});
    const metadata = new Map([
      ['architecture', JSON.stringify(facts.architecture)],
      ['preprocessing', JSON.stringify(facts.preprocessing)],
    ]);
    const { graph } = recognizeNetwork({ ...BARE, metadata });
    preprocessingOf({ ...BARE, metadata }, 3);
    expect(graph.classes).toBe(3);
    expect((facts.labels ?? []).every((label) => typeof label === 'string')).toBe(true);
  });
}

function isConfigText(value: unknown): value is Config {
  return typeof value === 'object' && value !== null;
}

/** A quarter of `runs` for each: safetensors, zipped checkpoints, those of before, configurations. */
export function fuzzReaders(runs: number): void {
  const cases = (runs / 4).toLocaleString('en');
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
        { numRuns: runs / 4 },
      ),
    );
  });

  it.each([
    ['checkpoints', ARCHIVES],
    ['checkpoints of before 1.6', OLD],
  ])(`${cases} damaged %s end in a FormatError or a right load`, (_, files) => {
    bounded((count) =>
      fc.assert(
        fc.property(fc.nat(files.length - 1), MUTATIONS, (which, mutations) =>
          timed(() => checkpointCase(files[which]!, mutations), count),
        ),
        { numRuns: runs / 4 },
      ),
    );
  });

  it(`${cases} damaged configurations end in a FormatError or a right load`, () => {
    bounded((count) =>
      fc.assert(
        fc.property(fc.nat(CONFIGS.length - 1), MUTATIONS, (which, mutations) =>
          timed(() => configCase(which, mutations), count),
        ),
        { numRuns: runs / 4 },
      ),
    );
  });
}
