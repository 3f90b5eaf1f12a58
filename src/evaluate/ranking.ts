/**
 * How statistics rank against each other over many experiments, as in Table 7 of Mundhenk et al. 2019
 * (arXiv 1911.11293). An experiment is one scale of a network on one data set. Each gives every statistic
 * a score, `differenceScore` or `informationScore` of viz, and so a rank. The table counts how often a
 * statistic is among the best quarter, half and three quarters.
 *
 * The paper does not say how it counts a quarter of nine. Ranks up to ⌈n·q⌉, so 3, 5 and 7 of 9,
 * reproduce all 27 of its figures for the information score.
 */

import { ShapeError } from '../errors.js';

/** Of all experiments, the percentage in which a statistic is that good. */
export interface QuartileShares {
  /** Among the best quarter, in percent. */
  readonly top25: number;
  /** Among the best half, in percent. It includes `top25`. */
  readonly top50: number;
  /** Among the best three quarters, in percent. It includes `top50`. */
  readonly top75: number;
}

/**
 * The rank of each statistic in each experiment: 1 + the number of statistics with a higher score. Equal
 * scores have the same rank.
 *
 * @param scores `scores[statistic][experiment]`, higher is better. An infinite score has its place.
 * @returns Ranks from 1, in the same layout.
 * @throws ShapeError if there is no statistic, rows differ in length, or a score is NaN.
 */
export function rankByScore(scores: readonly (readonly number[])[]): number[][] {
  checkScores('rankByScore', scores);
  return scores.map((row) =>
    row.map((score, e) => scores.reduce((rank, other) => (other[e]! > score ? rank + 1 : rank), 1)),
  );
}

/**
 * For each statistic, the percentage of experiments in which its rank is at most ⌈n/4⌉, ⌈n/2⌉ and ⌈3n/4⌉ of
 * n statistics.
 *
 * @param scores `scores[statistic][experiment]`, higher is better.
 * @throws ShapeError if there is no statistic or no experiment, rows differ in length, or a score is NaN.
 */
export function quartileShares(scores: readonly (readonly number[])[]): QuartileShares[] {
  const n = scores.length;
  const experiments = scores[0]?.length ?? 0;
  const ranks = rankByScore(scores);
  if (experiments === 0)
    throw new ShapeError('quartileShares: expected at least 1 experiment, got 0');
  return ranks.map((row) => {
    const share = (quarters: number): number => {
      const last = Math.ceil((n * quarters) / 4);
      return (100 * row.filter((rank) => rank <= last).length) / experiments;
    };
    return { top25: share(1), top50: share(2), top75: share(3) };
  });
}

function checkScores(operation: string, scores: readonly (readonly number[])[]): void {
  if (scores.length === 0) throw new ShapeError(`${operation}: expected at least 1 row, got 0`);
  const experiments = scores[0]!.length;
  scores.forEach((row, s) => {
    if (row.length !== experiments) {
      throw new ShapeError(
        `${operation}: row ${s} expected ${experiments} scores, as row 0 has, got ${row.length}`,
      );
    }
    if (row.some(Number.isNaN)) {
      throw new ShapeError(`${operation}: row ${s} expected numbers, got NaN`);
    }
  });
}
