import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConv2d, type Step } from '../../../src/kernels/index.js';
import {
  type PreparedNetwork,
  plan,
  prepareNetwork,
  recognizeNetwork,
} from '../../../src/model/index.js';
import { namedArchitecture } from '../../../src/node/architectures.js';
import { noiseWeights } from '../../../src/node/noise-model.js';

const named = (name: string): PreparedNetwork =>
  prepareNetwork(recognizeNetwork(noiseWeights(namedArchitecture(name))).graph, 224);

/** Buffers that a step reads. */
const readsOf = (step: Step): readonly number[] => {
  if (!isConv2d(step)) return step.inputs;
  return step.residual === undefined ? [step.x] : [step.x, step.residual];
};
const writesOf = (step: Step): readonly number[] =>
  isConv2d(step) && step.smoe !== undefined ? [step.out, step.smoe] : [step.out];

describe('a plan', () => {
  const resnet50 = plan(named('resnet50'), [1, 224, 224]);

  it('counts the paper’s operations for ResNet-50 at 224×224 (Table 6)', () => {
    expect(resnet50.smoeOps).toBe(9_249_093);
    const perTap = resnet50.taps.map(({ C, H, W }) => (4 * C + 1) * H * W);
    expect(perTap).toEqual([3_223_808, 3_214_400, 1_606_416, 803_012, 401_457]);
    expect(resnet50.macs).toBe(4_089_184_256);
  });

  it('fits ResNet-50 at 224×224 into 6.5 MB of arena', () => {
    expect(resnet50.arenaBytes).toBeLessThanOrEqual(6.5e6);
  });

  it('has one step for each convolution of a ResNet-50, and three more', () => {
    const others = resnet50.steps.filter((step) => !isConv2d(step)).map(({ op }) => op);
    expect(others).toEqual(['maxPool', 'globalMean']);
    expect(resnet50.steps).toHaveLength(53 + 1 + 2);
  });

  it('knows where half of the inputs are zeros: behind a ReLU, except behind an identity shortcut', () => {
    const dense = resnet50.steps.filter((step) => isConv2d(step) && !step.sparse);
    const names = dense.map((step) => isConv2d(step) && step.weights);
    // The second and later blocks of a stage add a shortcut that is not negative.
    const readers = [3, 4, 6, 3].flatMap((blocks, stage) => [
      ...Array.from({ length: blocks - 2 }, (_, i) => `layer${stage + 1}.${i + 2}.conv1`),
      ...(stage < 3 ? [`layer${stage + 2}.0.conv1`, `layer${stage + 2}.0.downsample.0`] : []),
    ]);
    expect(names).toEqual(['conv1', ...readers, 'fc']);
  });

  it('of VGG fuses every tap, and computes a linear layer of a map as a convolution', () => {
    const { steps, taps, kept } = plan(named('vgg16'), [1, 224, 224]);
    expect(taps.map(({ name, H, C }) => [name, H, C])).toEqual([
      ['features.3', 224, 64],
      ['features.8', 112, 128],
      ['features.15', 56, 256],
      ['features.22', 28, 512],
      ['features.29', 14, 512],
    ]);
    const ops = steps.map(({ op }) => op);
    expect(ops.filter((op) => op !== 'conv2d')).toEqual(new Array(5).fill('maxPool'));
    expect(steps.filter((step) => isConv2d(step) && step.smoe !== undefined)).toHaveLength(5);
    const first = steps.find((step) => isConv2d(step) && step.weights === 'classifier.0');
    expect(first).toMatchObject({ shape: { H: 7, W: 7, kH: 7, kW: 7, Cin: 512, Cout: 4096 } });
    expect(kept).toEqual([]);
  });

  it('of VGG averages a map of another size to the 7×7 that the classifier expects', () => {
    const { steps, logits } = plan(named('vgg16'), [1, 256, 320]);
    expect(steps.map(({ op }) => op)).toContain('adaptiveMean');
    expect(logits).toBeDefined();
  });

  it('of a DenseNet-121 has no concatenation steps: batch norms read the parts', () => {
    const { steps, taps } = plan(named('densenet121'), [1, 224, 224]);
    expect(steps.filter(({ op }) => op === 'concat')).toHaveLength(0);
    expect(taps.map(({ H, C }) => [H, C])).toEqual([
      [112, 64],
      [56, 256],
      [28, 512],
      [14, 1024],
      [7, 1024],
    ]);
    // The stem's is fused, the others follow a batch norm.
    expect(steps.filter(({ op }) => op === 'smoe')).toHaveLength(4);
  });

  it.each(['resnet18', 'resnet50', 'resnext50_32x4d', 'vgg11_bn', 'alexnet', 'densenet121'])(
    'never overlaps two buffers that are alive together: %s',
    (name) => {
      const net = named(name);
      const size = fc.integer({ min: 64, max: 150 });
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 3 }), size, size, fc.boolean(), (N, H, W, early) => {
          const statistic = early ? 'truncated-normal-sd' : 'smoe';
          const { steps, buffers, input, logits, kept, taps } = plan(net, [N, H, W], {
            statistic,
          });
          // Walk the steps; a buffer holds its own value from its first write to its last read.
          const needed = new Set([
            logits,
            ...kept.map(({ buffer }) => buffer),
            ...taps.map(({ map }) => map),
          ]);
          const lastRead = new Map<number, number>();
          for (const [i, step] of steps.entries()) {
            for (const buffer of readsOf(step)) lastRead.set(buffer, i);
          }
          const overlaps: (readonly [number, number])[] = [];
          let alive = [input];
          for (const [i, step] of steps.entries()) {
            for (const buffer of writesOf(step)) if (!alive.includes(buffer)) alive.push(buffer);
            for (const a of alive) {
              for (const b of alive) {
                const [p, q] = [buffers[a]!, buffers[b]!];
                const apart = p.offset + p.length <= q.offset || q.offset + q.length <= p.offset;
                if (a !== b && !apart) overlaps.push([a, b]);
              }
            }
            alive = alive.filter(
              (buffer) => needed.has(buffer) || (lastRead.get(buffer) ?? -1) > i,
            );
          }
          expect(overlaps).toEqual([]);
        }),
        { numRuns: 5 },
      );
    },
  );

  it('without taps is the same network, with no SMOE in it', () => {
    const bare = plan(named('resnet50'), [1, 224, 224], { taps: false });
    expect(bare.taps).toEqual([]);
    expect(bare.smoeOps).toBe(0);
    expect(bare.steps.length).toBe(resnet50.steps.length);
    expect(bare.macs).toBe(resnet50.macs);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a size without pixels',
      () => plan(named('resnet18'), [1, 0, 5]),
      'plan: H expected a whole number ≥ 1, got 0',
    ],
    [
      'a picture that the network has no windows for',
      () => plan(named('alexnet'), [1, 32, 32]),
      'an input of 32×32 does not fit features.12: maxPool: window 3×3 is larger than the padded input 1×1',
    ],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(message);
  });
});
