import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LARGE_ERROR, lossWarnings, WeightLoss } from '../../src/node/weight-loss.js';

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

describe('WeightLoss', () => {
  it('has √(Σ error² / Σ w²) of the kernel, the bias and batch norms beside it', () => {
    const loss = new WeightLoss();
    loss.add('fc.weight', floats(3, 4), floats(3.5, 4), { shape: [1, 2], groups: 1 });
    loss.add('fc.bias', floats(100), floats(100));
    loss.add('bn1.weight', floats(1), floats(1));
    const [fc1, bn1] = loss.layers();
    expect(fc1).toEqual({
      layer: 'fc',
      weights: 3,
      largest: 100,
      largestError: 0.5,
      meanError: 0.5 / 3,
      relativeError: 0.1,
      // Of 0 and of 0.5/3, the upper.
      channelError: 0.5 / 3,
    });
    expect(bn1).toMatchObject({ relativeError: 0, channelError: 0 });
  });

  it('is 0 for a layer of zeros, and leaves out channels of zeros', () => {
    const loss = new WeightLoss();
    loss.add('a.weight', floats(0, 0), floats(0, 0), { shape: [1, 2], groups: 1 });
    loss.add('b.weight', floats(0, 0, 2), floats(0, 0, 1), { shape: [1, 3], groups: 1 });
    const [a, b] = loss.layers();
    expect(a).toMatchObject({ relativeError: 0, channelError: 0 });
    expect(b).toMatchObject({ relativeError: 0.5, channelError: 0.5 });
  });

  it('finds the input channels of each group, for any pieces of the kernel', () => {
    // Two groups of two output channels and one input channel, windows of 1×2.
    const x = floats(1, 1, 1, 1, 10, 10, 10, 10);
    const rounded = floats(1.5, 1.5, 1.5, 1.5, 10, 10, 10, 11);
    const kernel = { shape: [4, 1, 1, 2], groups: 2 };
    fc.assert(
      fc.property(fc.nat(4), (row) => {
        const loss = new WeightLoss();
        loss.add('c.weight', x.subarray(0, 2 * row), rounded.subarray(0, 2 * row), kernel);
        loss.add('c.weight', x.subarray(2 * row), rounded.subarray(2 * row), kernel, row);
        const [{ relativeError, channelError }] = loss.layers() as [never];
        expect(channelError).toBe(0.5);
        expect(relativeError).toBeCloseTo(Math.sqrt((4 * 0.25 + 1) / 404), 12);
      }),
    );
  });
});

describe('lossWarnings', () => {
  const layer = { layer: 'fc', weights: 1, largest: 1, largestError: 1, meanError: 1 };

  it('says what is lost and what keeps it', () => {
    const lost = { ...layer, relativeError: 0.3, channelError: 0.1 };
    expect(lossWarnings([lost], 'f16')).toEqual([
      'fc: f16 changes its weights by 30.0 %, where 0.02 % is usual. Its weights are too small for float16: use --precision f32',
    ]);
  });

  it('warns from the larger error on', () => {
    const at = (relativeError: number, channelError: number): number =>
      lossWarnings([{ ...layer, relativeError, channelError }], 'int8').length;
    const less = LARGE_ERROR * 0.99;
    expect([at(less, less), at(LARGE_ERROR, 0), at(0, LARGE_ERROR)]).toEqual([0, 1, 1]);
  });
});
