/** Scores and their gradients with respect to the logits. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SCORES, type Score, scoreGradient, scoreOf } from '../../../src/model/gradient/score.js';

const ACTIVATIONS = ['softmax', 'sigmoid'] as const;
type Activation = (typeof ACTIVATIONS)[number];

/** The functions compute in doubles; only what they are given and write may be rounded. */
const floats = (array: ArrayLike<number>) => Float64Array.from(array) as unknown as Float32Array;

function gradientOf(
  logits: ArrayLike<number>,
  targets: readonly number[],
  score: Score,
  activation: Activation,
): number[] {
  const out = floats(Array.from(logits, () => Number.NaN));
  scoreGradient(out, floats(logits), targets, score, activation);
  return [...out];
}

describe.each(ACTIVATIONS)('scores of a network with %s', (activation) => {
  // None is 0, where |z| has a corner, and no two are equal, where another class becomes the top one.
  const thousandths = fc.integer({ min: -9000, max: 9000 }).filter((value) => value !== 0);
  const logits = fc
    .uniqueArray(thousandths, { minLength: 1, maxLength: 7 })
    .map((values) => values.map((value) => value / 1000));

  it.each(SCORES)(
    '%s of any classes: the gradient is within 1e-8 of central differences',
    (score) => {
      fc.assert(
        fc.property(logits, fc.array(fc.nat(6), { maxLength: 3 }), (z, picks) => {
          const targets = picks.map((pick) => pick % z.length);
          const h = 1e-5;
          const expected = z.map((_, i) => {
            const at = (shift: number) => {
              const moved = z.map((value, k) => (k === i ? value + shift : value));
              return scoreOf(floats(moved), targets, score, activation);
            };
            return (at(h) - at(-h)) / (2 * h);
          });
          const got = gradientOf(z, targets, score, activation);
          for (const [i, value] of got.entries()) {
            expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-8);
          }
        }),
      );
    },
  );

  it.each(SCORES)(
    '%s: no class stands for the most likely one, the first of equal ones',
    (score) => {
      const z = [1, 3, 3, -2];
      expect(gradientOf(z, [], score, activation)).toEqual(gradientOf(z, [1], score, activation));
    },
  );

  it.each(SCORES)('%s is finite for logits up to 1e30, as is its gradient', (score) => {
    for (const z of [[1e30, -1e30, 0], [-1e30], [1e30], [0, 0]]) {
      for (const c of z.keys()) {
        expect(Number.isFinite(scoreOf(floats(z), [c], score, activation))).toBe(true);
        expect(gradientOf(z, [c], score, activation).every(Number.isFinite)).toBe(true);
      }
    }
  });
});

describe('scores', () => {
  it('two-sided speaks for the side on which the logit is, at 0 for the upper one', () => {
    for (const [z, expected] of [
      [-2, -1],
      [0, 1],
      [2, 1],
    ] as const) {
      expect(gradientOf([z], [], 'two-sided', 'sigmoid')).toEqual([expected]);
      expect(scoreOf(floats([z]), [], 'two-sided', 'sigmoid')).toBe(Math.abs(z));
    }
  });

  it('log-probability of a class that is almost certain: the gradient has full precision', () => {
    // p of the other class is e⁻⁵⁰, and 1 − p of this one is no double.
    const [own, other] = gradientOf([50, 0], [0], 'log-probability', 'softmax');
    expect(own! / Math.exp(-50)).toBeCloseTo(1, 12);
    expect(other).toBe(-own!);
    const [single] = gradientOf([50], [0], 'log-probability', 'sigmoid');
    expect(single! / Math.exp(-50)).toBeCloseTo(1, 12);
  });

  it('the softmax of one logit is 1, whatever the logit', () => {
    for (const score of ['probability', 'log-probability'] as const) {
      expect(gradientOf([3], [], score, 'softmax')).toEqual([0]);
    }
  });

  it('a class that is named twice counts twice', () => {
    expect(gradientOf([1, 2], [0, 0], 'logit', 'softmax')).toEqual([2, 0]);
  });
});
