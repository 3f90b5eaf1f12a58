/**
 * Scores of a saliency method, from the accuracy of a network that sees only the most salient pixels
 * (KAR, keep and retrain) or all other pixels (ROAR, remove and retrain), at the same fractions of pixels
 * kept or removed; compared with a network that sees as many pixels chosen at random:
 *
 *   D = Σ (KAR − KAR_rand) + Σ (ROAR_rand − ROAR)
 *   I = Σ KAR_rand·ln(KAR/KAR_rand) − Σ ROAR·ln(ROAR/ROAR_rand)
 *
 * Both are 0 if the method is as good as chance, and grow with it. D is linear in the accuracies;
 * I, in nats, counts a change relative to the accuracy. Source: Mundhenk et al. 2019
 * (arXiv 1911.11293), §4; S. Hooker et al., arXiv 1806.10758, for the two experiments.
 */

import { ShapeError } from '../errors.js';

/** Accuracies, as fractions in [0, 1], one for each fraction of pixels: index i is the same in all. */
export interface MaskAccuracies {
  /** With only the most salient pixels kept. */
  readonly kar: readonly number[];
  /** With the most salient pixels removed. */
  readonly roar: readonly number[];
  /** With as many pixels kept as in `kar`, chosen at random. */
  readonly karRandom: readonly number[];
  /** With as many pixels removed as in `roar`, chosen at random. */
  readonly roarRandom: readonly number[];
}

/**
 * The difference score D = Σ (KAR − KAR_rand) + Σ (ROAR_rand − ROAR).
 *
 * @throws ShapeError if an accuracy is not a fraction, or lengths differ or are 0.
 */
export function differenceScore(accuracies: MaskAccuracies): number {
  checkAccuracies('differenceScore', accuracies);
  const { kar, roar, karRandom, roarRandom } = accuracies;
  let score = 0;
  for (let i = 0; i < kar.length; i++) score += kar[i]! - karRandom[i]!;
  for (let i = 0; i < roar.length; i++) score += roarRandom[i]! - roar[i]!;
  return score;
}

/**
 * The information score I = Σ KAR_rand·ln(KAR/KAR_rand) − Σ ROAR·ln(ROAR/ROAR_rand), in nats.
 *
 * A term whose factor is 0 is 0, its limit. It is −∞ if KAR = 0 and chance gets more, or if ROAR > 0 and
 * chance gets none.
 *
 * @throws ShapeError if an accuracy is not a fraction, or lengths differ or are 0.
 */
export function informationScore(accuracies: MaskAccuracies): number {
  checkAccuracies('informationScore', accuracies);
  const { kar, roar, karRandom, roarRandom } = accuracies;
  let score = 0;
  for (let i = 0; i < kar.length; i++) score += weighedLog(karRandom[i]!, kar[i]!, karRandom[i]!);
  for (let i = 0; i < roar.length; i++) score -= weighedLog(roar[i]!, roar[i]!, roarRandom[i]!);
  return score;
}

/** weight·ln(a/b), 0 for weight 0. */
function weighedLog(weight: number, a: number, b: number): number {
  return weight === 0 ? 0 : weight * Math.log(a / b);
}

function checkAccuracies(operation: string, accuracies: MaskAccuracies): void {
  const { kar, roar, karRandom, roarRandom } = accuracies;
  for (const [name, list] of Object.entries({ kar, roar, karRandom, roarRandom })) {
    for (const accuracy of list) {
      if (!(accuracy >= 0 && accuracy <= 1)) {
        throw new ShapeError(`${operation}: ${name} expected fractions 0…1, got ${accuracy}`);
      }
    }
  }
  expectLength(operation, 'karRandom', karRandom.length, kar.length);
  expectLength(operation, 'roarRandom', roarRandom.length, roar.length);
  if (kar.length + roar.length === 0) {
    throw new ShapeError(`${operation}: expected at least 1 accuracy, got 0`);
  }
}

function expectLength(operation: string, name: string, got: number, expected: number): void {
  if (got === expected) return;
  throw new ShapeError(`${operation}: ${name} expected ${expected} accuracies, got ${got}`);
}
