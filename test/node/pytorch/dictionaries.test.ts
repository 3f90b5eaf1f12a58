import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import type { TensorSource } from '../../../src/model/index.js';
import { chooseDictionary, readArchive } from '../../../src/node/pytorch/index.js';
import {
  archiveOf,
  Call,
  checkpoint,
  dict,
  Global,
  Instance,
  OrderedDict,
  type Picklable,
  StorageId,
  Tuple,
  tensorCall,
} from '../../checkpoint-files.js';

const STORAGES = { '0': new Uint8Array(96) };
const FLOATS = new StorageId('FloatStorage', '0', 24);
const tensor = tensorCall(FLOATS, 0, [6], [1]);

/** A state dict of some tensors. */
const state = (...names: string[]): OrderedDict =>
  new OrderedDict(names.map((name) => [name, tensorCall(FLOATS, 0, [2, 3], [3, 1])]));

const read = (value: Picklable) => readArchive(archiveOf(checkpoint(value, STORAGES)));
const keysOf = (value: Picklable): string[] => [...read(value).dictionaries.keys()];
/** Tensors without a prefix, as if a network took those. */
const bySize = ({ tensors }: TensorSource): number =>
  [...tensors.keys()].filter((name) => !name.includes('.')).length;
const metadataOf = (value: Picklable): Record<string, unknown> => {
  const { metadata } = chooseDictionary(read(value), bySize);
  return Object.fromEntries([...metadata].map(([key, text]) => [key, JSON.parse(text)]));
};

describe('the dictionaries of a checkpoint', () => {
  it.each<[string, Picklable, string[]]>([
    ['a state dict', state('a'), ['']],
    ['one in a dict', dict({ epoch: 3, net: state('a') }), ['net']],
    [
      'several, outermost first',
      dict({ best: tensor, model: dict({ ema: state('a'), raw: state('b') }), z: state('c') }),
      ['', 'z', 'model.ema', 'model.raw'],
    ],
    ['those of a list and a tuple', [state('a'), new Tuple(state('b'), 1)], ['0', '1.0']],
    [
      'those of a subclass of dict',
      new Instance('easydict', 'EasyDict', { entries: dict({ model: state('a') }) }),
      ['model'],
    ],
    [
      'those of a Counter and its like, made of a dict',
      new Call(new Global('my', 'AttributeDict'), dict({ model: state('a') })),
      ['model'],
    ],
    [
      'those among the attributes of an object',
      new Instance('argparse', 'Namespace', { state: dict({ model: state('a') }) }),
      ['model'],
    ],
    [
      'those in the slots of an object',
      new Instance('my', 'Slots', { state: new Tuple(null, dict({ model: state('a') })) }),
      ['model'],
    ],
    [
      'an optimizer’s state, by numbers, is none',
      dict({
        model: state('a'),
        optimizer: dict({ state: new Map([[0, dict({ momentum: tensor })]]) }),
      }),
      ['model'],
    ],
    [
      'one that is there twice, where it is first',
      (() => {
        const shared = state('a');
        return new Tuple(shared, shared);
      })(),
      ['0', '1'],
    ],
  ])('are %s', (_, value, keys) => {
    expect(keysOf(value)).toEqual(keys);
  });

  it('leaves out one that claims more than its storages hold', () => {
    const greedy = dict({ a: tensorCall(FLOATS, 0, [1000], [0]) });
    expect(keysOf(dict({ greedy, model: state('a') }))).toEqual(['model']);
  });

  it('does not follow objects that contain themselves, nor repeated lists of lists', () => {
    // A dict under whose key it is itself, beside a tensor: { self: …, list: [[…], […]] }.
    const bytes = checkpoint(dict({ a: tensor }), STORAGES);
    const twice = '2\x86'.repeat(100);
    const end = `X\x04\0\0\0selfh\x00sX\x04\0\0\0list]${twice}s.`;
    const pickled = bytes['archive/data.pkl']!;
    bytes['archive/data.pkl'] = Buffer.concat([
      pickled.subarray(0, pickled.length - 1),
      Buffer.from(end, 'latin1'),
    ]);
    expect([...readArchive(archiveOf(bytes)).dictionaries.keys()]).toEqual(['']);
  });

  it('finds 64 at most, and none deeper than 6 dicts', () => {
    const many = Array.from({ length: 100 }, () => state('a'));
    expect(keysOf(many)).toHaveLength(64);
    const nested = (depth: number): Picklable =>
      depth === 0 ? state('a') : dict({ d: nested(depth - 1) });
    expect(keysOf(nested(6))).toEqual(['d.d.d.d.d.d']);
    expect(() => keysOf(nested(7))).toThrow('no state dict');
  });
});

