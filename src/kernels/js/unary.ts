/**
 * Functions of one element, by ONNX's names; activation functions are in activation.ts:
 *
 *   abs |x|        reciprocal 1/x      square x²      softsign x/(1 + |x|)
 *   exp eˣ         log ln x            sqrt √x        erf erf(x)
 *
 * and `power`, x ** exponent. Each is computed in doubles and rounded once: within half a unit of float32's last
 * place, and 2⁻⁴³ (abs: exactly). NaN stays NaN; the logarithm and the root of a negative number are NaN. Each has
 * its own loop, for the reason given in activation.ts.
 */

import { erf } from '../../math/index.js';
import type { ActivationValues } from './activation.js';

export type UnaryName =
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'erf'
  | 'square'
  | 'softsign';

/** @param out as long as `x`; may be `x` */
export type UnaryKernel = (out: ActivationValues, x: ActivationValues) => void;

export const UNARY: Readonly<Record<UnaryName, UnaryKernel>> = {
  abs(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i]!);
  },
  exp(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = Math.exp(x[i]!);
  },
  log(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = Math.log(x[i]!);
  },
  sqrt(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = Math.sqrt(x[i]!);
  },
  reciprocal(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = 1 / x[i]!;
  },
  erf(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = erf(x[i]!);
  },
  square(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! * x[i]!;
  },
  softsign(out, x) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! / (1 + Math.abs(x[i]!));
  },
};

/**
 * x ** exponent of every element. A general power costs about fifty times as much as the powers that networks use
 * (measured), so these have their own loops.
 *
 * @param out as long as `x`; may be `x`
 */
export function power(out: Float32Array, x: Float32Array, exponent: number): void {
  if (exponent === 2) UNARY.square(out, x);
  else if (exponent === 0.5) UNARY.sqrt(out, x);
  else if (exponent === -1) UNARY.reciprocal(out, x);
  else if (exponent === 3) {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! * x[i]! * x[i]!;
  } else {
    for (let i = 0; i < x.length; i++) out[i] = x[i]! ** exponent;
  }
}
