/** Training against PyTorch, and against central differences of the loss. */

import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, makeKernels } from '../../src/kernels/index.js';
import { recognizeNetwork } from '../../src/model/index.js';
import { Trainer } from '../../src/train/index.js';
import { distance } from '../compare.js';
import type { Golden } from '../goldens.js';
import { BACKENDS } from '../kernels/backends.js';
import { trainingGolden as golden, narrowResNet, sourceOf, tensorsOf } from './narrow-resnet.js';

const [steps, N, , H, W] = golden.get('x')!.shape as [number, number, number, number, number];
const DESCENT = { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-2 };

/** Puts batch `step` of the golden into a trainer. */
function fill(trainer: Trainer, step: number): void {
  const pictures = golden.get('x')!.data.subarray(step * N * 3 * H * W);
  const { input, targets } = trainer;
  for (let i = 0; i < input.length; i++) {
    const [c, p] = [i % 3, Math.floor(i / 3)];
    const n = Math.floor(p / (H * W));
    input[i] = pictures[(n * 3 + c) * H * W + (p % (H * W))]!;
  }
  for (let n = 0; n < N; n++) targets[n] = golden.get('targets')!.data[step * N + n]!;
}

function trainerOf(kernels: Kernels, tensors: ReadonlyMap<string, Golden>): Trainer {
  const network = recognizeNetwork(sourceOf(tensors));
  return new Trainer(network, { kernels, size: [H, W], batch: N, labelSmoothing: 0.1 });
}

describe.each(BACKENDS)('training on $name', ({ make }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await make();
  });

  it('has the losses, the gradients and the weights of PyTorch in float64', () => {
    const trainer = trainerOf(kernels, tensorsOf('before'));
    for (let step = 0; step < steps; step++) {
      fill(trainer, step);
      const loss = trainer.run();
      expect(loss).toBeCloseTo(golden.get('losses')!.data[step]!, 5);
      if (step === 0) {
        const gradients = trainer.gradients();
        for (const [name, { data }] of tensorsOf('gradient')) {
          expect(distance(gradients.get(name)!, data).largest, name).toBeLessThan(1e-4);
        }
      }
      trainer.step(DESCENT);
    }
    const weights = trainer.weights();
    for (const [name, { data }] of tensorsOf('after')) {
      const own = new Float32Array(data.length);
      weights.readInto(own, name, 0);
      expect(distance(own, data).largest, name).toBeLessThan(5e-4);
    }
    trainer.dispose();
  });

  it('gives its memory back', () => {
    const weights = narrowResNet();
    const sizes = [0, 1, 2].map(() => {
      const network = recognizeNetwork(weights);
      const trainer = new Trainer(network, { kernels, size: [64, 64], batch: 8 });
      const { byteLength } = trainer.input.buffer;
      trainer.dispose();
      expect(() => trainer.input).toThrow(TypeError);
      return byteLength;
    });
    expect(sizes[2]).toBe(sizes[0]);
  });
});

describe('the gradients of the weights', () => {
  it('are those of central differences of the loss', () => {
    const kernels = makeKernels('js');
    return kernels.then((own) => {
      const before = tensorsOf('before');
      const lossOf = (name: string, i: number, by: number): number => {
        const { shape, data } = before.get(name)!;
        const moved = (data as Float32Array).slice();
        moved[i]! += by;
        const trainer = trainerOf(own, new Map(before).set(name, { shape, data: moved }));
        fill(trainer, 0);
        const loss = trainer.run();
        trainer.dispose();
        return loss;
      };
      const trainer = trainerOf(own, before);
      fill(trainer, 0);
      trainer.run();
      const gradients = trainer.gradients();
      for (const name of ['fc.weight', 'fc.bias', 'layer4.0.bn2.weight', 'layer4.0.conv2.weight']) {
        const gradient = gradients.get(name)!;
        const largest = gradient.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        for (const i of [0, 3, gradient.length - 1]) {
          const difference = (lossOf(name, i, 2e-3) - lossOf(name, i, -2e-3)) / 4e-3;
          expect(Math.abs(gradient[i]! - difference), `${name} ${i}`).toBeLessThan(0.02 * largest);
        }
      }
    });
  });
});

describe('a trainer behind a value', () => {
  it('has the gradients of the whole network for that part, and leaves the rest as it is', async () => {
    const kernels = await makeKernels('js');
    const before = tensorsOf('before');
    const whole = trainerOf(kernels, before);
    fill(whole, 0);
    whole.run();
    const network = recognizeNetwork(sourceOf(before));
    const part = new Trainer(network, {
      ...{ kernels, size: [H, W], batch: N, labelSmoothing: 0.1, from: 'layer2' },
    });
    expect(part.shape).toEqual({ H: 5, W: 5, C: 8 });
    expect(part.input.length).toBe(N * 5 * 5 * 8);
    part.input.fill(0.5);
    part.targets.fill(1);
    part.step(DESCENT);
    const after = part.weights();
    const [own, expected] = [new Float32Array(6), new Float32Array(6)];
    for (const name of ['bn1.weight', 'layer1.0.bn2.running_mean']) {
      after.readInto(own, name, 0);
      expected.set(before.get(name)!.data);
      expect(own).toEqual(expected);
    }
    expect([...part.gradients().keys()]).not.toContain('layer2.0.conv1.weight');
    expect([...part.gradients().keys()]).toContain('layer3.0.conv1.weight');
  });

  it('is refused where the logits depend on the picture by another path, too', async () => {
    const kernels = await makeKernels('js');
    const network = recognizeNetwork(narrowResNet());
    const options = { kernels, size: [H, W], batch: N } as const;
    expect(() => new Trainer(network, { ...options, from: 'layer2.0.conv1' })).toThrow(
      /train: .* alone|no value is called/,
    );
    expect(() => new Trainer(network, { ...options, from: 'nothing' })).toThrow(
      'no value is called nothing',
    );
    expect(() => new Trainer(network, { ...options, labelSmoothing: 1 })).toThrow('labelSmoothing');
  });
});
