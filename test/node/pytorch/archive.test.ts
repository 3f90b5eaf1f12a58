import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { networkOf } from '../../../src/explain.js';
import { jsKernels } from '../../../src/kernels/index.js';
import type { TensorSource } from '../../../src/model/index.js';
import { chooseDictionary, readArchive } from '../../../src/node/pytorch/index.js';
import {
  archiveOf,
  Call,
  checkpoint,
  dict,
  type Entries,
  Global,
  Instance,
  OrderedDict,
  PersistentId,
  type Picklable,
  parameter,
  StorageId,
  stateDict,
  Tuple,
  tensorCall,
} from '../../checkpoint-files.js';
import { hashImage, hashWeights, stateDictOf } from '../../hash-weights.js';
import { renameTensors, tensorsOf } from '../../weight-namings.js';

const SMALL = { depths: [1, 2], width: 8, classes: 5 };
const TENSORS = tensorsOf(hashWeights(stateDictOf(SMALL), 3));

/** 0, 1, 2, … */
const COUNT = Float32Array.from({ length: 24 }, (_, i) => i);
const STORAGES: Entries = { '0': new Uint8Array(COUNT.buffer) };
const FLOATS = new StorageId('FloatStorage', '0', 24);

const read = (value: Picklable, storages: Entries = STORAGES): TensorSource =>
  chooseDictionary(readArchive(archiveOf(checkpoint(value, storages))), (s) => s.tensors.size);

const tensorOf = (elements: number): Call => tensorCall(FLOATS, 0, [elements], [1]);

/** The first two elements of a storage. */
const rebuilt = (name: string, storage: StorageId, dtype = 'float32'): Call =>
  new Call(
    new Global('torch._utils', name),
    ...[storage, 0, new Tuple(2), new Tuple(1), false, null, new Global('torch', dtype)],
  );

const dictOf = (tensors: Record<string, Picklable>): OrderedDict =>
  new OrderedDict(Object.entries(tensors));

function valuesOf(source: TensorSource, tensor: string, begin = 0, length?: number): number[] {
  const size = source.tensors.get(tensor)!.shape.reduce((product, n) => product * n, 1);
  const out = new Float32Array(length ?? size - begin);
  source.readInto(out, tensor, begin);
  return [...out];
}

