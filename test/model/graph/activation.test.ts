/** Activation functions as operators: their names, their marks, every backend, and their place in a plan. */

import { describe, expect, it } from 'vitest';
import {
  ACTIVATIONS,
  type ActivationName,
  isConv2d,
  type OperatorStep,
} from '../../../src/kernels/index.js';
import {
  activation,
  activationNamed,
  parseActivation,
} from '../../../src/model/graph/operators/activation.js';
import { adaptiveMean } from '../../../src/model/graph/operators/adaptive-mean.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { plan } from '../../../src/model/graph/plan.js';
import { BACKENDS, runStep, seededFloats } from '../../kernels/backends.js';
import { conv, graphOf, type Row } from './graph-of.js';

const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

describe('names of activation functions', () => {
  it.each([
    ...['ReLU', 'ReLU6', 'LeakyReLU', 'ELU', 'CELU', 'SELU', 'SiLU', 'GELU', 'Hardswish'],
    ...['Hardsigmoid', 'Sigmoid', 'Tanh', 'Softplus', 'Mish'],
  ])('are PyTorch’s classes: %s', (name) => {
    const written = name === 'LeakyReLU' ? 'leaky_relu' : name.toLowerCase();
    expect(parseActivation(name)?.name).toBe(written);
    expect(parseActivation(written)?.name).toBe(written);
  });

  it.each(NAMES)('are those of the kernels: %s', (name) => {
    expect(parseActivation(name)).toMatchObject({ name });
    expect(activationNamed(parseActivation(name)!).kind).toBe(name);
  });

  it.each([
    ['swish', 'silu'],
    ['Swish', 'silu'],
    ['hard_swish', 'hardswish'],
    ['hard-swish', 'hardswish'],
    ['HardSwish', 'hardswish'],
    ['hard_sigmoid', 'hardsigmoid'],
    ['gelu_new', 'gelu_tanh'],
    ['gelu-new', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
    ['GELUTanh', 'gelu_tanh'],
    ['QuickGELU', 'quick_gelu'],
    ['LEAKY_RELU', 'leaky_relu'],
    ['leakyrelu', 'leaky_relu'],
    [' relu ', 'relu'],
  ])('have other spellings: %s is %s', (text, name) => {
    expect(parseActivation(text)?.name).toBe(name);
  });

  it('take a parameter behind a colon, or PyTorch’s default', () => {
    const parsed = (text: string) => parseActivation(text);
    expect(parsed('leaky_relu')).toEqual({ name: 'leaky_relu', parameter: 0.01 });
    expect(parsed('leaky_relu:0.2')).toEqual({ name: 'leaky_relu', parameter: 0.2 });
    expect(parsed('LeakyReLU:1e-2')).toEqual({ name: 'leaky_relu', parameter: 0.01 });
    expect(parsed('elu')).toEqual({ name: 'elu', parameter: 1 });
    expect(parsed('elu:.5')).toEqual({ name: 'elu', parameter: 0.5 });
    expect(parsed('celu:-2')).toEqual({ name: 'celu', parameter: -2 });
    expect(parsed('silu')).toEqual({ name: 'silu' });
  });

  it.each([
    ...['', ':', ':0.2', 'prelu', 'linear', 'relu7', 'constructor', '__proto__', 'toString'],
    ...['leaky_relu:', 'leaky_relu:x', 'leaky_relu:0.1:0.2', 'leaky_relu:NaN', 'elu:Infinity'],
    ...['elu:1e39', 'elu:0x10', 'elu: 1', 'celu:0', 'celu:1e-60', 'relu:1', 'silu:1', 'relu:'],
  ])('are undefined for %j', (text) => {
    expect(parseActivation(text)).toBeUndefined();
  });
});

describe('activation functions as operators', () => {
  it('know which of them are nowhere negative, and that only ReLU6 leaves many zeros', () => {
    const ranges = NAMES.map((name) => activation(name).range!([]));
    expect(NAMES.filter((_, i) => ranges[i]!.nonNegative)).toEqual([
      ...['relu6', 'hardsigmoid', 'sigmoid', 'softplus'],
    ]);
    expect(NAMES.filter((_, i) => ranges[i]!.sparse)).toEqual(['relu6']);
    // What is claimed holds.
    const x = seededFloats(4000, 3).map((value, i) => (i % 2 === 0 ? 120 : 8) * value);
    for (const [i, name] of NAMES.entries()) {
      const out = x.slice();
      ACTIVATIONS[name](out, x, 1);
      if (ranges[i]!.nonNegative) expect(Math.min(...out)).toBeGreaterThanOrEqual(0);
    }
  });

  it('are marked as ends of scales, ReLU too, which keeps an operator of its own', () => {
    for (const name of NAMES) expect(activation(name).isActivation).toBe(true);
    expect(relu().isActivation).toBe(true);
    expect(activationNamed({ name: 'relu' }).kind).toBe('relu');
  });
});

describe.each(BACKENDS)('activation functions on $name', async ({ make }) => {
  const kernels = await make();
  const special = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 1e-40, -1e-40, 3e38, -3e38, 6];

  /** What the operator's step makes of x, [1, 1, 1, C]. */
  const run = (name: ActivationName, x: Float32Array, parameter?: number): Float32Array => {
    const shape = { H: 1, W: 1, C: x.length };
    const context = { N: 1, inputs: [shape], shape, buffers: [0], out: 1, sparse: false };
    const [step] = activation(name, parameter).steps(context);
    const out = new Float32Array(x.length).fill(7);
    runStep(kernels, step!, [x.slice(), out]);
    return out;
  };
  const reference = (name: ActivationName, x: Float32Array, parameter = NaN): Float32Array => {
    const out = new Float32Array(x.length);
    ACTIVATIONS[name](out, x, Math.fround(parameter));
    return out;
  };

  it.each<[ActivationName, ...number[]]>([
    ...NAMES.filter((name) => !['leaky_relu', 'elu', 'celu'].includes(name)).map(
      (name): [ActivationName] => [name],
    ),
    // Slopes that `max(x, slope·x)` would not do for, and one that float32 has not.
    ...[0.01, 0.2, 0, 1, 1.5, -0.5].map((slope): [ActivationName, number] => ['leaky_relu', slope]),
    ...[1, 0.3].map((alpha): [ActivationName, number] => ['elu', alpha]),
    ...[1, 0.3].map((alpha): [ActivationName, number] => ['celu', alpha]),
  ])('%s %s is the reference bit for bit, at every length around a vector', (name, parameter) => {
    for (const length of [1, 2, 3, 4, 5, 7, 8, 9, 33]) {
      const random = seededFloats(length, length).map((value) => 9 * value);
      for (let begin = 0; begin < special.length; begin += length) {
        const x = random.slice();
        x.set(special.slice(begin, begin + length));
        // Which tells 0 from −0.
        expect(run(name, x, parameter)).toEqual(reference(name, x, parameter));
      }
    }
  });

  it('are WebAssembly’s own where they are two straight lines', () => {
    const shape = { H: 1, W: 1, C: 5 };
    const context = { N: 1, inputs: [shape], shape, buffers: [0], out: 0, sparse: false };
    const isPortable = (name: ActivationName): boolean => {
      let calls = 0;
      const [step] = activation(name).steps(context);
      runStep(kernels, { ...step!, kernel: () => calls++ } as OperatorStep, [new Float32Array(5)]);
      return calls > 0;
    };
    const own = NAMES.filter((name) => !isPortable(name));
    expect(own).toEqual(kernels.name === 'js' ? [] : ['relu6', 'leaky_relu']);
  });

  it('leave what lies beside the value as it is', () => {
    for (const name of ['relu6', 'leaky_relu'] as const) {
      const shape = { H: 1, W: 1, C: 5 };
      const context = { N: 1, inputs: [shape], shape, buffers: [0], out: 1, sparse: false };
      const [step] = activation(name).steps(context);
      const places = [0, 5, 10].map((offset) => ({ offset, length: 5 }));
      const program = kernels.bind([step!], places, new Map());
      for (const i of [0, 1, 2]) program.buffer(i).fill(i + 1);
      program.run();
      expect([...program.buffer(0)]).toEqual([1, 1, 1, 1, 1]);
      expect([...program.buffer(1)]).toEqual([1, 1, 1, 1, 1]);
      expect([...program.buffer(2)]).toEqual([3, 3, 3, 3, 3]);
    }
  });
});

