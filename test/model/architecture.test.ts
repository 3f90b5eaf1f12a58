import { describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  inferArchitecture,
  namedArchitecture,
  plan,
} from '../../src/model/index.js';
import { stateDictOf, torchvisionStateDict } from '../hash-weights.js';

const asTensors = (dict: [string, number[]][]): Map<string, { shape: number[] }> =>
  new Map(dict.map(([name, shape]) => [name, { shape }]));

describe('architectures', () => {
  it.each([
    'resnet18',
    'resnet34',
    'resnet50',
    'resnet101',
    'resnet152',
    'wide_resnet50_2',
    'resnext50_32x4d',
  ])('%s has exactly the tensors of torchvision, names and shapes', (name) => {
    const ours = new Map(stateDictOf(namedArchitecture(name)));
    const theirs = new Map(torchvisionStateDict(name));
    expect(ours.size).toBe(theirs.size);
    for (const [tensor, shape] of theirs)
      expect([tensor, ours.get(tensor)]).toEqual([tensor, shape]);
  });

  it.each(Object.keys(ARCHITECTURES))('%s is inferred from its own state dict', (name) => {
    const architecture = namedArchitecture(name);
    expect(inferArchitecture(asTensors(stateDictOf(architecture)), '3x3')).toEqual(architecture);
  });

  it('infers any width, depth and number of classes, and takes strideOn as said', () => {
    const own = {
      ...ARCHITECTURES['resnet50']!,
      depths: [1, 2],
      width: 12,
      classes: 7,
      strideOn: '1x1' as const,
    };
    expect(inferArchitecture(asTensors(stateDictOf(own)), '1x1')).toEqual(own);
  });

  it('names the tensor that makes a state dict no ResNet', () => {
    const without = (name: string): Map<string, { shape: number[] }> => {
      const tensors = asTensors(torchvisionStateDict('resnet18'));
      tensors.delete(name);
      return tensors;
    };
    expect(() => inferArchitecture(without('conv1.weight'), '3x3')).toThrow(
      'conv1.weight is missing',
    );
    expect(() => inferArchitecture(without('fc.weight'), '3x3')).toThrow('fc.weight is missing');
    const small = without('conv1.weight').set('conv1.weight', { shape: [64, 3, 3, 3] });
    expect(() => inferArchitecture(small, '3x3')).toThrow(
      'expected [width, 3, 7, 7], got [64,3,3,3]',
    );
  });

  it('refuses more blocks than any network has', () => {
    const tensors = asTensors(stateDictOf(ARCHITECTURES['resnet18']!));
    for (let i = 2; i < 1100; i++) {
      tensors.set(`layer1.${i}.conv1.weight`, tensors.get('layer1.0.conv1.weight')!);
    }
    expect(() => inferArchitecture(tensors, '3x3')).toThrow('more than 1024 residual blocks');
  });

  it('lists the names it knows when asked for another', () => {
    expect(() => namedArchitecture('vgg16')).toThrow(
      /vgg16 is unknown, expected one of resnet18, /,
    );
    expect(() => namedArchitecture('constructor')).toThrow('constructor is unknown');
  });
});

describe('plan', () => {
  const resnet50 = plan(ARCHITECTURES['resnet50']!, [1, 224, 224]);

  it('counts the paper’s operations for ResNet-50 at 224×224 (Table 6)', () => {
    expect(resnet50.smoeOps).toBe(9_249_093);
    const perTap = resnet50.taps.map(({ C, H, W }) => (4 * C + 1) * H * W);
    expect(perTap).toEqual([3_223_808, 3_214_400, 1_606_416, 803_012, 401_457]);
    expect(resnet50.macs).toBe(4_089_184_256);
  });

  it('fits ResNet-50 at 224×224 into 14 MB of arena', () => {
    expect(resnet50.arenaBytes).toBeLessThanOrEqual(14e6);
  });

  it.each([
    ['resnet18', [1, 224, 224]],
    ['resnet50', [2, 97, 33]],
    ['resnext50_32x4d', [1, 1, 1]],
    ['wide_resnet50_2', [3, 64, 31]],
  ] as const)('never overlaps two buffers that are alive together: %s %o', (name, shape) => {
    const { steps, buffers, input, logits, features, taps } = plan(namedArchitecture(name), shape);
    // Walk the steps; a buffer holds its own value from its first write to its last read.
    const kept = new Set([logits, features, ...taps.map(({ map }) => map)]);
    const readsOf = (i: number): number[] => {
      const step = steps[i]!;
      return step.op === 'conv2d' && step.residual !== undefined
        ? [step.x, step.residual]
        : [step.x];
    };
    const lastRead = new Map<number, number>();
    steps.forEach((_, i) => {
      for (const buffer of readsOf(i)) lastRead.set(buffer, i);
    });
    let alive = [input];
    steps.forEach((step, i) => {
      const written =
        step.op === 'conv2d' && step.smoe !== undefined ? [step.out, step.smoe] : [step.out];
      for (const buffer of written) {
        if (!alive.includes(buffer)) alive.push(buffer);
      }
      for (const a of alive) {
        for (const b of alive) {
          const [p, q] = [buffers[a]!, buffers[b]!];
          const apart = p.offset + p.length <= q.offset || q.offset + q.length <= p.offset;
          expect(a === b || apart).toBe(true);
        }
      }
      alive = alive.filter((buffer) => kept.has(buffer) || (lastRead.get(buffer) ?? -1) > i);
    });
  });

  it('without taps is the same network, with no SMOE in it', () => {
    const bare = plan(ARCHITECTURES['resnet50']!, [1, 224, 224], { taps: false });
    expect(bare.taps).toEqual([]);
    expect(bare.smoeOps).toBe(0);
    expect(bare.steps.length).toBe(resnet50.steps.length);
    expect(bare.macs).toBe(resnet50.macs);
  });

  it('refuses a size without pixels', () => {
    expect(() => plan(ARCHITECTURES['resnet18']!, [1, 0, 5])).toThrow(
      'plan: H expected a whole number ≥ 1, got 0',
    );
  });
});
