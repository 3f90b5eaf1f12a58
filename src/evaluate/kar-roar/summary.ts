/** What the experiments by scale say of each statistic: scores D and I, and how often it ranks high, as in Tables 1 and 7. */

import { differenceScore, informationScore, type MaskAccuracies } from '../../viz/index.js';
import { type QuartileShares, quartileShares } from '../ranking.js';

/** Accuracies of one statistic or method, by scale or by share of pixels: fractions. */
export interface Accuracies {
  readonly kar: readonly number[];
  readonly roar: readonly number[];
}

export interface ScaleSummary {
  readonly difference: number;
  readonly information: number;
  /** Of each scale alone, D and I. */
  readonly differences: readonly number[];
  readonly informations: readonly number[];
  /** How often it ranks among the best quarter, half and three quarters of the statistics at a scale. */
  readonly byDifference: QuartileShares;
  readonly byInformation: QuartileShares;
}

/**
 * @param all the accuracies of each statistic at each scale
 * @param random those of random masks
 * @throws {ShapeError} if the numbers of scales differ
 */
export function summarizeScales(
  all: ReadonlyMap<string, Accuracies>,
  random: Accuracies,
): Map<string, ScaleSummary> {
  const names = [...all.keys()];
  const score = (of: (accuracies: MaskAccuracies) => number, own: Accuracies): number[] =>
    own.kar.map((_, i) => of(against(sliced(own, i), sliced(random, i))));
  const differences = names.map((name) => score(differenceScore, all.get(name)!));
  const informations = names.map((name) => score(informationScore, all.get(name)!));
  const byDifference = quartileShares(differences);
  const byInformation = quartileShares(informations);
  return new Map(
    names.map((name, i) => {
      const both = against(all.get(name)!, random);
      return [
        name,
        {
          ...{ difference: differenceScore(both), information: informationScore(both) },
          ...{ differences: differences[i]!, informations: informations[i]! },
          ...{ byDifference: byDifference[i]!, byInformation: byInformation[i]! },
        },
      ];
    }),
  );
}

/** The row of Table 2: KAR = Σ accuracies, ROAR = −Σ accuracies, and their sum. */
export function summarizeInput({ kar, roar }: Accuracies): {
  readonly kar: number;
  readonly roar: number;
  readonly sum: number;
} {
  const total = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0);
  return { kar: total(kar), roar: -total(roar), sum: total(kar) - total(roar) };
}

function against({ kar, roar }: Accuracies, random: Accuracies): MaskAccuracies {
  return { kar, roar, karRandom: random.kar, roarRandom: random.roar };
}

function sliced({ kar, roar }: Accuracies, i: number): Accuracies {
  return { kar: kar.slice(i, i + 1), roar: roar.slice(i, i + 1) };
}
