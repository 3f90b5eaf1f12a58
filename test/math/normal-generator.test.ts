import { describe, expect, it } from 'vitest';
import { normalGenerator } from '../../src/math/normal-generator.js';

const COUNT = 200_000;

function numbers(seed: number, count = COUNT): Float64Array {
  const next = normalGenerator(seed);
  return new Float64Array(count).map(next);
}

const mean = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('normalGenerator', () => {
  it('gives the same numbers for a seed, and others for another', () => {
    expect(numbers(7, 100)).toEqual(numbers(7, 100));
    const seeds = [0, 1, 2, -1, 2 ** 31].map((seed) => normalGenerator(seed)());
    expect(new Set(seeds).size).toBe(5);
  });

  it.each([0, 1, 123456789])(
    'seed %i: the first four moments of 200,000 numbers within 4 standard errors of the normal ones',
    (seed) => {
      const x = numbers(seed);
      // The moments 0, 1, 0, 3 have the standard errors √(1, 2, 15, 96)/√n.
      for (const [power, moment, variance] of [
        [1, 0, 1],
        [2, 1, 2],
        [3, 0, 15],
        [4, 3, 96],
      ] as const) {
        const bound = 4 * Math.sqrt(variance / COUNT);
        expect(Math.abs(mean(x.map((value) => value ** power)) - moment)).toBeLessThan(bound);
      }
    },
  );

  it('gives the share of a normal distribution in each interval, and neighbours that are not correlated', () => {
    const x = numbers(3);
    const share = (z: number) => x.filter((value) => value < z).length / COUNT;
    for (const [z, p] of [
      [-3, 0.0013499],
      [-1, 0.1586553],
      [0, 0.5],
      [2, 0.9772499],
    ] as const) {
      expect(Math.abs(share(z) - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / COUNT));
    }
    for (const lag of [1, 2, 3]) {
      const products = x.subarray(lag).map((value, i) => value * x[i]!);
      expect(Math.abs(mean(products))).toBeLessThan(4 / Math.sqrt(COUNT));
    }
  });
});
