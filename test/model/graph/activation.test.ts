/** Activation functions as operators: their names, their marks, every backend, and their place in a plan. */

import { describe, expect, it } from 'vitest';
import {
  ACTIVATION_PARAMETERS,
  ACTIVATIONS,
  type ActivationName,
  isConv2d,
  type OperatorStep,
  type Statistic,
} from '../../../src/kernels/index.js';
import type { Operator } from '../../../src/model/graph/node.js';
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

/** Nothing is known of what goes in. */
const ANY = { nonNegative: false, sparse: false };

describe('names of activation functions', () => {
  it.each([
    ...['ReLU', 'ReLU6', 'LeakyReLU', 'ELU', 'CELU', 'SELU', 'SiLU', 'GELU', 'Hardswish'],
    ...['Hardsigmoid', 'Sigmoid', 'Tanh', 'Softplus', 'Mish'],
  ])('are PyTorch’s classes: %s', (name) => {
    const written = name === 'LeakyReLU' ? 'leaky_relu' : name.toLowerCase();
    expect(parseActivation(name)?.name).toBe(written);
    expect(parseActivation(written)?.name).toBe(written);
  });

  it.each(NAMES.filter((name) => name !== 'clip'))('are those of the kernels: %s', (name) => {
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

  it('take a parameter after a colon, or else PyTorch’s default', () => {
    const parsed = (text: string) => parseActivation(text);
    const [hundredth, fifth] = [Math.fround(0.01), Math.fround(0.2)];
    expect(parsed('leaky_relu')).toEqual({ name: 'leaky_relu', parameters: [hundredth] });
    expect(parsed('leaky_relu:0.2')).toEqual({ name: 'leaky_relu', parameters: [fifth] });
    expect(parsed('LeakyReLU:1e-2')).toEqual({ name: 'leaky_relu', parameters: [hundredth] });
    expect(parsed('elu')).toEqual({ name: 'elu', parameters: [1] });
    expect(parsed('elu:.5')).toEqual({ name: 'elu', parameters: [0.5] });
    expect(parsed('celu:-2')).toEqual({ name: 'celu', parameters: [-2] });
    expect(parsed('silu')).toEqual({ name: 'silu', parameters: [] });
  });

  it.each([
    ...['', ':', ':0.2', 'prelu', 'linear', 'relu7', 'constructor', '__proto__', 'toString'],
    ...['leaky_relu:', 'leaky_relu:x', 'leaky_relu:0.1:0.2', 'leaky_relu:NaN', 'elu:Infinity'],
    ...[
      'elu:1e39',
      'elu:0x10',
      'elu: 1',
      'celu:0',
      'clip',
      'clip:1',
      'hardsigmoid:0.2',
      'celu:1e-60',
      'relu:1',
      'silu:1',
      'relu:',
    ],
  ])('are undefined for %j', (text) => {
    expect(parseActivation(text)).toBeUndefined();
  });
});

describe('activation functions as operators', () => {
  it('know which of them are never negative, and which give many zeros', () => {
    const ranges = NAMES.map((name) => activation(name).range!([ANY]));
    expect(NAMES.filter((_, i) => ranges[i]!.nonNegative)).toEqual([
      ...['relu6', 'thresholded_relu', 'hardsigmoid', 'sigmoid', 'softplus'],
    ]);
    expect(NAMES.filter((_, i) => ranges[i]!.sparse)).toEqual(['relu6', 'thresholded_relu']);
    // The stated range must be true.
    const x = seededFloats(4000, 3).map((value, i) => (i % 2 === 0 ? 120 : 8) * value);
    for (const [i, name] of NAMES.entries()) {
      const out = x.slice();
      ACTIVATIONS[name](out, x, ...(ACTIVATION_PARAMETERS[name] ?? []));
      if (ranges[i]!.nonNegative) expect(Math.min(...out)).toBeGreaterThanOrEqual(0);
    }
  });

  it.each<[least: number, most: number, nonNegative: boolean, sparse: boolean]>([
    [0, 6, true, true],
    [0.5, 1, true, false],
    [-1, 1, false, false],
    [-Infinity, Infinity, false, false],
    [0, -1, false, false],
    [2, -1, false, false],
  ])('clip to %s … %s: nowhere negative %s, many zeros %s', (least, most, nonNegative, sparse) => {
    const operator = activation('clip', least, most);
    expect(operator.range!([ANY])).toEqual({ nonNegative, sparse });
    const x = Float32Array.of(-7, -1, -0.5, 0.25, 0.75, 1, 7);
    const out = x.slice();
    ACTIVATIONS.clip(out, x, least, most);
    expect([...out]).toEqual([...x].map((value) => Math.min(Math.max(value, least), most)));
  });

  it('are ReLU where they clip to 0 … ∞; parameters are rounded to float32', () => {
    expect(activation('clip', 0, Infinity).kind).toBe('relu');
    expect(activation('clip', 0).kind).toBe('relu');
    expect(activation('hardsigmoid').activation!.parameters).toEqual([1 / 6, 0.5]);
    expect(activation('hardsigmoid', 0.2).activation!.parameters).toEqual([Math.fround(0.2), 0.5]);
    expect(activation('thresholded_relu', -1).range!([ANY]).nonNegative).toBe(false);
  });

  it('keep values ≥ 0 non-negative, except a clip to less than 0', () => {
    const rectified = [{ nonNegative: true, sparse: true }];
    for (const name of NAMES) expect(activation(name).range!(rectified).nonNegative).toBe(true);
    expect(activation('clip', -Infinity, 6).range!(rectified).nonNegative).toBe(true);
    expect(activation('clip', -2, -1).range!(rectified).nonNegative).toBe(false);
  });

  it('are marked as ends of scales, also ReLU, which is a separate operator', () => {
    for (const name of NAMES) expect(activation(name).isActivation).toBe(true);
    expect(relu().isActivation).toBe(true);
    expect(activationNamed({ name: 'relu' }).kind).toBe('relu');
  });
});

describe.each(BACKENDS)('activation functions on $name', async ({ make }) => {
  const kernels = await make();
  const special = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 1e-40, -1e-40, 3e38, -3e38, 6];

  /** The result of the operator's step for x, [1, 1, 1, C]. */
  const run = (operator: Operator, x: Float32Array): Float32Array => {
    const shape = { H: 1, W: 1, C: x.length };
    const context = { N: 1, inputs: [shape], shape, buffers: [0], out: 1, sparse: false };
    const out = new Float32Array(x.length).fill(7);
    runStep(kernels, operator.steps(context)[0]!, [x.slice(), out]);
    return out;
  };
  const reference = (operator: Operator, x: Float32Array): Float64Array => {
    const { name, parameters } = operator.activation!;
    const out = new Float64Array(x.length);
    ACTIVATIONS[name](out, Float64Array.from(x), ...parameters);
    return out;
  };
  /** The bounds of assembly/activation.ts. */
  const boundOf = (name: ActivationName, x: number, exact: number): number => {
    const size = Math.abs(x);
    if (name.includes('gelu')) return 2 ** -21 * size;
    if (name === 'softplus') return 2 ** -22 * Math.max(1, x);
    return 2 ** -21 * Math.abs(exact);
  };

  const given: [ActivationName, ...number[]][] = [
    ...NAMES.map((name): [ActivationName] => [name]),
    // Slopes that `max(x, slope·x)` would not do for, and one that float32 has not.
    ...[0.01, 0.2, 0, 1, 1.5, -0.5].map((slope): [ActivationName, number] => ['leaky_relu', slope]),
    ...[1, 0.3].map((alpha): [ActivationName, number] => ['elu', alpha]),
    ...[1, 0.3, -2].map((alpha): [ActivationName, number] => ['celu', alpha]),
    ...[0, -2].map((alpha): [ActivationName, number] => ['thresholded_relu', alpha]),
    ['clip', -1, 2.5],
    ['clip', 0, 1],
    ['clip', -Infinity, 0],
    ['clip', 3, -3],
    ['hardsigmoid', 0.2, 0.5],
  ];
  it.each(given)(
    '%s %s %s is its formula within its bound, at every length around a vector',
    (name, ...parameters) => {
      const operator = activation(name, ...parameters);
      for (const length of [1, 2, 3, 4, 5, 7, 8, 9, 33]) {
        const random = seededFloats(length, length).map((value) => 9 * value);
        for (let begin = 0; begin < special.length; begin += length) {
          const x = random.slice();
          x.set(special.slice(begin, begin + length));
          const out = run(operator, x);
          for (const [i, exact] of reference(operator, x).entries()) {
            const bound = boundOf(name, x[i]!, exact) + 2 ** -118;
            const single = Math.fround(exact);
            // GELU of −∞ is 0 there, not −∞·0.
            const isLimit = x[i] === -Infinity && name === 'gelu' && out[i] === 0;
            const isSame = Object.is(out[i], single) || out[i] === single || isLimit;
            const isNear = Math.abs(out[i]! - exact) <= bound;
            expect(isSame || isNear, `f(${x[i]}) is ${exact}, got ${out[i]}`).toBe(true);
          }
        }
      }
    },
  );

  it.each(NAMES)('%s keeps its bound at every magnitude', (name) => {
    const operator = activation(name);
    const u = seededFloats(40_000, 5);
    const x = u.map((value, i) =>
      i % 2 === 0 ? 100 * value : Math.sign(u[i - 1]!) * 2 ** (70 * value - 63),
    );
    const out = run(operator, x);
    const exact = reference(operator, x);
    const worst = x.reduce((most, value, i) => {
      const bound = boundOf(name, value, exact[i]!) + 2 ** -118;
      return Math.max(most, Math.abs(out[i]! - exact[i]!) / bound);
    }, 0);
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('run in WebAssembly', () => {
    const shape = { H: 1, W: 1, C: 5 };
    const context = { N: 1, inputs: [shape], shape, buffers: [0], out: 0, sparse: false };
    const isPortable = (operator: Operator): boolean => {
      let calls = 0;
      const [step] = operator.steps(context);
      runStep(kernels, { ...step!, kernel: () => calls++ } as OperatorStep, [new Float32Array(5)]);
      return calls > 0;
    };
    const all = [relu(), ...NAMES.map((name) => activation(name))];
    expect(all.map(isPortable)).toEqual(all.map(() => kernels.name === 'js'));
  });

  it('write nothing outside of the value', () => {
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
  const planOf = (ends: readonly string[], ...rows: Row[]) => measured('smoe', ends, ...rows);
  const measured = (statistic: Statistic, ends: readonly string[], ...rows: Row[]) => {
    const graph = graphOf(...rows);
    const values = ends.map((end) => graph.nodes.findIndex(({ name }) => name === end));
    return plan({ graph, ends: values }, [1, 8, 8], { statistic });
  };

  it('are fused into a convolution before them', () => {
    const { steps } = planOf([], ...START, ['last', conv('conv2', 4, 4), 'act'], ...HEAD);
    expect(steps.map(({ op }) => op)).toEqual(['conv2d', 'conv2d', 'globalMean', 'conv2d']);
    const [first] = steps;
    expect(isConv2d(first!) && first.activation).toEqual({ name: 'silu', parameters: [] });
  });

  it('overwrite an input that is not from a convolution and has no other reader', () => {
    const rows: Row[] = [...START.slice(0, 2), ['sum', add(), 'conv1', 'conv1']];
    const last: Row = ['last', conv('conv2', 4, 4), 'act'];
    const { steps } = planOf([], ...rows, ['act', silu, 'sum'], last, ...HEAD);
    const step = steps.find(({ op }) => op === 'silu')!;
    expect(!isConv2d(step) && step.inputs).toEqual([step.out]);
  });

  it('do not overwrite an input that is read later', () => {
    const { steps } = planOf([], ...START, ['last', add(), 'act', 'conv1'], ...HEAD);
    const step = steps.find(({ op }) => op === 'silu')!;
    expect(!isConv2d(step) && step.inputs[0]).not.toBe(step.out);
  });

  it('do not overwrite the network’s features, or an input with two readers', () => {
    const graph = graphOf(
      ...START,
      ['gate', activation('tanh'), 'conv1'],
      ['last', add(), 'act', 'gate'],
      ...HEAD,
    );
    const { steps, kept } = plan({ graph, ends: [], kept: [1] }, [1, 8, 8]);
    const written = steps.filter(({ op }) => op === 'silu' || op === 'tanh').map(({ out }) => out);
    expect(new Set([...written, kept[0]!.buffer]).size).toBe(3);
  });

  it('are followed by a separate clamp at the end of a scale, if the network reads the value, too', () => {
    const last: Row = ['last', conv('conv2', 4, 4), 'act'];
    const { steps, taps } = measured('max', ['act'], ...START, last, ...HEAD);
    expect(steps.map(({ op }) => op).slice(0, 4)).toEqual(['conv2d', 'relu', 'max', 'conv2d']);
    const [act, clamp, , next] = steps;
    expect(clamp!.out).not.toBe(act!.out);
    expect(isConv2d(next!) && next.x).toBe(act!.out);
    expect(taps.map(({ name, H }) => [name, H])).toEqual([['act', 8]]);
  });

  it('that are never negative have no clamp, and after ReLU6 the next convolution skips zeros', () => {
    const of = (name: ActivationName) => {
      const rows = START.slice(0, 2);
      const act: Row = ['act', activation(name), 'conv1'];
      const last: Row = ['last', conv('conv2', 4, 4), 'act'];
      return measured('max', ['act'], ...rows, act, last, ...HEAD).steps;
    };
    const relu6 = of('relu6');
    expect(relu6.map(({ op }) => op).slice(0, 3)).toEqual(['conv2d', 'max', 'conv2d']);
    const skips = (steps: ReturnType<typeof of>) => isConv2d(steps[2]!) && steps[2].sparse;
    expect([skips(relu6), skips(of('softplus'))]).toEqual([true, false]);
  });

  it('let the convolution into which they are fused compute SMOE Scale', () => {
    const last: Row = ['last', conv('conv2', 4, 4), 'act'];
    const { steps, taps } = planOf(['act'], ...START, last, ...HEAD);
    expect(steps.map(({ op }) => op)).toEqual(['conv2d', 'conv2d', 'globalMean', 'conv2d']);
    expect(isConv2d(steps[0]!) && steps[0].smoe).toBe(taps[0]!.map);
  });
});
