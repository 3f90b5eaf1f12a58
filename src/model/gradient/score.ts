/**
 * What is differentiated: a score, made of the logits z of the chosen classes c.
 *
 *   logit             Σ z_c
 *   minus-logit       −Σ z_c: what speaks against the classes; what lowers a regression's output
 *   two-sided         Σ |z_c|: what speaks for the side on which the logit is
 *   log-probability   Σ ln p_c
 *   probability       Σ p_c
 *
 * p is the softmax of the logits or the sigmoid of each logit; the network decides.
 */

import { topClass } from '../class-index.js';
import type { Activation } from '../formats/metadata.js';
import type { Operator } from '../graph/node.js';
import { backward } from './rule.js';

export type Score = 'logit' | 'minus-logit' | 'two-sided' | 'log-probability' | 'probability';

/** Names of the scores, the usual one first. */
export const SCORES: readonly Score[] = [
  'logit',
  'two-sided',
  'minus-logit',
  'log-probability',
  'probability',
];

/** The score of a network if nobody names one: two-sided for a single logit. */
export function usualScore(classes: number): Score {
  return classes === 1 ? 'two-sided' : 'logit';
}

/** Classes whose score is differentiated; none stands for the most likely class. */
export type Targets = readonly number[];

/** The score of one picture. @param logits [classes] */
export function scoreOf(
  logits: Float32Array,
  targets: Targets,
  score: Score,
  activation: Activation,
): number {
  const classes = targets.length > 0 ? targets : [topClass(logits)];
  const term = (c: number): number => {
    const z = logits[c]!;
    if (score === 'logit') return z;
    if (score === 'minus-logit') return -z;
    if (score === 'two-sided') return Math.abs(z);
    const logP = logProbability(logits, c, activation);
    return score === 'probability' ? Math.exp(logP) : logP;
  };
  return classes.reduce((sum, c) => sum + term(c), 0);
}

/**
 * ∂score/∂logits of one picture.
 *
 * @param out [classes], overwritten
 * @param logits [classes]
 */
export function scoreGradient(
  out: Float32Array,
  logits: Float32Array,
  targets: Targets,
  score: Score,
  activation: Activation,
): void {
  const classes = targets.length > 0 ? targets : [topClass(logits)];
  out.fill(0);
  for (const c of classes) {
    const z = logits[c]!;
    if (score === 'logit') out[c]! += 1;
    else if (score === 'minus-logit') out[c]! -= 1;
    else if (score === 'two-sided') out[c]! += z < 0 ? -1 : 1;
    else addProbability(out, logits, c, score === 'probability', activation);
  }
}

/** Adds the gradient of ln p_c, or of p_c = e^(ln p_c). */
function addProbability(
  out: Float32Array,
  logits: Float32Array,
  c: number,
  isProbability: boolean,
  activation: Activation,
): void {
  const factor = isProbability ? Math.exp(logProbability(logits, c, activation)) : 1;
  if (activation === 'sigmoid') {
    // 1 − σ(z) = σ(−z)
    out[c]! += factor * Math.exp(logSigmoid(-logits[c]!));
    return;
  }
  // 1 − p_c as the sum of the others: near 1, p_c itself would leave nothing of it.
  const logSum = logSumExp(logits);
  let rest = 0;
  for (let k = 0; k < logits.length; k++) {
    if (k === c) continue;
    const p = Math.exp(logits[k]! - logSum);
    out[k]! -= factor * p;
    rest += p;
  }
  out[c]! += factor * rest;
}

function logProbability(logits: Float32Array, c: number, activation: Activation): number {
  return activation === 'sigmoid' ? logSigmoid(logits[c]!) : logits[c]! - logSumExp(logits);
}

/** ln Σ e^z, without overflow. */
export function logSumExp(logits: Float32Array): number {
  const most = logits.reduce((max, z) => Math.max(max, z), Number.NEGATIVE_INFINITY);
  return most + Math.log(logits.reduce((total, z) => total + Math.exp(z - most), 0));
}

/** ln σ(z), without overflow. */
export function logSigmoid(z: number): number {
  return Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z)));
}

/**
 * The first node of a backward pass: logits → ∂score/∂logits.
 *
 * @param targets of each picture of the batch, read when the pass runs
 */
export function scoreOperator(
  classes: number,
  targets: readonly Targets[],
  score: Score,
  activation: Activation,
): Operator {
  const shape = { H: 1, W: 1, C: classes };
  return backward(shape, (N) => ({
    op: 'score',
    numbers: [],
    kernel(out, [logits]) {
      for (let n = 0; n < N; n++) {
        const [begin, end] = [n * classes, (n + 1) * classes];
        const own = out.subarray(begin, end);
        scoreGradient(own, logits!.subarray(begin, end), targets[n]!, score, activation);
      }
    },
  }));
}
