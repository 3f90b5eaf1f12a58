import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { quartileShares, rankByScore } from '../../src/evaluate/ranking.js';

/** Few distinct values, so that many scores are equal. */
const tables = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 }))
  .chain(([statistics, experiments]) => {
    const score = fc.integer({ min: -4, max: 4 });
    const row = fc.array(score, { minLength: experiments, maxLength: experiments });
    return fc.array(row, { minLength: statistics, maxLength: statistics });
  });

describe('rankByScore', () => {
  it('ranks each column from the highest score, equal scores alike', () => {
    const scores = [
      [0.9, Number.NEGATIVE_INFINITY],
      [0.5, -1],
      [0.9, -2],
    ];
    expect(rankByScore(scores)).toEqual([
      [1, 3],
      [3, 1],
      [1, 2],
    ]);
  });

  it('depends only on the order of the scores', () => {
    fc.assert(
      fc.property(tables, (scores) => {
        const stretched = scores.map((row) => row.map((score) => Math.exp(score) - 3));
        expect(rankByScore(stretched)).toEqual(rankByScore(scores));
      }),
    );
  });
});

describe('quartileShares', () => {
  it('takes ranks up to 3, 5 and 7 of nine', () => {
    const scores = Array.from({ length: 9 }, (_, s) => [-s]);
    const counts = quartileShares(scores).map(({ top25, top50, top75 }) => [top25, top50, top75]);
    expect(counts.filter(([share]) => share === 100)).toHaveLength(3);
    expect(counts.filter(([, share]) => share === 100)).toHaveLength(5);
    expect(counts.filter(([, , share]) => share === 100)).toHaveLength(7);
  });

  it('is a percentage of the experiments', () => {
    const scores = [
      [4, 4, 4, 1, 2],
      [3, 3, 3, 2, 1],
      [2, 2, 2, 3, 3],
      [1, 1, 1, 4, 4],
    ];
    const [first] = quartileShares(scores);
    expect(first).toEqual({ top25: 60, top50: 60, top75: 80 });
  });

  it('rises from quarter to quarter, and fills each quarter at least', () => {
    fc.assert(
      fc.property(tables, (scores) => {
        const shares = quartileShares(scores);
        for (const { top25, top50, top75 } of shares) {
          expect(top25).toBeLessThanOrEqual(top50);
          expect(top50).toBeLessThanOrEqual(top75);
        }
        const total = shares.reduce((sum, { top25 }) => sum + top25, 0);
        expect(total).toBeGreaterThanOrEqual(100 * Math.ceil(scores.length / 4) - 1e-9);
      }),
    );
  });
});

it('rows of different lengths, NaN and empty tables are refused', () => {
  expect(() => rankByScore([[1, 2], [1]])).toThrow(
    new ShapeError('rankByScore: row 1 expected 2 scores, as row 0 has, got 1'),
  );
  expect(() => rankByScore([[1], [Number.NaN]])).toThrow(/row 1 expected numbers, got NaN/);
  expect(() => rankByScore([])).toThrow(/expected at least 1 row/);
  expect(() => quartileShares([[], []])).toThrow(/expected at least 1 experiment/);
});
