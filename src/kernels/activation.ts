/** The activation functions that there are, by PyTorch's names where it has one; js/activation.ts has their formulas. */

export type ActivationName =
  | 'clip'
  | 'relu6'
  | 'leaky_relu'
  | 'thresholded_relu'
  | 'elu'
  | 'celu'
  | 'selu'
  | 'silu'
  | 'gelu'
  | 'gelu_tanh'
  | 'quick_gelu'
  | 'hardswish'
  | 'hardsigmoid'
  | 'sigmoid'
  | 'tanh'
  | 'softplus'
  | 'mish';

/** A function with its parameters, as many as ACTIVATION_PARAMETERS has. ReLU is `clip` to 0 … ∞. */
export interface ActivationFunction {
  readonly name: ActivationName;
  readonly parameters: readonly number[];
}

/**
 * The functions that have parameters, and the usual ones: PyTorch's; of `thresholded_relu` ONNX's. Those of
 * `clip` are the least and the largest value, those of `hardsigmoid` slope and height at 0.
 */
export const ACTIVATION_PARAMETERS: {
  readonly [name in ActivationName]?: readonly number[];
} = {
  clip: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  leaky_relu: [Math.fround(0.01)],
  thresholded_relu: [1],
  elu: [1],
  celu: [1],
  hardsigmoid: [1 / 6, 0.5],
};

/** The least and the largest value. */
export type Limits = readonly [least: number, most: number];

const NO_LIMITS: Limits = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const RELU6_LIMITS: Limits = [0, 6];

/**
 * The limits of a function that does nothing but clip, which any kernel does as it stores a value; infinite
 * where there is no function. Of any other function `undefined`.
 */
export function limitsOf(activation: ActivationFunction | undefined): Limits | undefined {
  if (activation === undefined) return NO_LIMITS;
  if (activation.name === 'relu6') return RELU6_LIMITS;
  return activation.name === 'clip' ? (activation.parameters as Limits) : undefined;
}