describe('chooseDictionary', () => {
  const two = dict({ state_dict: state('a', 'b'), state_dict_ema: state('a', 'b'), x: state('c') });

  it('takes the one that fits best, the first of equals, and names the others', () => {
    const chosen = chooseDictionary(read(two), bySize);
    expect(chosen.warnings).toEqual([
      'read state_dict; the file also has state_dict_ema; to read another: fastcam --state-dict',
    ]);
    const c = chooseDictionary(read(two), ({ tensors }) => (tensors.has('c') ? 1 : 0));
    expect([...c.tensors.keys()]).toEqual(['c']);
    expect(c.warnings).toEqual([]);
  });

  it('joins several if a network is stored in parts', () => {
    const parts = dict({ backbone: state('a', 'b'), classifier: state('c') });
    const all = chooseDictionary(read(parts), ({ tensors }) => tensors.size);
    expect([...all.tensors.keys()]).toEqual(['backbone.a', 'backbone.b', 'classifier.c']);
    expect([...chooseDictionary(read(parts), bySize).tensors.keys()]).toEqual(['a', 'b']);
  });

  it('takes the largest where none fits', () => {
    expect([...chooseDictionary(read(two), () => 0).tensors.keys()]).toEqual(['a', 'b']);
  });

  it('takes the one that is asked for; . is the whole file', () => {
    const checkpoint = read(dict({ best: tensor, model: state('a', 'b') }));
    expect(chooseDictionary(checkpoint, bySize, 'model').tensors.size).toBe(2);
    for (const root of ['.', '']) {
      expect([...chooseDictionary(checkpoint, bySize, root).tensors.keys()]).toEqual(['best']);
    }
    expect(chooseDictionary(read(two), bySize, 'state_dict').warnings).toEqual([]);
  });

  it('lists the existing ones if one is missing', () => {
    const choose = () => chooseDictionary(read(two), bySize, 'X\ny');
    expect(choose).toThrow(FormatError);
    expect(choose).toThrow(
      'file: no state dict is called X?y; there are state_dict, state_dict_ema, x',
    );
    const many = read([
      tensorCall(FLOATS, 0, [1], [1]),
      ...Array(30)
        .fill(0)
        .map(() => state('a')),
    ]);
    expect(() => chooseDictionary(many, bySize, 'z')).toThrow('9, 10 and 20 more');
    const root = read(dict({ a: tensor, model: state('a') }));
    expect(() => chooseDictionary(root, bySize, 'z')).toThrow('there are ., model');
  });
});

describe('values beside the weights', () => {
  const model = dict({
    'fc.bias': tensorCall(FLOATS, 0, [3], [1]),
    w: tensorCall(FLOATS, 0, [1], [1]),
  });
  const namespace = (entries: Record<string, Picklable>) =>
    new Instance('argparse', 'Namespace', { state: dict(entries) });

  it.each<[string, Record<string, Picklable>, unknown]>([
    ['class_to_idx', { class_to_idx: dict({ b: 1, a: 0, c: 2 }) }, ['a', 'b', 'c']],
    [
      'idx_to_class',
      {
        idx_to_class: new Map([
          [1, 'b'],
          [0, 'a'],
          [2, 'c'],
        ]),
      },
      ['a', 'b', 'c'],
    ],
    [
      'id2label, by text',
      { config: dict({ id2label: dict({ '0': 'x', '1': 'y', '2': 'z' }) }) },
      ['x', 'y', 'z'],
    ],
    ['classes', { classes: new Tuple('a', 'b', 'c') }, ['a', 'b', 'c']],
    ['OpenMMLab’s', { meta: dict({ CLASSES: ['a', 'b', 'c'] }) }, ['a', 'b', 'c']],
    [
      'mmengine’s',
      { meta: dict({ dataset_meta: dict({ classes: ['a', 'b', 'c'] }) }) },
      ['a', 'b', 'c'],
    ],
    [
      'those of the options',
      { args: namespace({ class_names: ['a', 'b', 'c'] }) },
      ['a', 'b', 'c'],
    ],
    ['two names of one logit', { classes: ['no', 'yes'] }, ['no', 'yes']],
    ['names of another number of classes', { classes: ['a', 'b', 'c', 'd'] }, undefined],
    [
      'a set, which has no order',
      { classes: new Call(new Global('builtins', 'set'), ['a', 'b', 'c']) },
      undefined,
    ],
    ['indices that are there twice', { class_to_idx: dict({ a: 0, b: 1, c: 1 }) }, undefined],
    ['indices that begin at 1', { class_to_idx: dict({ a: 1, b: 2, c: 3 }) }, undefined],
    ['what is no text', { classes: ['a', 'b', 3] }, undefined],
  ])('gives the labels: %s', (_, beside, labels) => {
    expect(metadataOf(dict({ model, ...beside }))['labels']).toEqual(labels);
  });

  it.each<[string, Record<string, Picklable>, unknown]>([
    ['arch', { arch: 'resnet18' }, { name: 'resnet18' }],
    ['that of the options', { args: namespace({ arch: 'resnet34' }) }, { name: 'resnet34' }],
    ['timm’s model', { args: namespace({ model: 'resnet50d' }) }, { name: 'resnet50d' }],
    ['hyper-parameters', { hyper_parameters: dict({ backbone: 'vgg16' }) }, { name: 'vgg16' }],
    ['the file’s before the options’', { args: dict({ arch: 'b' }), arch: 'a' }, { name: 'a' }],
    ['no object', { arch: dict({}) }, undefined],
    ['no text of a page', { arch: 'x'.repeat(101) }, undefined],
  ])('gives the architecture: %s', (_, beside, architecture) => {
    expect(metadataOf(dict({ model, ...beside }))['architecture']).toEqual(architecture);
  });

  it('gives a configuration of plain values', () => {
    const config = dict({
      model_type: 'resnet',
      depths: [1, 2],
      path: new Call(new Global('pathlib', 'PosixPath'), 'a'),
      __proto__x: null,
      nested: dict({ a: true, b: new Tuple(1.5) }),
      f: Number.POSITIVE_INFINITY,
    });
    expect(metadataOf(dict({ model, config }))['config']).toEqual({
      model_type: 'resnet',
      depths: [1, 2],
      path: null,
      __proto__x: null,
      nested: { a: true, b: [1.5] },
      f: null,
    });
    expect(metadataOf(dict({ model, config: dict({ lr: 0.1 }) }))).toEqual({});
  });
});
