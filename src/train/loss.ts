/**
 * The loss of a classifier, the mean over the batch of
 *
 *   softmax   −Σ_c t_c·ln p_c          t is 1 for the picture's class, with label smoothing 1 − s + s/C and s/C
 *   sigmoid   −Σ_c t_c·ln p_c + (1 − t_c)·ln(1 − p_c)
 *
 * A single logit has the classes 0 and 1. Source of label smoothing: C. Szegedy et al., arXiv 1512.00567.
 */

import type { Activation } from '../model/formats/metadata.js';
import { backward } from '../model/gradient/rule.js';
import { logSigmoid, logSumExp } from '../model/gradient/score.js';
import type { Operator } from '../model/graph/node.js';

/** The loss of the latest batch, and the classes of its pictures, which are set before it runs. */
export interface BatchLoss {
  readonly targets: Int32Array;
  /** The mean over the pictures. */
  loss: number;
}

/** The first node of the backward pass: logits → ∂loss/∂logits. It also computes the loss. */
export function lossOperator(
  classes: number,
  activation: Activation,
  smoothing: number,
  batch: BatchLoss,
): Operator {
  return backward({ H: 1, W: 1, C: classes }, (N) => ({
    op: 'loss',
    numbers: [],
    kernel(out, [logits]) {
      let sum = 0;
      for (let n = 0; n < N; n++) {
        const range = [n * classes, (n + 1) * classes] as const;
        const own = out.subarray(...range);
        const targets = targetsOf(classes, batch.targets[n]!, smoothing);
        sum += lossGradient(own, logits!.subarray(...range), targets, activation);
        for (let c = 0; c < classes; c++) own[c]! /= N;
      }
      batch.loss = sum / N;
    },
  }));
}

/** t: what each class's probability should be. */
export function targetsOf(classes: number, target: number, smoothing: number): Float64Array {
  if (classes === 1) return Float64Array.of(target === 0 ? smoothing / 2 : 1 - smoothing / 2);
  const targets = new Float64Array(classes).fill(smoothing / classes);
  targets[target]! += 1 - smoothing;
  return targets;
}

/**
 * The loss of one picture.
 *
 * @param out [C], the gradient p − t, overwritten
 * @param logits [C]
 * @param targets [C]
 */
export function lossGradient(
  out: Float32Array,
  logits: Float32Array,
  targets: Float64Array,
  activation: Activation,
): number {
  let loss = 0;
  if (activation === 'sigmoid') {
    for (const [c, z] of logits.entries()) {
      // ln(1 + e^z)
      const softplus = -logSigmoid(-z);
      loss += softplus - targets[c]! * z;
      out[c] = Math.exp(z - softplus) - targets[c]!;
    }
    return loss;
  }
  const logSum = logSumExp(logits);
  for (const [c, z] of logits.entries()) {
    loss += targets[c]! * (logSum - z);
    out[c] = Math.exp(z - logSum) - targets[c]!;
  }
  return loss;
}
