/**
 * A factor and a summand for each channel, from batch norms that no convolution could take in, of one value
 * or of several concatenated:
 *
 *   value = relu?( γ·([x₀ x₁ …] − mean)/√(variance + eps) + β )
 */

import { affine as affineKernel } from '../../../kernels/index.js';
import { type Operator, stepOf } from '../node.js';
import { concatShape, stepsOfParts } from './concat.js';

/**
 * A batch norm by the names of its tensors, [C] each. Without `gamma` and `beta` they are 1 and 0. Without
 * `mean` and `variance` nothing is normalised: γ·x + β.
 */
export interface BatchNorm {
  readonly gamma?: string | undefined;
  readonly beta?: string | undefined;
  readonly mean?: string | undefined;
  readonly variance?: string | undefined;
  /** Added to the variance; default 0. */
  readonly eps?: number;
}

/** An operator that reads vectors from the weights: a factor and a summand for each channel. */
export interface VectorLayer extends Operator {
  /** Key of the layer's weights. */
  readonly layer: string;
  readonly channels: number;
  readonly batchNorms: readonly BatchNorm[];
  /** Of its tensors, where it is not [channels]. */
  readonly tensorShape?: readonly number[];
}

export function hasVectors(operator: Operator): operator is VectorLayer {
  return 'channels' in operator;
}

export interface Affine extends VectorLayer {
  readonly kind: 'affine';
}

export function isAffine(operator: Operator): operator is Affine {
  return operator.kind === 'affine';
}

export function affine(
  layer: string,
  channels: number,
  batchNorms: readonly BatchNorm[],
  relu = false,
): Affine {
  return {
    kind: 'affine',
    layer,
    channels,
    batchNorms,
    shape: (inputs) => concatShape('affine', inputs, channels),
    range: () => ({ nonNegative: relu, sparse: relu }),
    withRelu: () => affine(layer, channels, batchNorms, true),
    steps: (context) =>
      stepsOfParts(context, (part, numbers) => ({
        ...stepOf('affine', part, [...numbers, relu ? 1 : 0], (y, [x], vectors) =>
          affineKernel(y, x!, vectors!.scale, vectors!.shift, numbers, relu),
        ),
        weights: layer,
      })),
  };
}
