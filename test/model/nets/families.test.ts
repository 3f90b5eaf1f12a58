/** Networks in the ways that people name and build them, against PyTorch in double precision. */

import { describe, expect, it } from 'vitest';
import { type ExplainOptions, networkOf } from '../../../src/explain.js';
import { jsKernels } from '../../../src/kernels/index.js';
import { recognizeNetwork, type TensorSource } from '../../../src/model/index.js';
import { distance } from '../../compare.js';
import { cpuMs } from '../../cpu-time.js';
import { goldenWeights, loadOracle, without } from '../../goldens.js';
import { hashImage, hashWeights, stateDictOf } from '../../hash-weights.js';
import { BACKENDS } from '../../kernels/backends.js';

const kernels = jsKernels();

/** The source under other names. */
function renamed(source: TensorSource, rename: (name: string) => string): TensorSource {
  const names = new Map([...source.tensors.keys()].map((name) => [rename(name), name]));
  return {
    ...source,
    tensors: new Map([...names].map(([own, name]) => [own, source.tensors.get(name)!])),
    readInto: (out, name, begin) => source.readInto(out, names.get(name)!, begin),
  };
}

/** The source with a tensor of another shape, or without it. */
function changed(source: TensorSource, name: string, shape?: number[]): TensorSource {
  const tensors = new Map(source.tensors);
  if (shape) tensors.set(name, { dtype: 'F32', shape });
  else tensors.delete(name);
  return { ...source, tensors };
}

