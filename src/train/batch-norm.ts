/**
 * Batch norms of a graph that is trained: they normalise with the statistics of the batch. Each becomes two nodes, of which
 * the first computes the statistics.
 */

import type { PackedVectors } from '../kernels/step.js';
import {
  batchNorm,
  batchNormGradient,
  batchNormSums,
  batchStatistics,
} from '../kernels/training/index.js';
import { backward, type Differentiated, type Rule } from '../model/gradient/rule.js';
import type { Operator, ValueShape } from '../model/graph/node.js';
import type { Affine } from '../model/graph/operators/affine.js';

/** Two vectors of C elements as a value: each picture of a batch of N has room for a part of them. */
export function vectorsShape(length: number, N: number): ValueShape {
  return { H: 1, W: 1, C: Math.ceil(length / N) };
}

/** μ and 1/√(variance + eps) of each channel. */
export function statisticsOperator({ channels, batchNorms }: Affine, N: number): Operator {
  const { eps = 0 } = batchNorms[0]!;
  return {
    kind: 'batchStatistics',
    shape: () => vectorsShape(2 * channels, N),
    steps: ({ inputs, buffers, out }) => {
      const M = N * inputs[0]!.H * inputs[0]!.W;
      const numbers = [M, channels, eps];
      return [
        {
          ...{ op: 'batchStatistics', inputs: buffers, out, numbers, shape: `${channels}` },
          kernel: (y, [x]) => batchStatistics(y, x!, M, channels, eps),
        },
      ];
    },
  };
}

interface BatchNormOperator extends Operator {
  readonly layer: string;
}

/** γ·(x − μ)/√(variance + eps) + β of x and its statistics. */
export function batchNormOperator({ layer, channels }: Affine): BatchNormOperator {
  return {
    ...{ kind: 'batchNorm', layer },
    shape: ([x]) => x!,
    steps: ({ N, inputs, buffers, out }) => {
      const M = N * inputs[0]!.H * inputs[0]!.W;
      const numbers = [M, channels];
      return [
        {
          ...{ op: 'batchNorm', inputs: buffers, out, numbers, shape: `${channels}` },
          weights: layer,
          kernel: (y, [x, statistics], vectors) =>
            batchNorm(y, x!, statistics!, vectors!.scale, vectors!.shift, channels),
        },
      ];
    },
  };
}

/** Appends ∂γ and ∂β, [2, C]. */
export function appendNormGradient(node: Differentiated, N: number): number {
  const { H, W, C } = node.shape;
  const M = N * H * W;
  const sums = backward(vectorsShape(2 * C, N), () => ({
    op: 'batchNormSums',
    numbers: [M, C],
    kernel: (out, [g, x, statistics]) => batchNormSums(out, g!, x!, statistics!, M, C),
  }));
  return node.append(sums, [node.gradient, node.input(0), node.input(1)]);
}

/** The gradient of x. The statistics' own part is in it. @param sumsOf ∂γ and ∂β of a batch norm, by its layer */
export function batchNormRule(sumsOf: ReadonlyMap<string, number>, N: number): Rule {
  return (node, i) => {
    if (i > 0) return undefined;
    const { H, W, C } = node.shape;
    const M = N * H * W;
    const { layer: weights } = node.operator as BatchNormOperator;
    const own = backward(
      node.inputs[0]!,
      () => ({
        op: 'batchNormGradient',
        numbers: [M, C],
        weights,
        kernel: (out, [g, x, statistics, sums], vectors) =>
          batchNormGradient(
            out,
            g!,
            x!,
            statistics!,
            sums!,
            (vectors as PackedVectors).scale,
            M,
            C,
          ),
      }),
      { inPlace: true },
    );
    const sums = sumsOf.get(weights)!;
    return node.append(own, [node.gradient, node.input(0), node.input(1), sums]);
  };
}
