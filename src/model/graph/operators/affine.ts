/**
 * A factor and a summand for each channel, from batch norms that could not be folded into a convolution. The
 * input is one value, or several concatenated:
 *
 *   value = clip?( γ·([x₀ x₁ …] − mean)/√(variance + eps) + β )
 */

import {
  type ActivationFunction,
  affine as affineKernel,
  limitsOf,
} from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';
import { rangeOf } from './activation.js';
import { concatShape, stepsOfParts } from './concat.js';

/**
 * The names of a batch norm's tensors, [C] each. Without `gamma` and `beta`, γ is 1 and β is 0. Without
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
  /** Shape of its tensors, if it is not [channels]. */
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

/** @param followedBy a function that clips */
export function affine(
  layer: string,
  channels: number,
  batchNorms: readonly BatchNorm[],
  followedBy?: ActivationFunction,
): Affine {
  const limits = limitsOf(followedBy)!;
  return {
    kind: 'affine',
    layer,
    channels,
    batchNorms,
    shape: (inputs) => concatShape('affine', inputs, channels),
    range: () => rangeOf(followedBy),
    withActivation: (activation) =>
      followedBy === undefined && limitsOf(activation)
        ? affine(layer, channels, batchNorms, activation)
        : undefined,
    steps: (context) =>
      stepsOfParts(context, (part, numbers) => ({
        ...stepOf('affine', part, [...numbers, ...limits], (y, [x], vectors) =>
          affineKernel(y, x!, vectors!.scale, vectors!.shift, numbers, limits),
        ),
        weights: layer,
      })),
  };
}