describe('activation functions in a plan', () => {
  const silu = activation('silu');
  const START: Row[] = [
    ['x', input(3)],
    ['conv1', conv('conv1', 3, 4), 'x'],
    ['act', silu, 'conv1'],
  ];
  const HEAD: Row[] = [
    ['mean', adaptiveMean(1, 1), 'last'],
    ['fc', conv('fc', 4, 4), 'mean'],
  ];
  const planOf = (ends: readonly string[], ...rows: Row[]) => {
    const graph = graphOf(...rows);
    const values = ends.map((end) => graph.nodes.findIndex(({ name }) => name === end));
    return plan({ graph, ends: values }, [1, 8, 8]);
  };

  it('overwrite their input, which nobody else reads', () => {
    const { steps } = planOf([], ...START, ['last', conv('conv2', 4, 4), 'act'], ...HEAD);
    const step = steps.find(({ op }) => op === 'silu')!;
    expect(!isConv2d(step) && step.inputs).toEqual([step.out]);
    expect(steps.map(({ op }) => op)).toEqual(['conv2d', 'silu', 'conv2d', 'globalMean', 'conv2d']);
  });

  it('leave an input that is read later', () => {
    const { steps } = planOf([], ...START, ['last', add(), 'act', 'conv1'], ...HEAD);
    const step = steps.find(({ op }) => op === 'silu')!;
    expect(!isConv2d(step) && step.inputs[0]).not.toBe(step.out);
  });

  it('leave an input that is the network’s features, or that two of them read', () => {
    const graph = graphOf(
      ...START,
      ['gate', activation('tanh'), 'conv1'],
      ['last', add(), 'act', 'gate'],
      ...HEAD,
    );
    const { steps, features } = plan({ graph, ends: [], features: 1 }, [1, 8, 8]);
    const written = steps.filter(({ op }) => op === 'silu' || op === 'tanh').map(({ out }) => out);
    expect(new Set([...written, features]).size).toBe(3);
  });

  it('are followed by a clamp of their own at the end of a scale, if the network reads on', () => {
    const { steps, taps } = planOf(
      ['act'],
      ...START,
      ['last', conv('conv2', 4, 4), 'act'],
      ...HEAD,
    );
    expect(steps.map(({ op }) => op).slice(0, 5)).toEqual([
      ...['conv2d', 'silu', 'relu', 'smoe', 'conv2d'],
    ]);
    const [, act, clamp, , next] = steps;
    expect(clamp!.out).not.toBe(act!.out);
    expect(isConv2d(next!) && next.x).toBe(act!.out);
    expect(taps.map(({ name, H }) => [name, H])).toEqual([['act', 8]]);
  });

  it('that are nowhere negative have no clamp, and ReLU6 lets the next convolution skip zeros', () => {
    const of = (name: ActivationName) => {
      const rows = START.slice(0, 2);
      const act: Row = ['act', activation(name), 'conv1'];
      return planOf(['act'], ...rows, act, ['last', conv('conv2', 4, 4), 'act'], ...HEAD).steps;
    };
    const relu6 = of('relu6');
    expect(relu6.map(({ op }) => op).slice(0, 4)).toEqual(['conv2d', 'relu6', 'smoe', 'conv2d']);
    const skips = (steps: ReturnType<typeof of>) => isConv2d(steps[3]!) && steps[3].sparse;
    expect([skips(relu6), skips(of('softplus'))]).toEqual([true, false]);
  });
});
