/** Training as a whole: it learns, the same seed gives the same weights, and it stops when it is told to. */

import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, makeKernels } from '../../src/kernels/index.js';
import { Network, recognizeNetwork, type TensorSource } from '../../src/model/index.js';
import { type Examples, rateFactor, type TrainOptions, train } from '../../src/train/index.js';
import { narrowResNet } from './narrow-resnet.js';
import { type ShapeExamples, shapeExamples } from './shapes.js';

const SIDE = 32;

let kernels: Kernels;
beforeAll(async () => {
  kernels = await makeKernels('simd');
});

function trained(examples: Examples, options: Partial<TrainOptions>): Promise<TensorSource> {
  const usual = { kernels, size: [SIDE, SIDE], epochs: 1 } as const;
  return train(recognizeNetwork(narrowResNet()), examples, { ...usual, ...options });
}

function accuracy(weights: TensorSource, examples: ShapeExamples): number {
  const net = new Network(weights, { kernels }).packAll();
  const pass = net.forward(1, SIDE, SIDE, { taps: false });
  let right = 0;
  for (let i = 0; i < examples.length; i++) {
    examples.read(pass.input, i);
    pass.run();
    const { logits } = pass;
    if (logits.indexOf(Math.max(...logits)) === examples.target(i)) right++;
  }
  net.dispose();
  return right / examples.length;
}

describe('train', () => {
  it('teaches a network of 10,000 weights to tell five shapes apart, more than 95 % of unseen ones', async () => {
    const losses: number[] = [];
    const weights = await trained(shapeExamples(600, SIDE, 1), {
      ...{ epochs: 10, batch: 20, learningRate: 0.05, flips: true, labelSmoothing: 0.05 },
      onProgress: (_, loss) => void losses.push(loss),
    });
    expect(losses).toHaveLength(300);
    expect(accuracy(weights, shapeExamples(300, SIDE, 2))).toBeGreaterThan(0.95);
  });

  it('gives the same weights for the same seed, and others for another', async () => {
    const examples = shapeExamples(40, SIDE, 1);
    const ofSeed = async (seed: number): Promise<Float32Array> => {
      const out = new Float32Array(16);
      (await trained(examples, { seed, flips: true })).readInto(out, 'fc.weight', 0);
      return out;
    };
    const [first, second, third] = [await ofSeed(7), await ofSeed(7), await ofSeed(8)];
    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  it('stops between two batches when it is aborted', async () => {
    const controller = new AbortController();
    let batches = 0;
    const onProgress = () => {
      if (++batches === 2) controller.abort(new Error('enough'));
    };
    const { signal } = controller;
    const training = trained(shapeExamples(200, SIDE, 1), { signal, onProgress });
    await expect(training).rejects.toThrow('enough');
    expect(batches).toBe(2);
  });

  it('refuses what it cannot train on', async () => {
    const examples = shapeExamples(20, SIDE, 1);
    await expect(trained(shapeExamples(5, SIDE, 1), {})).rejects.toThrow(
      'do not fill a batch of 16',
    );
    await expect(trained({ ...examples, target: () => 5 }, {})).rejects.toThrow(
      'picture 0 is of class 5',
    );
    await expect(trained(examples, { epochs: 0 })).rejects.toThrow('epochs');
    await expect(trained(examples, { learningRate: 1e30, epochs: 3 })).rejects.toThrow(
      'learning rate',
    );
    await expect(trained(examples, { schedule: 'linear' as never })).rejects.toThrow('schedule');
  });
});

describe('rateFactor', () => {
  it('falls to 0 along a cosine, to a hundredth in steps, or stays', () => {
    expect([0, 0.5, 1].map((done) => rateFactor('cosine', done))).toEqual([1, 0.5, 0]);
    expect([0, 0.34, 0.67].map((done) => rateFactor('step', done))).toEqual([1, 0.1, 0.01]);
    expect(rateFactor('constant', 0.9)).toBe(1);
  });
});
