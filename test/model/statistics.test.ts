/** Statistics through the plan: every one, at the end of every scale, on every backend. */

import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/explain.js';
import {
  isConv2d,
  type Kernels,
  type Program,
  STATISTICS,
  type Statistic,
} from '../../src/kernels/index.js';
import {
  type Plan,
  plan,
  prepareNetwork,
  recognizeNetwork,
  type TensorSource,
} from '../../src/model/index.js';
import type { ResNetShape } from '../../src/node/architectures.js';
import { hashImage, hashWeights, stateDictOf, torchvisionStateDict } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';

const NAMES = Object.keys(STATISTICS) as Statistic[];
const SIZE = [40, 33] as const;

/** Two stages of one block, each with a convolution for a shortcut. */
const SMALL: Partial<ResNetShape> = { depths: [1, 1], width: 8, classes: 5 };
const WEIGHTS = hashWeights(stateDictOf(SMALL), 7);

/** The scales, the convolution that ends each, and the batch norms whose sum its ReLU is given. */
const SCALES = [
  { name: 'relu', last: 'conv1', batchNorms: ['bn1.'] },
  {
    name: 'layer1',
    last: 'layer1.0.downsample.0',
    batchNorms: ['layer1.0.bn3.', 'layer1.0.downsample.1.'],
  },
  {
    name: 'layer2',
    last: 'layer2.0.downsample.0',
    batchNorms: ['layer2.0.bn3.', 'layer2.0.downsample.1.'],
  },
];

/** The weights with the output of some batch norms negated, exactly. */
function negated(batchNorms: readonly string[]): TensorSource {
  return {
    ...WEIGHTS,
    readInto(out, name, begin) {
      WEIGHTS.readInto(out, name, begin);
      const isNegated = batchNorms.some((norm) => [`${norm}weight`, `${norm}bias`].includes(name));
      if (isNegated) for (let i = 0; i < out.length; i++) out[i]! *= -1;
    },
  };
}

/** The output of the convolution `last`, after its ReLU, in the network without taps. */
function outputOf(kernels: Kernels, source: TensorSource, last: string): Float32Array {
  let program: Program | undefined;
  const bind: Kernels['bind'] = (...args) => {
    program = kernels.bind(...args);
    return program;
  };
  const watched: Kernels = {
    name: kernels.name,
    isDisposed: false,
    dispose: () => kernels.dispose(),
    [Symbol.dispose]: () => kernels.dispose(),
    reserve: (shapes) => kernels.reserve(shapes),
    release: (weights) => kernels.release(weights),
    packConv2d: (shape, weights) => kernels.packConv2d(shape, weights),
    packVectors: (scale, shift) => kernels.packVectors(scale, shift),
    packedBytes: (layer) => kernels.packedBytes(layer),
    programBytes: (...args) => kernels.programBytes(...args),
    bind,
  };
  const pass = networkOf(source, { kernels: watched }).forward(1, ...SIZE, { taps: false });
  pass.input.set(hashImage(7, pass.input.length));
  const end = pass.plan.steps.findIndex((step) => step.weights === last);
  for (let i = 0; i <= end; i++) pass.runStep(i);
  return program!.buffer(pass.plan.steps[end]!.out).slice();
}

