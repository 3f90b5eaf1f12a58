/**
 * Gradients of activation functions: out = gradient · f′(x), element by element. The functions are in
 * ../js/activation.ts. Computed in doubles and rounded once.
 *
 * A function that clips, such as ReLU, needs only its own value: the gradient passes where the value is strictly
 * between the limits. So x need not be kept. Where f has a corner, f′ is what PyTorch takes: 0 at the corners of ReLU,
 * ReLU6, hard sigmoid and thresholded ReLU, the left slope of leaky ReLU and ELU at 0.
 */

import { erfc } from '../../math/index.js';
import type { ActivationName, Limits } from '../activation.js';
import type { ActivationValues } from '../js/activation.js';

/**
 * The gradient of a function that clips, from its value y. Guided backpropagation passes only gradients above 0.
 *
 * @param out may be `gradient`
 * @param floor gradients below it become it: 0 for guided backpropagation, else −∞
 */
export function clipGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  y: ActivationValues,
  [least, most]: Limits,
  floor: number,
): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = y[i]! > least && y[i]! < most ? Math.max(gradient[i]!, floor) : 0;
  }
}

/** In the order of assembly/activation.ts. Names that share a number differ in the numbers that follow. */
const KINDS: readonly (readonly ActivationName[])[] = [
  ['leaky_relu'],
  ['thresholded_relu'],
  ['hardsigmoid'],
  ['hardswish'],
  ['sigmoid', 'tanh'],
  ['softplus'],
  ['silu', 'quick_gelu'],
  ['gelu_tanh'],
  ['elu', 'celu', 'selu'],
  ['gelu'],
  ['mish'],
];

/** What the SIMD kernel takes: the function's number, and up to three numbers. */
export function gradientWords(
  name: ActivationName,
  [a = 0, b = 0]: readonly number[],
): readonly number[] {
  const kind = KINDS.findIndex((names) => names.includes(name));
  const [p = a, q = b, r = 0] = WORDS[name]?.(a) ?? [];
  return [kind, p, q, r];
}

/** Where the numbers differ from the function's parameters. */
const WORDS: { readonly [name in ActivationName]?: (a: number) => readonly number[] } = {
  // The factor of x, and that of the slope: 1 − tanh²(x) = 4·σ′(2x).
  sigmoid: () => [1, 1],
  tanh: () => [2, 4],
  softplus: () => [1],
  silu: () => [1],
  quick_gelu: () => [1.702],
  gelu_tanh: () => [1.5957691216057308, 0.044715],
  // The factor of the exponential, that of x in it, and the slope above 0.
  elu: (alpha) => [alpha, 1, 1],
  celu: (alpha) => [1, 1 / alpha, 1],
  selu: () => [SELU_SCALE * SELU_ALPHA, 1, SELU_SCALE],
};

/** Functions that do more than clip. */
export type CurvedName = Exclude<ActivationName, 'clip' | 'relu6'>;

/** f′(x). */
type Derivative = (x: number, a: number, b: number) => number;

/** @param out may be `gradient` */
export function activationGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  name: CurvedName,
  [a = Number.NaN, b = Number.NaN]: readonly number[],
): void {
  const derivative = DERIVATIVES[name];
  for (let i = 0; i < out.length; i++) out[i] = gradient[i]! * derivative(x[i]!, a, b);
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** (x·σ(k·x))′ = σ + k·x·σ·(1 − σ). Where σ is 0 or 1, the second term is 0 also for infinite x. */
function swish(x: number, k: number): number {
  const s = sigmoid(k * x);
  const rest = s * (1 - s);
  return rest === 0 ? s : s + k * x * rest;
}

export const DERIVATIVES: Readonly<Record<CurvedName, Derivative>> = {
  leaky_relu: (x, slope) => (x > 0 ? 1 : slope),
  thresholded_relu: (x, alpha) => (x > alpha ? 1 : 0),
  elu: (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  celu: (x, alpha) => (x > 0 ? 1 : Math.exp(x / alpha)),
  selu: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * Math.exp(x)),
  silu: (x) => swish(x, 1),
  quick_gelu: (x) => swish(x, 1.702),
  // Φ(x) + x·φ(x)
  gelu(x) {
    const density = Math.exp(-0.5 * x * x) * 0.3989422804014327;
    return 0.5 * erfc(-x * Math.SQRT1_2) + (density === 0 ? 0 : x * density);
  },
  // x·σ(u), u = 2√(2/π)·(x + 0.044715x³)
  gelu_tanh(x) {
    const s = sigmoid(1.5957691216057308 * x * (1 + 0.044715 * x * x));
    const rest = s * (1 - s);
    return rest === 0 ? s : s + x * rest * 1.5957691216057308 * (1 + 3 * 0.044715 * x * x);
  },
  hardswish: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6),
  hardsigmoid(x, alpha, beta) {
    const y = alpha * x + beta;
    return y > 0 && y < 1 ? alpha : 0;
  },
  sigmoid(x) {
    const s = sigmoid(x);
    return s * (1 - s);
  },
  tanh(x) {
    const y = Math.tanh(x);
    return 1 - y * y;
  },
  softplus: sigmoid,
  // tanh(s) + x·(1 − tanh²(s))·σ(x), s = softplus(x)
  mish(x) {
    if (x > 20) return 1;
    if (x < -40) return 0;
    const e = Math.exp(x);
    const odds = e * (e + 2);
    const t = odds / (odds + 2);
    return t + x * (1 - t * t) * sigmoid(x);
  },
};