describe('readArchive', () => {
  it('does not read a pickle that is implausibly long', () => {
    const archive = {
      name: 'file',
      entries: new Map([['data.pkl', 2 ** 40]]),
      read: () => expect.fail('it was read'),
    };
    const message = 'file: pickle of 1099511627776 bytes, at most 67108864 are read';
    expect(() => readArchive(archive)).toThrow(message);
  });

  it('gives a ResNet the same bits as other formats, also with step counters', () => {
    const { dict, storages } = stateDict(TENSORS);
    const counter = tensorCall(new StorageId('LongStorage', 'n', 1), 0, [], []);
    const value = new OrderedDict([...dict.entries, ['bn1.num_batches_tracked', counter]]);
    const source = read(value, { ...storages, n: new Uint8Array(8).fill(1) });
    expect(source.tensors.get('bn1.num_batches_tracked')).toEqual({ dtype: 'I64', shape: [] });
    const logits = [source, hashWeights(stateDictOf(SMALL), 3)].map((weights) => {
      const pass = networkOf(weights, { kernels: jsKernels() }).forward(1, 33, 33);
      pass.input.set(hashImage(3, pass.input.length));
      pass.run();
      return pass.logits.slice();
    });
    expect(logits[0]).toEqual(logits[1]);
  });

  it.each<[string, (dict: OrderedDict) => Picklable]>([
    [
      'state_dict',
      (dict) =>
        new Map<Picklable, Picklable>([
          ['epoch', 90],
          ['state_dict', dict],
        ]),
    ],
    [
      'model',
      (dict) =>
        new Map<Picklable, Picklable>([
          ['model', dict],
          ['args', null],
        ]),
    ],
    ['model, twice', (dict) => new Map([['model', new Map([['state_dict', dict]])]])],
    [
      'state_dict beside an optimizer and a tensor',
      (dict) =>
        new Map<Picklable, Picklable>([
          ['best_acc1', tensorCall(new StorageId('FloatStorage', '0', 1176), 0, [], [])],
          [
            'optimizer',
            new Map<Picklable, Picklable>([
              ['state', new Map([[0, [1e-3, -5, 2 ** 40]]])],
              ['param_groups', [new Tuple()]],
            ]),
          ],
          ['state_dict', dict],
        ]),
    ],
  ])('finds the state dict in %s; module. is stripped by the network', (_, wrap) => {
    const { dict, storages } = stateDict(renameTensors(TENSORS, (name) => `module.${name}`));
    const source = read(wrap(dict), storages);
    expect(source.tensors.size).toBe(Object.keys(TENSORS).length);
    const { architecture } = networkOf(source, { kernels: jsKernels() });
    expect(architecture).toMatchObject(SMALL);
  });

  it('reads transposed, sliced and shared tensors, and parts of them', () => {
    const source = read(
      dictOf({
        all: tensorCall(FLOATS, 0, [2, 3, 4], [12, 4, 1]),
        transposed: tensorCall(FLOATS, 0, [4, 3, 2], [1, 4, 12]),
        column: tensorCall(FLOATS, 5, [3], [4]),
        tail: parameter(tensorCall(FLOATS, 20, [2, 2], [2, 1])),
        scalar: tensorCall(FLOATS, 7, [], []),
        empty: tensorCall(FLOATS, 0, [0, 9], [9, 1]),
        last: tensorCall(FLOATS, 0, [6, 1, 4], [4, 999, 1]),
      }),
    );
    expect(valuesOf(source, 'all')).toEqual([...COUNT]);
    const transposed = [0, 1, 2, 3].flatMap((k) => [0, 4, 8].flatMap((j) => [k + j, k + j + 12]));
    expect(valuesOf(source, 'transposed')).toEqual(transposed);
    for (let begin = 0; begin <= 24; begin++) {
      expect(valuesOf(source, 'transposed', begin)).toEqual(transposed.slice(begin));
    }
    expect(valuesOf(source, 'transposed', 5, 7)).toEqual(transposed.slice(5, 12));
    expect(valuesOf(source, 'column')).toEqual([5, 9, 13]);
    expect(valuesOf(source, 'tail')).toEqual([20, 21, 22, 23]);
    expect(valuesOf(source, 'scalar')).toEqual([7]);
    expect(valuesOf(source, 'empty')).toEqual([]);
    expect(valuesOf(source, 'last')).toEqual([...COUNT]);
    expect(() => valuesOf(source, 'column', 1, 3)).toThrow('tensor column [3] has no elements 1…4');
    expect(() => source.readInto(new Float32Array(1), 'none', 0)).toThrow('tensor none is missing');
  });

  it('reads expanded tensors, and those of other rebuilders', () => {
    const bytes = new StorageId('UntypedStorage', '0', 96);
    const first = new Tuple(...[bytes, 0, new Tuple(2), new Tuple(1), false, null]);
    const source = read(
      dictOf({
        all: tensorCall(FLOATS, 0, [24], [1]),
        expanded: tensorCall(FLOATS, 5, [2, 3], [0, 0]),
        rows: tensorCall(FLOATS, 1, [3, 2], [0, 1]),
        v1: rebuilt('_rebuild_tensor', FLOATS),
        v3: rebuilt('_rebuild_tensor_v3', bytes, 'float32'),
        f8: rebuilt('_rebuild_tensor_v3', bytes, 'float8_e4m3fn'),
        size: new Call(
          new Global('torch._utils', '_rebuild_tensor'),
          ...[FLOATS, 0, new Call(new Global('torch', 'Size'), new Tuple(2)), new Tuple(1)],
        ),
        parameter: new Call(new Global('torch.nn.parameter', 'Parameter'), tensorOf(2), true),
        buffer: new Call(new Global('torch.nn.parameter', 'Buffer'), tensorOf(2)),
        stated: new Call(
          new Global('torch._utils', '_rebuild_parameter_with_state'),
          ...[tensorOf(2), true, new Map(), dict({ extra: 5 })],
        ),
        typed: new Call(
          new Global('torch._tensor', '_rebuild_from_type_v2'),
          ...[new Global('torch._utils', '_rebuild_tensor_v2'), new Global('my', 'Tensor')],
          ...[new Tuple(FLOATS, 0, new Tuple(2), new Tuple(1), false, null), new Map()],
        ),
        complex: tensorCall(new StorageId('ComplexFloatStorage', '0', 12), 0, [12], [1]),
        sparse: new Call(new Global('torch._utils', '_rebuild_sparse_tensor'), first),
      }),
    );
    expect(valuesOf(source, 'expanded')).toEqual([5, 5, 5, 5, 5, 5]);
    expect(valuesOf(source, 'rows')).toEqual([1, 2, 1, 2, 1, 2]);
    for (const tensor of ['v1', 'v3', 'size', 'parameter', 'buffer', 'stated', 'typed']) {
      expect(valuesOf(source, tensor)).toEqual([0, 1]);
    }
    expect(source.tensors.get('f8')).toEqual({ dtype: 'F8_E4M3', shape: [2] });
    expect(() => valuesOf(source, 'f8')).toThrow('tensor f8 has dtype F8_E4M3');
    expect(() => valuesOf(source, 'complex')).toThrow('tensor complex has dtype C64');
    expect(source.tensors.has('sparse')).toBe(false);
  });

  it('reads dicts of Python 2 and of protocols 0 and 1', () => {
    const pairs = new Call(new Global('collections', 'OrderedDict'), [['a', tensorOf(2)]]);
    expect(valuesOf(read(pairs), 'a')).toEqual([0, 1]);
    const subclass = new Call(
      new Global('copy_reg', '_reconstructor'),
      ...[new Global('my', 'Dict'), new Global('__builtin__', 'dict'), dict({ a: tensorOf(2) })],
    );
    expect(valuesOf(read(subclass), 'a')).toEqual([0, 1]);
  });

  it('reads half, bfloat16 and double, and refuses to read integers as weights', () => {
    const halves = new Uint8Array(Uint16Array.of(0x3e00, 0xc000).buffer);
    const bfloats = new Uint8Array(Uint16Array.of(0x3fc0, 0xc000).buffer);
    const doubles = new Uint8Array(Float64Array.of(1.5, -2).buffer);
    const two = (type: string, key: string) => tensorCall(new StorageId(type, key, 2), 0, [2], [1]);
    const source = read(
      dictOf({
        h: two('HalfStorage', 'h'),
        b: two('BFloat16Storage', 'b'),
        d: two('DoubleStorage', 'd'),
        i: two('IntStorage', 'i'),
        strided: tensorCall(new StorageId('BoolStorage', 'i8', 8), 0, [2], [7]),
      }),
      { h: halves, b: bfloats, d: doubles, i: new Uint8Array(8), i8: new Uint8Array(8) },
    );
    for (const tensor of ['h', 'b', 'd']) expect(valuesOf(source, tensor)).toEqual([1.5, -2]);
    expect(() => valuesOf(source, 'strided')).toThrow(
      'tensor strided has dtype BOOL, expected F32',
    );
    expect(() => valuesOf(source, 'i')).toThrow(
      'file: tensor i has dtype I32, expected F32, F16, BF16 or F64',
    );
  });

  const tensor = tensorCall(FLOATS, 0, [24], [1]);
  it.each<[string, Picklable, string | RegExp]>([
    [
      'a call that would run something, and nothing else',
      new Call(new Global('os', 'system'), 'true'),
      /^file: no state dict: save one/,
    ],
    ['a global of the prototype', new Global('torch', 'constructor'), 'no state dict'],
    [
      'a storage of a class of its own',
      dictOf({ a: tensorCall(new StorageId('constructor', '0', 24), 0, [1], [1]) }),
      'a persistent id that is not a storage',
    ],
    [
      'a persistent id of nothing',
      new PersistentId(new Tuple()),
      'a persistent id that is not a storage',
    ],
    [
      'a tensor with nested types',
      new Call(
        new Global('torch._tensor', '_rebuild_from_type_v2'),
        ...[new Global('torch._tensor', '_rebuild_from_type_v2'), null, new Tuple(), null],
      ),
      'a tensor with nested types',
    ],
    [
      'a dtype that PyTorch has not',
      rebuilt('_rebuild_tensor_v3', new StorageId('UntypedStorage', '0', 96), 'float3'),
      'a tensor of a dtype that is not known',
    ],
    [
      'quantised tensors',
      dictOf({ 'fc.weight': new Call(new Global('torch._utils', '_rebuild_qtensor'), FLOATS) }),
      'quantised by PyTorch; save the state dict of the float model',
    ],
    [
      'packed parameters of a quantised program',
      new Instance('__torch__.torch.classes.quantized', 'LinearPackedParamsBase'),
      'quantised by PyTorch',
    ],
    [
      'a whole learner of fast.ai',
      new Instance('fastai.learner', 'Learner', { state: dictOf({ a: tensor }) }),
      /^file: fast.ai's export.pkl, a whole learner; save its weights: learn.save\('name'\)/,
    ],
    [
      'a storage that is missing',
      tensorCall(new StorageId('FloatStorage', '9', 1), 0, [1], [1]),
      'entry archive/data/9 is missing',
    ],
    [
      'a path for a storage',
      tensorCall(new StorageId('FloatStorage', '../data.pkl', 1), 0, [1], [1]),
      'entry archive/data/../data.pkl is missing',
    ],
    [
      'a storage of another length',
      tensorCall(new StorageId('DoubleStorage', '0', 24), 0, [1], [1]),
      'entry archive/data/0 expected 192 bytes for 24 of F64, got 96',
    ],
    [
      'a tensor behind its storage',
      tensorCall(FLOATS, 1, [24], [1]),
      'reaches outside entry archive/data/0 of 24 elements',
    ],
    [
      'strides that leave the storage',
      tensorCall(FLOATS, 0, [4, 7], [7, 1]),
      'reaches outside entry',
    ],
    [
      'an expanded tensor that is larger than all',
      dictOf({ all: tensor, more: tensorCall(FLOATS, 0, [100], [0]) }),
      'tensors of 496 bytes share storages of 96: at most 4 times',
    ],
    [
      'a size beyond all',
      dictOf({ a: tensorCall(FLOATS, 0, [2 ** 40, 2 ** 40], [0, 0]) }),
      'share storages of 96',
    ],
    ['a negative size', tensorCall(FLOATS, 0, [-1], [1]), 'a tensor without a storage, or without'],
    [
      'a negative offset',
      tensorCall(FLOATS, -1, [1], [1]),
      'a tensor without a storage, or without',
    ],
    [
      'sizes without strides',
      tensorCall(FLOATS, 0, [1], []),
      'a tensor without a storage, or without',
    ],
    [
      'more dimensions than PyTorch has',
      tensorCall(FLOATS, 0, Array(65).fill(1), Array(65).fill(1)),
      'a tensor without',
    ],
    ['one tensor alone', tensor, 'no state dict: save one'],
    ['a list', [tensor], 'no state dict'],
    [
      'a storage that is shared a hundredfold',
      dictOf(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, tensor]))),
      'tensors of 9600 bytes share storages of 96: at most 4 times',
    ],
  ])('refuses %s', (_, value, message) => {
    expect(() => read(value)).toThrow(FormatError);
    expect(() => read(value)).toThrow(message);
    expect(() => read(value)).toThrow(/^file: /);
  });

  it.each<[string, Entries, string]>([
    [
      'an archive without a pickle',
      { 'a/b': Buffer.of() },
      'no PyTorch checkpoint: 0 entries data.pkl',
    ],
    [
      'two checkpoints in one',
      { 'a/data.pkl': Buffer.of(), 'b/data.pkl': Buffer.of() },
      '2 entries',
    ],
    [
      'a frozen TorchScript program',
      {
        ...checkpoint(new Instance('__torch__', 'Net', { state: dict({ training: false }) }), {}),
        'archive/constants.pkl': Buffer.of(),
      },
      'a TorchScript program without its own weights, probably frozen',
    ],
    [
      'big-endian storages',
      { ...checkpoint(dictOf({ tensor }), STORAGES), 'archive/byteorder': Buffer.from('big') },
      'entry archive/byteorder says big, expected little',
    ],
    ['an empty pickle', { 'data.pkl': Buffer.of() }, 'pickle, byte 0: truncated'],
  ])('refuses %s', (_, entries, message) => {
    expect(() => readArchive(archiveOf(entries))).toThrow(`file: `);
    expect(() => readArchive(archiveOf(entries))).toThrow(message);
  });
});
