import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { differenceScore, informationScore, type MaskAccuracies } from '../../src/viz/scores.js';

const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });
const accuracies: fc.Arbitrary<MaskAccuracies> = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 }))
  .chain(([keep, remove]) => {
    const of = (n: number) => fc.array(fraction, { minLength: n, maxLength: n });
    return fc.record({
      kar: of(keep),
      karRandom: of(keep),
      roar: of(remove),
      roarRandom: of(remove),
    });
  });

describe('by hand', () => {
  const example: MaskAccuracies = {
    kar: [0.5, 0.6],
    karRandom: [0.25, 0.6],
    roar: [0.2, 0.4],
    roarRandom: [0.4, 0.4],
  };

  test('D of (.5, .6) over (.25, .6) kept and (.2, .4) below (.4, .4) removed is .25 + .2', () => {
    expect(differenceScore(example)).toBeCloseTo(0.45, 15);
  });

  test('I of the same is .25 ln 2 + .2 ln 2', () => {
    expect(informationScore(example)).toBeCloseTo(0.45 * Math.LN2, 15);
  });
});

describe('laws', () => {
  test('both are 0 for a method that is no better than chance', () => {
    fc.assert(
      fc.property(accuracies, ({ kar, roar }) => {
        const chance = { kar, roar, karRandom: kar, roarRandom: roar };
        expect(differenceScore(chance)).toBe(0);
        expect(informationScore(chance)).toBe(0);
      }),
    );
  });

  test('both rise with any KAR and fall with any ROAR that is above 1/e of chance', () => {
    fc.assert(
      fc.property(accuracies, fc.nat(), (a, at) => {
        const kar = a.kar.map((value, i) =>
          i === at % a.kar.length ? value + (1 - value) / 2 : value,
        );
        fc.pre(kar.some((value, i) => value > a.kar[i]! + 1e-6));
        for (const score of [differenceScore, informationScore]) {
          expect(score({ ...a, kar })).toBeGreaterThan(score(a));
        }
        fc.pre(a.roar.length > 0);
        const index = at % a.roar.length;
        // d/dr of r·ln(r/c) is positive from r = c/e on.
        fc.pre(a.roar[index]! > 1.01 * (a.roarRandom[index]! / Math.E) && a.roar[index]! < 0.99);
        const roar = a.roar.map((value, i) => (i === index ? (1 + value) / 2 : value));
        for (const score of [differenceScore, informationScore]) {
          expect(score({ ...a, roar })).toBeLessThan(score(a));
        }
      }),
    );
  });

  test('D is linear: the score of mean accuracies is the mean of the scores, within 1e-14', () => {
    fc.assert(
      fc.property(accuracies, fraction, (a, t) => {
        const mirrored = (list: readonly number[]) => list.map((value) => 1 - value);
        const b: MaskAccuracies = {
          kar: mirrored(a.kar),
          roar: mirrored(a.roar),
          karRandom: mirrored(a.karRandom),
          roarRandom: mirrored(a.roarRandom),
        };
        const mix = (x: readonly number[], y: readonly number[]) =>
          x.map((value, i) => Math.min(1, t * value + (1 - t) * y[i]!));
        const mixed: MaskAccuracies = {
          kar: mix(a.kar, b.kar),
          roar: mix(a.roar, b.roar),
          karRandom: mix(a.karRandom, b.karRandom),
          roarRandom: mix(a.roarRandom, b.roarRandom),
        };
        const expected = t * differenceScore(a) + (1 - t) * differenceScore(b);
        expect(Math.abs(differenceScore(mixed) - expected)).toBeLessThanOrEqual(1e-14);
      }),
    );
  });

  test('I never exceeds D if only KAR counts, because ln u ≤ u − 1', () => {
    fc.assert(
      fc.property(accuracies, ({ kar, karRandom }) => {
        const kept = { kar, karRandom, roar: [], roarRandom: [] };
        expect(informationScore(kept)).toBeLessThanOrEqual(differenceScore(kept) + 1e-14);
      }),
    );
  });
});

test('accuracies of 0 have their limits', () => {
  const one = (kar: number, karRandom: number, roar: number, roarRandom: number) =>
    informationScore({
      kar: [kar],
      karRandom: [karRandom],
      roar: [roar],
      roarRandom: [roarRandom],
    });
  expect(one(0.5, 0, 0.5, 0.5)).toBe(0);
  expect(one(0.5, 0.5, 0, 0.5)).toBe(0);
  expect(one(0, 0, 0, 0)).toBe(0);
  expect(one(0, 0.5, 0.5, 0.5)).toBe(-Infinity);
  expect(one(0.5, 0.5, 0.5, 0)).toBe(-Infinity);
});

test('percentages, NaN and lengths that differ are refused by name', () => {
  const fine: MaskAccuracies = { kar: [0.5], karRandom: [0.4], roar: [0.1], roarRandom: [0.2] };
  const bad: [Partial<MaskAccuracies>, string][] = [
    [{ kar: [50] }, 'kar expected fractions 0…1, got 50'],
    [{ roarRandom: [NaN] }, 'roarRandom expected fractions 0…1, got NaN'],
    [{ karRandom: [0.1, 0.2] }, 'karRandom expected 1 accuracies, got 2'],
    [{ roar: [] }, 'roarRandom expected 0 accuracies, got 1'],
    [{ kar: [], karRandom: [], roar: [], roarRandom: [] }, 'expected at least 1 accuracy, got 0'],
  ];
  for (const [part, message] of bad) {
    for (const score of [differenceScore, informationScore]) {
      expect(() => score({ ...fine, ...part })).toThrow(ShapeError);
      expect(() => score({ ...fine, ...part })).toThrow(message);
    }
  }
});
