import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
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
  type ModuleParts,
  moduleOf,
  type Picklable,
  parameter,
  pickle,
  StorageId,
  Tuple,
  tensorCall,
} from '../../checkpoint-files.js';

const STORAGES = { '0': new Uint8Array(96) };
const FLOATS = new StorageId('FloatStorage', '0', 24);
const tensor = tensorCall(FLOATS, 0, [3], [1]);
const weight = parameter(tensor);

const read = (value: Picklable, more: Entries = {}): TensorSource =>
  chooseDictionary(
    readArchive(archiveOf({ ...checkpoint(value, STORAGES), ...more })),
    ({ tensors }) => tensors.size,
  );
const jsonOf = (source: TensorSource, key: string): Record<string, unknown> | undefined => {
  const text = source.metadata.get(key);
  return text === undefined ? undefined : JSON.parse(text);
};

const conv = (state: Record<string, Picklable> = {}) =>
  moduleOf('torch.nn.modules.conv.Conv2d', {
    tensors: { weight, bias: null },
    state: {
      stride: new Tuple(2, 2),
      padding: new Tuple(3, 3),
      dilation: new Tuple(1, 1),
      ...state,
    },
  });
const bn = (eps: number) =>
  moduleOf('torch.nn.modules.batchnorm.BatchNorm2d', {
    tensors: { weight },
    buffers: { running_mean: tensor, running_var: tensor, half: tensor },
    state: { eps, _non_persistent_buffers_set: new Call(new Global('builtins', 'set'), ['half']) },
  });
const activation = (name: string, state: Record<string, Picklable> = {}) =>
  moduleOf(`torch.nn.modules.activation.${name}`, { state });
const net = (modules: ModuleParts['modules'] = {}, state = {}) =>
  moduleOf('my.Net', { modules: { conv1: conv(), ...modules }, state });

