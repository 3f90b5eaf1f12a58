/**
 * Activation functions, by PyTorch's names. ReLU is in relu.ts. A convolution can take any of them into its
 * epilogue (../fuse.ts).
 */

import {
  ACTIVATION_PARAMETERS,
  ACTIVATIONS,
  type ActivationFunction,
  type ActivationName,
  limitsOf,
} from '../../../kernels/operators.js';
import type { Operator, ValueRange } from '../node.js';
import { elementwise } from './elementwise.js';
import { relu } from './relu.js';

/** An activation function that a text names. */
export type NamedActivation = ActivationFunction | { readonly name: 'relu' };

/** Functions that are never below 0, whatever their parameters. */
const NON_NEGATIVE: readonly ActivationName[] = ['sigmoid', 'hardsigmoid', 'softplus'];

/**
 * @param given the parameters (see `ACTIVATION_PARAMETERS`): the slope of leaky_relu; α of elu, celu or
 * thresholded_relu; the bounds of clip, which may be infinite; the slope and the value at 0 of hardsigmoid. They
 * are rounded to float32. Default: the usual ones. `clip` to 0 … ∞ is `relu`
 */
export function activation(name: ActivationName, ...given: readonly number[]): Operator {
  const usual = ACTIVATION_PARAMETERS[name] ?? [];
  const parameters = usual.map((value, i) =>
    given[i] === undefined ? value : Math.fround(given[i]),
  );
  if (name === 'clip' && parameters[0] === 0 && parameters[1] === Infinity) return relu();
  const kernel = ACTIVATIONS[name];
  const own: ActivationFunction = { name, parameters };
  return {
    ...elementwise(name, own, (out, x) => kernel(out, x, ...parameters)),
    range: ([x]) => {
      const range = rangeOf(own);
      // None of them makes a value ≥ 0 negative, except a clip with an upper bound below 0.
      const isKept = x!.nonNegative && (limitsOf(own)?.[1] ?? 0) >= 0;
      return { ...range, nonNegative: range.nonNegative || isKept };
    },
  };
}

/**
 * What is known of a function's values. Without a function, nothing is known.
 *
 * @param added the parts of a sum, if its argument is one. If one of them is not negative, such as the shortcut of a
 * residual block, then three quarters of the sums are above 0 (measured in ResNets), and skipping zeros gains nothing
 */
export function rangeOf(
  activation: ActivationFunction | undefined,
  added: readonly ValueRange[] = [],
): ValueRange {
  if (activation === undefined) return { nonNegative: false, sparse: false };
  const { name, parameters } = activation;
  const [least = Number.NaN, most = Number.NaN] = limitsOf(activation) ?? [];
  const isCut = name === 'thresholded_relu' && parameters[0]! >= 0;
  const isDense = added.some(({ nonNegative }) => nonNegative);
  return {
    nonNegative: isCut || (least >= 0 && most >= 0) || NON_NEGATIVE.includes(name),
    sparse: !isDense && (isCut || (least === 0 && most >= 0)),
  };
}

export function activationNamed(named: NamedActivation): Operator {
  return named.name === 'relu' ? relu() : activation(named.name, ...named.parameters);
}

/**
 * Reads the name of an activation function as PyTorch or Hugging Face writes it, or the name of its class:
 * `silu`, `SiLU`, `hard_swish`, `Hardswish`, `gelu-new`. A parameter may follow: `leaky_relu:0.2`.
 *
 * @returns undefined for an unknown name, for a parameter that is not a finite number, and for a function that
 * has no such parameter
 */
export function parseActivation(text: string): NamedActivation | undefined {
  const [, word = '', number] = /^([^:]*)(?::(.*))?$/.exec(text.trim()) ?? [];
  const name = nameOf(bare(word));
  if (name === undefined) return undefined;
  if (name === 'relu') return number === undefined ? { name } : undefined;
  const usual = ACTIVATION_PARAMETERS[name] ?? [];
  if (number === undefined) return { name, parameters: usual };
  const parameter = DECIMAL.test(number) ? Math.fround(Number(number)) : Number.NaN;
  const isTaken = usual.length === 1 && Number.isFinite(parameter);
  // CELU divides by its parameter.
  const divides = name === 'celu' && parameter === 0;
  return isTaken && !divides ? { name, parameters: [parameter] } : undefined;
}

const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Without `clip`, which does nothing without bounds. */
const NAMES = (Object.keys(ACTIVATIONS) as ActivationName[]).filter((name) => name !== 'clip');

function nameOf(word: string): NamedActivation['name'] | undefined {
  if (word === 'relu') return word;
  if (word === 'swish') return 'silu';
  if (word === 'gelunew' || word === 'gelupytorchtanh') return 'gelu_tanh';
  return NAMES.find((name) => bare(name) === word);
}

/** A name without the characters in which spellings differ. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}
