/** KAR and ROAR where the right answer is known: generated shapes on a ground that says nothing about their class. */

import { beforeAll, describe, expect, it } from 'vitest';
import { accuracyAtInput, type MappedExamples } from '../../../src/evaluate/kar-roar/at-input.js';
import { ScaleExperiments } from '../../../src/evaluate/kar-roar/by-scale.js';
import { accuracyOf, type Part } from '../../../src/evaluate/kar-roar/fine-tuning.js';
import { makeKernels } from '../../../src/kernels/index.js';
import { recognizeNetwork } from '../../../src/model/index.js';
import { train } from '../../../src/train/index.js';
import { narrowResNet } from '../../train/narrow-resnet.js';
import { type ShapeExamples, shapeExamples } from '../../train/shapes.js';

const SIDE = 32;
const SIZE = [SIDE, SIDE] as const;
const FINE = { epochs: 1, batch: 20, learningRate: 0.03 };
const training = shapeExamples(400, SIDE, 1);
const validation = shapeExamples(200, SIDE, 2);

let part: Part;
beforeAll(async () => {
  const kernels = await makeKernels('simd');
  const untrained = recognizeNetwork(narrowResNet());
  const options = { kernels, size: SIZE, epochs: 8, batch: 20, learningRate: 0.05, flips: true };
  const source = await train(untrained, training, options);
  part = { network: { ...untrained, source }, kernels, size: SIZE };
});

/** A map that is highest in the middle of the shape's box, or lowest. */
function boxed(examples: ShapeExamples, sign: 1 | -1): MappedExamples {
  return {
    ...examples,
    map(i) {
      const [left, top, right, bottom] = examples.boxes[i]!;
      return Float32Array.from({ length: SIDE * SIDE }, (_, p) => {
        const dx = (p % SIDE) + 0.5 - (left + right) / 2;
        const dy = Math.floor(p / SIDE) + 0.5 - (top + bottom) / 2;
        return -sign * Math.max(Math.abs(dx), Math.abs(dy));
      });
    },
  };
}

describe('KAR and ROAR at the input', () => {
  it('tell a map of the shapes from its opposite', async () => {
    expect(accuracyOf(part, validation)).toBeGreaterThan(0.7);
    const of = (mode: 'kar' | 'roar', sign: 1 | -1, fraction: number) => {
      const sets = { training: boxed(training, sign), validation: boxed(validation, sign) };
      return accuracyAtInput(part, sets, mode, fraction, FINE, 1);
    };
    // A shape covers at most 41 % of the picture.
    expect(await of('kar', 1, 0.5)).toBeGreaterThan(0.7);
    expect(await of('roar', 1, 0.5)).toBeLessThan(0.4);
    expect(await of('kar', -1, 0.5)).toBeLessThan(0.4);
    expect(await of('roar', -1, 0.5)).toBeGreaterThan(0.7);
  });
});

describe('KAR and ROAR by scale', () => {
  it('find that SMOE Scale finds more than chance, at the last scale', async () => {
    const at = { ...part, from: 'layer2' };
    const experiments = new ScaleExperiments(at, { training, validation }, ['smoe']);
    const of = (ranking: 'smoe' | '-smoe' | 'random', mode: 'kar' | 'roar') =>
      experiments.accuracy({ ranking, mode, seed: 1 }, FINE);
    expect(await of('smoe', 'kar')).toBeGreaterThan(await of('-smoe', 'kar'));
    expect(await of('smoe', 'roar')).toBeLessThan(await of('-smoe', 'roar'));
    expect(await of('random', 'kar')).toBe(await of('random', 'kar'));
  });

  it('refuse a value that the network does not have', () => {
    const at = { ...part, from: 'layer9' };
    const sets = { training, validation };
    expect(() => new ScaleExperiments(at, sets, ['smoe'])).toThrow('no value is called layer9');
    expect(() => new ScaleExperiments({ ...part, from: 'layer2' }, sets, [])).toThrow(
      'at least 1 statistic',
    );
  });
});
