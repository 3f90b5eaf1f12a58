/**
 * Gradients of functions of one element that are not activation functions (../js/unary.ts), of powers and of PReLU:
 * out = gradient · f′(x). Computed in doubles and rounded once. At corners f′ is PyTorch's: 0 for |x| at 0, the slope
 * for PReLU at 0. Where f′ is infinite, such as that of √x at 0, a gradient of 0 stays 0.
 */

import type { ActivationValues } from '../js/activation.js';
import type { UnaryName } from '../js/unary.js';
import { product } from './arithmetic.js';

const TWO_OVER_ROOT_PI = 1.1283791670955126;

export const UNARY_DERIVATIVES: Readonly<Record<UnaryName, (x: number) => number>> = {
  abs: Math.sign,
  exp: Math.exp,
  log: (x) => 1 / x,
  sqrt: (x) => 0.5 / Math.sqrt(x),
  reciprocal: (x) => -1 / (x * x),
  erf: (x) => TWO_OVER_ROOT_PI * Math.exp(-x * x),
  square: (x) => 2 * x,
  softsign: (x) => 1 / (1 + Math.abs(x)) ** 2,
};

/** @param out may be `gradient` */
export function unaryGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  name: UnaryName,
): void {
  const derivative = UNARY_DERIVATIVES[name];
  for (let i = 0; i < out.length; i++) out[i] = product(gradient[i]!, derivative(x[i]!));
}

/** Of x ** exponent. @param out may be `gradient` */
export function powerGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  exponent: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const derivative = exponent === 0 ? 0 : exponent * x[i]! ** (exponent - 1);
    out[i] = product(gradient[i]!, derivative);
  }
}

/**
 * @param out [pixels, C], overwritten; may be `gradient`
 * @param slope [C]
 */
export function preluGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  slope: ActivationValues,
  [pixels, C]: readonly [number, number],
): void {
  for (let p = 0; p < pixels; p++) {
    const base = p * C;
    for (let c = 0; c < C; c++) {
      out[base + c] = x[base + c]! > 0 ? gradient[base + c]! : slope[c]! * gradient[base + c]!;
    }
  }
}