describe.each(BACKENDS)('on $name', async ({ make }) => {
  const kernels = await make();
  const net = networkOf(WEIGHTS, { kernels });
  const after = SCALES.map(({ last }) => outputOf(kernels, WEIGHTS, last));
  // relu(y) − relu(−y) = y.
  const before = SCALES.map(({ last, batchNorms }, s) => {
    const flipped = outputOf(kernels, negated(batchNorms), last);
    return after[s]!.map((value, i) => value - flipped[i]!);
  });

  const run = (statistic: Statistic | readonly Statistic[], image = 7): Float32Array[] => {
    const pass = net.forward(1, ...SIZE, { statistic });
    pass.input.set(hashImage(image, pass.input.length));
    pass.run();
    return [...pass.maps, pass.features, pass.logits].map((array) => array.slice());
  };
  const usual = run('smoe');

  it('the golden has negative values before the ReLU', () => {
    for (const columns of before) expect(columns.some((value) => value < 0)).toBe(true);
  });

  it.each(['smoe', 'max', 'truncated-normal-sd'] as const)(
    '%s has a map for each tap, also at a value named twice',
    (statistic) => {
      const taps = ['layer2', 'relu', 'layer2'];
      const pass = net.forward(1, ...SIZE, { taps, statistic });
      pass.input.set(hashImage(7, pass.input.length));
      pass.run();
      expect(pass.plan.taps.map(({ name }) => name)).toEqual(taps);
      const [first, , again] = pass.maps;
      expect(first!.some((value) => value > 0)).toBe(true);
      expect(again).toEqual(first);
    },
  );

  it.each(NAMES.filter((name) => name !== 'smoe'))(
    '%s is to the bit what its function makes of the columns, and changes nothing else',
    (statistic) => {
      const { compute, preActivation } = STATISTICS[statistic];
      const maps = run(statistic);
      const columns = preActivation ? before : after;
      net.forward(1, ...SIZE, { statistic }).plan.taps.forEach((tap, s) => {
        const expected = new Float32Array(tap.H * tap.W);
        compute(expected, columns[s]!, tap.C);
        expect(maps[s], tap.name).toEqual(expected);
      });
      expect(maps.slice(SCALES.length)).toEqual(usual.slice(SCALES.length));
    },
  );

  it('smoe as a step equals the fused one, within 2⁻²² of the column’s mean and of itself', () => {
    const maps = run(['smoe', 'truncated-normal-sd']).filter((_, i) => i % 2 === 0);
    for (const s of SCALES.keys()) {
      const C = after[s]!.length / maps[s]!.length;
      maps[s]!.forEach((value, m) => {
        const column = after[s]!.subarray(m * C, (m + 1) * C);
        const mean = column.reduce((sum, x) => sum + x, 0) / C + 1e-7;
        // The bound of the fused tap in conv2d.test.ts, and each stored as float32.
        const bound = 2 ** -22 * (mean + value);
        expect(Math.abs(value - usual[s]![m]!)).toBeLessThanOrEqual(bound);
      });
    }
  });

  it('several statistics in one pass have the same bits as each in its own pass', () => {
    const names = NAMES.filter((name) => name !== 'smoe');
    const together = run(names);
    for (const [k, name] of names.entries()) {
      const own = SCALES.map((_, s) => together[s * names.length + k]);
      expect(own, name).toEqual(run(name).slice(0, SCALES.length));
    }
  });

  it.each(NAMES)('%s of item i of a batch has the bits of item i alone', (statistic) => {
    const both = net.forward(2, ...SIZE, { statistic });
    both.input.set(hashImage(7, both.input.length));
    both.run();
    const maps = both.maps.map((map) => map.slice());
    const image = hashImage(7, both.input.length);
    for (const n of [0, 1]) {
      const half = (array: Float32Array): Float32Array =>
        array.slice((n * array.length) / 2, ((n + 1) * array.length) / 2);
      const one = net.forward(1, ...SIZE, { statistic });
      one.input.set(half(image));
      one.run();
      expect(one.maps).toEqual(maps.map(half));
    }
  });

  it('a pass still runs after the backend has loaded another network', () => {
    const pass = net.forward(1, ...SIZE, { statistic: 'truncated-normal-mean' });
    const image = hashImage(7, pass.input.length);
    pass.input.set(image);
    pass.run();
    const maps = pass.maps.map((map) => map.slice());
    const larger = { ...SMALL, width: 64 };
    networkOf(hashWeights(stateDictOf(larger), 7), { kernels });
    pass.input.set(image);
    pass.run();
    expect(pass.maps).toEqual(maps);
  });
});

const RESNET50 = prepareNetwork(
  recognizeNetwork(hashWeights(torchvisionStateDict('resnet50'), 0)).graph,
  224,
);

describe('a plan', () => {
  const planOf = (statistic?: Statistic | Statistic[]) =>
    plan(RESNET50, [1, 224, 224], statistic && { statistic });
  const usual = planOf();
  /** Without the kernels, which are functions. */
  const data = (value: Plan): unknown => JSON.parse(JSON.stringify(value));
  const opsOf = (statistic: Statistic | Statistic[]) =>
    planOf(statistic).steps.filter(({ op }) => op in STATISTICS || op === 'relu');

  it('measures smoe by default, with no step for it', () => {
    expect(data(planOf('smoe'))).toEqual(data(usual));
    expect(opsOf('smoe')).toEqual([]);
    expect(usual.steps).toHaveLength(planOf([]).steps.length);
  });

  it.each(NAMES.filter((name) => name !== 'smoe'))(
    '%s is one step for each scale, and takes no byte more than smoe',
    (statistic) => {
      const { preActivation } = STATISTICS[statistic];
      const steps = opsOf(statistic);
      const perScale = preActivation ? [statistic, 'relu'] : [statistic];
      expect(steps.map(({ op }) => op)).toEqual(Array(5).fill(perScale).flat());
      for (const step of steps) {
        expect(step.op === 'relu').toBe(!isConv2d(step) && step.inputs[0] === step.out);
      }
      const { arenaBytes, macs, smoeOps, taps } = planOf(statistic);
      expect([arenaBytes, macs, smoeOps]).toEqual([usual.arenaBytes, usual.macs, 0]);
      expect(taps.map((tap) => tap.statistic)).toEqual(Array(5).fill(statistic));
    },
  );

  it('with several statistics lists the taps scale by scale, in the given order', () => {
    const { taps, smoeOps } = planOf(['smoe', 'truncated-normal-sd', 'max']);
    expect(taps.slice(2, 5).map(({ name, statistic }) => [name, statistic])).toEqual([
      ['relu', 'max'],
      ['layer1', 'smoe'],
      ['layer1', 'truncated-normal-sd'],
    ]);
    expect(smoeOps).toBe(usual.smoeOps);
  });

  it('refuses an unknown statistic, and lists the known ones', () => {
    expect(() => planOf('variance' as Statistic)).toThrow(
      /^statistic: expected smoe, gamma, .*, got variance$/,
    );
  });
});