describe.each(BACKENDS)(
  'PyTorch’s logits within 2e-6 of the largest on $name',
  async ({ make }) => {
    const backend = await make();
    it.each([
      ['resnet-d', 'resnet', 'a deep stem, mean pools, squeeze and excitation', 4],
      ['resnet-cifar', 'resnet', 'shortcuts by padding, three stages', 3],
      ['resnet-grey', 'resnet', 'one channel, a 3×3 stem with a pool, a head of three layers', 3],
      ['densenet', 'densenet', 'a 3×3 stem, names with norm.1', 2],
      ['vgg-timm', 'vgg', 'a classifier of convolutions', 3],
    ])('%s (%s): %s', (name, family, _, scales) => {
      const { weights, x, logits } = loadOracle(name);
      const net = networkOf(weights, { kernels: backend });
      expect(net.architecture.family).toBe(family);
      expect(net.scales).toHaveLength(scales);
      const e = net.explain(x, { cam: 'none' });
      expect(distance(e.logits, logits).largest).toBeLessThanOrEqual(2e-6);
      expect(e.combinedMap.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    });
  },
);

describe('heads', () => {
  it('of several layers cannot be used for class activation maps, and say so', () => {
    const { weights, x } = loadOracle('resnet-grey');
    const net = networkOf(weights, { kernels });
    expect(net.explain(x).cam).toBe('none');
    expect(() => net.explain(x, { cam: 'gradcam' })).toThrow(
      'cam: the classifier is not linear: use withGradients',
    );
  });

  it('of one logit give the probability of a sigmoid', () => {
    const { weights, x, logits } = loadOracle('resnet-grey');
    const [top, ...others] = networkOf(weights, { kernels }).explain(x).top(5);
    expect(others).toEqual([]);
    expect(top!.probability).toBeCloseTo(1 / (1 + Math.exp(-logits[0]!)), 6);
  });

  it('of independent classes give a probability for each; they do not sum to 1', () => {
    const { weights, x } = loadOracle('densenet');
    const e = networkOf(weights, { kernels, activation: 'sigmoid' }).explain(x);
    for (const { logit, probability } of e.top(9)) {
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
    }
    const said = { ...weights, metadata: new Map([['architecture', '{"activation":"sigmoid"}']]) };
    expect(networkOf(said, { kernels }).activation).toBe('sigmoid');
  });

  it.each(['fc', 'classifier', 'head', 'linear', 'model.last_linear'])(
    'may be called %s',
    (head) => {
      const weights = hashWeights(stateDictOf({ depths: [1, 1], width: 8, classes: 5 }), 3);
      const x = { data: hashImage(3, 3 * 32 * 32), shape: [1, 3, 32, 32] as const };
      const logitsOf = (source: TensorSource) => networkOf(source, { kernels }).explain(x).logits;
      const other = renamed(weights, (name) => name.replace(/^fc/, head));
      expect(logitsOf(other)).toEqual(logitsOf(weights));
    },
  );

  it('may be missing: maps without classes', () => {
    const weights = hashWeights(stateDictOf({ depths: [1, 1], width: 8, classes: 5 }), 3);
    const x = { data: hashImage(3, 3 * 64 * 64), shape: [1, 3, 64, 64] as const };
    const explain = (source: TensorSource, options: ExplainOptions = {}) =>
      networkOf(source, { kernels }).explain(x, options);
    const e = explain(without(weights, ['fc.weight', 'fc.bias']));
    expect([e.top(5), e.target, e.cam, e.logits.length]).toEqual([[], undefined, 'none', 0]);
    expect(e.combinedMap).toEqual(explain(weights).combinedMap);
    expect(() => explain(without(weights, ['fc.weight', 'fc.bias']), { cam: 'gradcam' })).toThrow(
      'cam: the network has no classifier',
    );
    expect(() => explain(without(weights, ['fc.weight', 'fc.bias']), { target: 3 })).toThrow(
      'target: the network has no classifier, and so no class 3',
    );
  });
});

describe('taps by name', () => {
  const net = networkOf(goldenWeights('densenet'), { kernels });
  const x = { data: hashImage(1, 3 * 64 * 64), shape: [1, 3, 64, 64] as const };

  it('are measured in the given order, also concatenations and pools', () => {
    const taps = ['features.denseblock2', 'features.pool0', 'relu'];
    const e = net.explain(x, { taps });
    expect(e.rawMaps.map(({ shape }) => shape[0])).toEqual([8, 16, 2]);
    const usual = net.explain(x);
    expect(e.rawMaps[2]).toEqual(usual.rawMaps.at(-1));
    expect(e.logits).toEqual(usual.logits);
  });

  it('may be a single one, whose combined map is its own', () => {
    const e = net.explain(x, { taps: ['relu'], scaleWeights: [2] });
    expect(e.scaleMaps).toHaveLength(1);
    expect(() => e.lovi()).not.toThrow();
  });

  it('refuses an unknown name, and lists some known ones', () => {
    expect(() => net.explain(x, { taps: ['relu0'] })).toThrow(
      'taps: no value is called relu0; there are features.relu0, relu, …',
    );
  });

  it('takes `prior` for five scales only', () => {
    expect(() => net.explain(x, { taps: ['relu'], scaleWeights: 'prior' })).toThrow(
      "scaleWeights: expected 1 weights for 1 maps, got 'prior' with 5",
    );
  });
});

describe('channels', () => {
  const dict = (C: number) =>
    stateDictOf({ depths: [1, 1], width: 8, classes: 5 }).map(
      ([name, shape]) => [name, name === 'conv1.weight' ? [8, C, 7, 7] : shape] as const,
    );
  const picture = {
    data: Uint8Array.from({ length: 4 * 40 * 40 }, (_, i) => (i % 4 === 3 ? 255 : (i * 7) % 251)),
    width: 40,
    height: 40,
  };

  it('with one channel a network takes the luminance: colours with the same grey give the same', () => {
    const net = networkOf(hashWeights(dict(1), 3), { kernels });
    expect(net.preprocessing).toMatchObject({ channels: 'grey', mean: [0.449], std: [0.226] });
    const grey = { ...picture, data: picture.data.slice() };
    for (let i = 0; i < grey.data.length; i += 4) {
      const [r, g, b] = grey.data.subarray(i, i + 3) as unknown as [number, number, number];
      grey.data.fill((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16, i, i + 3);
    }
    const explain = (image: typeof picture) => net.explain(image, { size: 32 }).logits;
    expect(explain(picture)).toEqual(explain(grey));
  });

  it.each([2, 4, 16])('%i take tensors, and no picture', (C) => {
    const net = networkOf(hashWeights(dict(C), 3), { kernels });
    const tensor = { data: hashImage(3, C * 32 * 32), shape: [1, C, 32, 32] as const };
    expect(net.explain(tensor).logits.every(Number.isFinite)).toBe(true);
    expect(() => net.explain(picture)).toThrow(`the network takes ${C} channels: give it a tensor`);
    expect(() => net.explain({ ...tensor, shape: [1, 3, 32, 32] })).toThrow(
      `tensor expected [N, ${C}, H, W], got [1,3,32,32]`,
    );
  });
});

describe('tensors that no layer takes', () => {
  it.each([
    ['a loss', 'criterion.weight', [10]],
    ['a second head', 'other.weight', [7, 3]],
    ['a queue', 'queue', [12, 40]],
  ])('beside the network are named, and left out: %s', (_, name, shape) => {
    const { weights, x, logits } = loadOracle('resnet-d');
    const net = networkOf(changed(weights, name, shape), { kernels });
    expect(net.warnings).toEqual([`1 tensor is part of no layer, and left out: ${name}`]);
    expect(distance(net.explain(x, { cam: 'none' }).logits, logits).largest).toBeLessThan(2e-6);
  });

  it.each<[string, (i: number) => string]>([
    ['numbered', (i) => `x${i}.weight`],
    ['projections', (i) => `a${i}.proj.weight`],
    ['of one module', (i) => `q.z${i}.v`],
    ['norms', (i) => `h${i}.running_mean`],
    ['digits', (i) => `${'1'.repeat(60)}a${i}.weight`],
  ])(
    'take no longer than their number: 50,000, %s',
    (_, nameOf) => {
      const { weights } = loadOracle('resnet-d');
      const tensors = new Map(weights.tensors);
      const shape = nameOf(0).endsWith('mean') ? [12] : [1, 1];
      for (let i = 0; i < 50_000; i++) tensors.set(nameOf(i), { dtype: 'F32', shape });
      const start = cpuMs();
      try {
        expect(recognizeNetwork({ ...weights, tensors }).graph.classes).toBe(7);
      } catch (error) {
        expect((error as Error).message).toContain('50001 matrices and norms are left over');
      }
      // A second, where it took half a minute when all were compared with all.
      expect(cpuMs() - start).toBeLessThan(8000);
    },
    20_000,
  );

  it('inside of the network are refused', () => {
    const { weights } = loadOracle('resnet-d');
    const gate = changed(weights, 'layer1.0.gate.weight', [4]);
    expect(() => networkOf(gate, { kernels })).toThrow(
      '1 unexpected tensors, the first is layer1.0.gate.weight',
    );
  });
});

describe('weights of no known family, or that differ from their family', () => {
  const vgg = goldenWeights('vgg');
  const densenet = goldenWeights('densenet');
  it.each<[string, TensorSource, string | RegExp]>([
    [
      'a gap in the numbers that no pool explains',
      renamed(vgg, (name) => name.replace('features.18.', 'features.20.')),
      'vgg: features.20 follows features.16: expected 18, or 19 behind a pool',
    ],
    [
      'a convolution of other channels',
      changed(vgg, 'features.8.weight', [24, 23, 3, 3]),
      'vgg: tensor features.8.weight expected [24,24,3,3], got [24,23,3,3]',
    ],
    [
      'a classifier that does not fit the map',
      changed(vgg, 'classifier.0.weight', [48, 100]),
      'tensor classifier.0.weight expected [classes,48], or as many values for each part of a map, got [48,100]',
    ],
    [
      'a batch norm that is missing',
      changed(densenet, 'features.denseblock2.denselayer1.norm2.bias'),
      'densenet: tensor features.denseblock2.denselayer1.norm2.bias is missing',
    ],
    [
      'a layer too many',
      changed(densenet, 'features.denseblock9.denselayer1.conv1.weight', [1, 1, 1, 1]),
      '1 unexpected tensors, the first is features.denseblock9.denselayer1.conv1.weight',
    ],
    [
      'another network',
      renamed(vgg, (name) => name.replace('features.', 'blocks.')),
      /^vgg: weights of no network that is known .* the first tensor is blocks\.0\.weight$/,
    ],
  ])('are refused: %s', (_, source, message) => {
    expect(() => networkOf(source, { kernels })).toThrow(message);
  });
});