describe('a whole module', () => {
  it('is a state dict of the paths of its tensors, without buffers that are not saved', () => {
    const block = moduleOf('my.Block', { modules: { bn1: bn(1e-5), none: null } });
    const source = read(net({ layer1: moduleOf('Sequential', { modules: { '0': block } }) }));
    expect([...source.tensors.keys()]).toEqual([
      'conv1.weight',
      'layer1.0.bn1.weight',
      'layer1.0.bn1.running_mean',
      'layer1.0.bn1.running_var',
    ]);
    expect(source.warnings).toEqual([]);
  });

  it('is also read inside a dict, and has its own labels', () => {
    const checkpoint = dict({ model: net({}, { class_to_idx: dict({ b: 0, a: 1, c: 2 }) }) });
    const source = read(checkpoint);
    expect([...source.tensors.keys()]).toEqual(['conv1.weight']);
    expect(jsonOf(source, 'labels')).toEqual(['b', 'a', 'c']);
  });

  it('states strides, paddings, dilations and epsilons of its layers', () => {
    const source = read(
      net({
        same: conv({ padding: 'same', stride: new Tuple(1, 1) }),
        valid: conv({ padding: 'valid' }),
        tf: moduleOf('timm.layers.Conv2dSame', {
          tensors: { weight },
          state: { stride: new Tuple(2, 2), padding: new Tuple(0, 0) },
        }),
        bn1: bn(1e-3),
        pool: moduleOf('MaxPool2d', { state: { kernel_size: 3, stride: 2, padding: 1 } }),
        mean: moduleOf('AvgPool2d', {
          state: { kernel_size: new Tuple(2, 3), stride: null, padding: 0, ceil_mode: true },
        }),
      }),
    );
    expect(jsonOf(source, 'layers')).toEqual({
      conv1: { stride: [2, 2], padding: [3, 3], dilation: [1, 1] },
      same: { stride: [1, 1], dilation: [1, 1] },
      valid: { stride: [2, 2], padding: [0, 0], dilation: [1, 1] },
      tf: { stride: [2, 2] },
      bn1: { eps: 1e-3 },
      pool: { pool: 'max', kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
      mean: { pool: 'mean', kernel: [2, 3], stride: [2, 3], padding: [0, 0], ceilMode: true },
    });
  });

  it.each<[string, Record<string, Picklable>, string | undefined]>([
    ['one kind', { a: activation('ReLU'), b: activation('ReLU') }, 'relu'],
    [
      'a slope of its own',
      { a: activation('LeakyReLU', { negative_slope: 0.1 }) },
      'leaky_relu:0.1',
    ],
    ['the usual slope', { a: activation('LeakyReLU', { negative_slope: 0.01 }) }, 'leaky_relu'],
    ['that of another library', { a: moduleOf('timm.layers.activations.Swish') }, 'silu'],
    ['an approximation', { a: activation('GELU', { approximate: 'tanh' }) }, 'gelu_tanh'],
    [
      'but not gates and heads',
      {
        a: activation('SiLU'),
        se: moduleOf('my.SE', {
          modules: { act: activation('ReLU'), gate: activation('Sigmoid') },
        }),
        head: activation('Tanh'),
      },
      'silu',
    ],
    ['none', {}, undefined],
  ])('tells its activation function: %s', (_, modules, expected) => {
    const source = read(net(modules));
    expect(jsonOf(source, 'architecture')?.['activationFunction']).toBe(expected);
    expect(source.warnings).toEqual([]);
  });

  it('warns of activations of several kinds, and of modules that it does not know', () => {
    const shuffle = moduleOf('my.net.Shuffle');
    const standard = ['Identity', 'Dropout2d', 'DropPath', 'Flatten', 'AdaptiveAvgPool2d'].map(
      (name) => [name, moduleOf(name)] as const,
    );
    const source = read(
      net({
        ...Object.fromEntries(standard),
        a: activation('ReLU'),
        b: activation('SiLU'),
        ...Object.fromEntries([1, 2, 3, 4].map((i) => [`s${i}`, shuffle])),
      }),
    );
    expect(jsonOf(source, 'architecture')).toEqual({ activationFunction: 'relu' });
    expect(source.warnings).toEqual([
      's1, s2, s3 and more (my.net.Shuffle) is assumed to do nothing',
      'activations of several kinds: relu, silu',
    ]);
  });

  it('refuses blur pools, by name', () => {
    const read_ = () => read(net({ pool: moduleOf('timm.layers.BlurPool2d') }));
    expect(read_).toThrow(FormatError);
    expect(read_).toThrow('file: module pool is a BlurPool2d: blur pools are not supported');
  });

  it('ends in bounded time for modules that contain themselves, or each other twice', () => {
    const modules = dict({});
    const selfish = new Instance('my', 'Net', {
      state: dict({ _parameters: dict({ w: weight }), _modules: modules }),
    });
    modules.set('me', selfish);
    expect(() => read(selfish)).toThrow('file: modules nested too deeply');

    let twice = moduleOf('my.Leaf', { tensors: { weight } });
    for (let i = 0; i < 30; i++) twice = moduleOf('my.Two', { modules: { a: twice, b: twice } });
    expect(() => read(twice)).toThrow('file: more than 20000 modules');

    let few = moduleOf('my.Leaf', { tensors: { weight } });
    for (let i = 0; i < 3; i++) few = moduleOf('my.Two', { modules: { a: few, b: few } });
    expect(read(few).tensors.size).toBe(8);
  });
});

describe('a TorchScript program', () => {
  const script = (path: string, state: Record<string, Picklable>) => {
    const at = path.lastIndexOf('.');
    return new Instance(`__torch__.${path.slice(0, at)}`, path.slice(at + 1), {
      state: dict({ training: false, ...state }),
    });
  };
  const file = (path: string, ...lines: string[]): Entries => ({
    [`archive/code/__torch__/${path}.py`]: Buffer.from(lines.join('\n')),
  });
  const program = script('my.Net', {
    conv1: script('torch.nn.modules.conv.___torch_mangle_1.Conv2d', { weight, bias: null }),
    bn1: script('torch.nn.modules.batchnorm.BatchNorm2d', { weight, running_mean: tensor }),
    act: script('torch.nn.modules.activation.LeakyReLU', {}),
    pool: script('torch.nn.modules.pooling.MaxPool2d', {}),
  });
  const constants = { 'archive/constants.pkl': pickle(new Tuple()) };

  it('is a state dict of the attributes of its modules', () => {
    const source = read(program, constants);
    expect([...source.tensors.keys()]).toEqual(['conv1.weight', 'bn1.weight', 'bn1.running_mean']);
    expect([...source.metadata]).toEqual([]);
    expect(source.warnings).toEqual([]);
  });

  it.each<[string, Entries]>([
    [
      'a trace',
      {
        ...file(
          'torch/nn/modules/conv/___torch_mangle_1',
          'class Conv2d(Module):',
          '    x = torch._convolution(x, weight, None, [2, 1], [3, 0], [1, 1], False, [0, 0], 1)',
        ),
        ...file(
          'torch/nn/modules/batchnorm',
          'class BatchNorm2d(Module):',
          '    x = torch.batch_norm(x, weight, bias, m, v, False, 0.10000000000000001, 1.0e-03, True)',
        ),
        ...file(
          'torch/nn/modules/activation',
          'class LeakyReLU(Module):',
          '    return torch.leaky_relu_(x, 0.20000000000000001)',
        ),
        ...file(
          'torch/nn/modules/pooling',
          'class AdaptiveAvgPool2d(Module):',
          '    x = torch.adaptive_avg_pool2d(x, [1, 1])',
          'class MaxPool2d(Module):',
          '    x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1])',
        ),
      },
    ],
    [
      'a script',
      {
        ...file(
          'torch/nn/modules/conv/___torch_mangle_1',
          'class Conv2d(Module):',
          '    _1 = torch.conv2d(input, weight, bias, [2, 1], [3, 0], [1, 1])',
        ),
        ...file(
          'torch/nn/modules/batchnorm',
          'class BatchNorm2d(Module):',
          '  eps : Final[float] = 0.001',
          '    _0 = __torch__.torch.nn.functional.batch_norm',
        ),
        ...file(
          'torch/nn/modules/activation',
          'class LeakyReLU(Module):',
          '    _0 = __torch__.torch.nn.functional.leaky_relu',
          '    _1 = _0(input, 0.20000000000000001, False, )',
        ),
        ...file(
          'torch/nn/modules/pooling',
          'class MaxPool2d(Module):',
          '    _0 = __torch__.torch.nn.functional._max_pool2d',
          '    _1 = _0(input, [3, 3], [2, 2], [1, 1], [1, 1], False, False, )',
          'class Other(Module):',
        ),
      },
    ],
  ])('tells what its code says of its layers: %s', (_, code) => {
    const source = read(program, { ...constants, ...code });
    expect(jsonOf(source, 'layers')).toEqual({
      conv1: { stride: [2, 1], padding: [3, 0], dilation: [1, 1] },
      bn1: { eps: 0.001 },
      act: { activation: 'leaky_relu:0.2' },
      pool: { pool: 'max', kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
    });
    expect(jsonOf(source, 'architecture')).toEqual({ activationFunction: 'leaky_relu:0.2' });
  });

  it('does not read code files that are implausibly long', () => {
    const code = file(
      'torch/nn/modules/activation',
      'class LeakyReLU(Module):',
      'x'.repeat(2 ** 18),
    );
    expect([...read(program, { ...constants, ...code }).metadata]).toEqual([]);
  });
});
