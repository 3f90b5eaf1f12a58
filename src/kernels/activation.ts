/** Names of the activation functions, PyTorch's where it has one. js/activation.ts has their formulas. */

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

/** A function and its parameters; ACTIVATION_PARAMETERS has their number. ReLU is `clip` to 0 … ∞. */
export interface ActivationFunction {
  readonly name: ActivationName;
  readonly parameters: readonly number[];
}

/**
 * The functions that have parameters, with the defaults of PyTorch (of `thresholded_relu`: ONNX). The parameters
 * of `clip` are the least and the largest value; those of `hardsigmoid` are the slope and the value at 0.
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
 * The limits of a function that only clips: every kernel can clip when it stores a value. Without a function
 * they are infinite. For any other function the result is `undefined`.
 */
export function limitsOf(activation: ActivationFunction | undefined): Limits | undefined {
  if (activation === undefined) return NO_LIMITS;
  if (activation.name === 'relu6') return RELU6_LIMITS;
  return activation.name === 'clip' ? (activation.parameters as Limits) : undefined;
}
