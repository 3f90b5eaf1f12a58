/** Activation functions in the form of assembly/activation.ts: the function's number, then up to three parameters. */

import type { ActivationFunction, ActivationName } from '../activation.js';

/** In the order of assembly/activation.ts. Names that share a number differ in the parameters that follow. */
const KINDS = [
  ['clip', 'relu6'],
  ['leaky_relu'],
  ['thresholded_relu'],
  ['hardsigmoid'],
  ['hardswish'],
  ['elu', 'celu', 'selu'],
  ['sigmoid'],
  ['silu', 'quick_gelu'],
  ['gelu_tanh'],
  ['gelu'],
  ['tanh'],
  ['mish'],
  ['softplus'],
];

export type ActivationWords = readonly [kind: number, a: number, b: number, c: number];

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** The words that assembly/activation.ts takes. */
export function activationWords({ name, parameters }: ActivationFunction): ActivationWords {
  const kind = KINDS.findIndex((names) => names.includes(name));
  const [a = 0, b = 0, c = 0] = NUMBERS[name]?.(parameters[0]!, parameters[1]!) ?? parameters;
  return [kind, a, b, c];
}

/** Where the numbers differ from the function's parameters. */
const NUMBERS: {
  readonly [name in ActivationName]?: (a: number, b: number) => readonly number[];
} = {
  relu6: () => [0, 6],
  // (x + β/α)·α, because α·x + β would cancel near the lower end.
  hardsigmoid: (alpha, beta) => [beta / alpha, alpha],
  hardswish: () => [3, 1 / 6],
  // The factor of x in the exponent; for elu then the factor of eˣ − 1, and that of x above 0.
  sigmoid: () => [-1],
  silu: () => [-1],
  quick_gelu: () => [-1.702],
  gelu_tanh: () => [-1.5957691216057308, 0.044715],
  gelu: () => [-0.5],
  tanh: () => [2],
  softplus: () => [1],
  elu: (alpha) => [1, alpha, 1],
  celu: (alpha) => [1 / alpha, alpha, 1],
  selu: () => [1, SELU_SCALE * SELU_ALPHA, SELU_SCALE],
};
