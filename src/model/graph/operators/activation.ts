/**
 * Activation functions, by PyTorch's names. ReLU has a file of its own: a convolution computes it on the way.
 */

import { ACTIVATION_PARAMETERS, ACTIVATIONS, type ActivationName } from '../../../kernels/index.js';
import type { Operator } from '../node.js';
import { elementwise } from './elementwise.js';
import { relu } from './relu.js';

/** A function as a text names it. */
export interface ActivationFunction {
  readonly name: 'relu' | ActivationName;
  /** Where the function has one. */
  readonly parameter?: number;
}

/** Those that are nowhere below 0. */
const NON_NEGATIVE: readonly ActivationName[] = ['relu6', 'sigmoid', 'hardsigmoid', 'softplus'];

/**
 * @param parameter the slope of leaky_relu, α of elu or celu, in float32 as PyTorch's; default: PyTorch's
 */
export function activation(
  name: ActivationName,
  parameter: number | undefined = ACTIVATION_PARAMETERS[name],
): Operator {
  const kernel = ACTIVATIONS[name];
  const single = Math.fround(parameter!);
  // What WebAssembly's kernel of two straight lines takes: slope of the lower, least value, largest value.
  const lines = { relu6: [1, 0, 6], leaky_relu: [single, -Infinity, Infinity] };
  const range = { nonNegative: NON_NEGATIVE.includes(name), sparse: name === 'relu6' };
  return {
    ...elementwise(name, (out, x) => kernel(out, x, single), lines[name as keyof typeof lines]),
    isActivation: true,
    range: () => range,
  };
}

export function activationNamed({ name, parameter }: ActivationFunction): Operator {
  return name === 'relu' ? relu() : activation(name, parameter);
}

/**
 * Reads the name of an activation function, in PyTorch's or Hugging Face's words or as a class is called:
 * `silu`, `SiLU`, `hard_swish`, `Hardswish`, `gelu-new`. A parameter may follow: `leaky_relu:0.2`.
 *
 * @returns undefined for an unknown name, and for a parameter that is no finite number or that the function
 * does not take
 */
export function parseActivation(text: string): ActivationFunction | undefined {
  const [, word = '', number] = /^([^:]*)(?::(.*))?$/.exec(text.trim()) ?? [];
  const name = nameOf(bare(word));
  if (name === undefined) return undefined;
  const usual = name === 'relu' ? undefined : ACTIVATION_PARAMETERS[name];
  if (number === undefined) return usual === undefined ? { name } : { name, parameter: usual };
  const parameter = DECIMAL.test(number) ? Math.fround(Number(number)) : Number.NaN;
  const isTaken = usual !== undefined && Number.isFinite(parameter);
  // CELU divides by it.
  const divides = name === 'celu' && parameter === 0;
  return isTaken && !divides ? { name, parameter: Number(number) } : undefined;
}

const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

function nameOf(word: string): ActivationFunction['name'] | undefined {
  if (word === 'relu') return word;
  if (word === 'swish') return 'silu';
  if (word === 'gelunew' || word === 'gelupytorchtanh') return 'gelu_tanh';
  return (Object.keys(ACTIVATIONS) as ActivationName[]).find((name) => bare(name) === word);
}

/** A name without what its spellings differ in. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}
