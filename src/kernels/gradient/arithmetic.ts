/**
 * Gradients of arithmetic of two values a and b, element by element: out = gradient · ∂(a ∘ b)/∂operand, with a and b
 * repeated as in ../js/arithmetic.ts. The result has the extents of a ∘ b: where the operand was repeated, a sum over
 * these axes follows.
 *
 *            ∂/∂a                 ∂/∂b
 *   sub      1                    −1
 *   mul      b                    a
 *   div      1/b                  −a/b²
 *   max      1 where a > b        1 where b > a        ½ for both where a = b, as in PyTorch
 *   min      1 where a < b        1 where b < a        likewise
 *   pow      b·aᵇ⁻¹               aᵇ·ln a              0 for b = 0; and 0 for a = 0, b ≥ 0
 *
 * Where the gradient or the derivative is 0, so is the product, even if the other is infinite.
 */

import type { ActivationValues } from '../js/activation.js';
import type { Arithmetic, Broadcast } from '../js/arithmetic.js';

export type Operand = 'a' | 'b';

type Partial = (a: number, b: number) => number;

const PARTIALS: Readonly<Record<Arithmetic, Readonly<Record<Operand, Partial>>>> = {
  add: { a: () => 1, b: () => 1 },
  sub: { a: () => 1, b: () => -1 },
  mul: { a: (_, b) => b, b: (a) => a },
  div: { a: (_, b) => 1 / b, b: (a, b) => -a / (b * b) },
  max: { a: (a, b) => above(a, b), b: (a, b) => above(b, a) },
  min: { a: (a, b) => above(b, a), b: (a, b) => above(a, b) },
  pow: {
    a: (a, b) => (b === 0 ? 0 : b * a ** (b - 1)),
    b: (a, b) => (a === 0 && b >= 0 ? 0 : a ** b * Math.log(a)),
  },
};

/** The derivative of max(a, b) with respect to a. */
function above(a: number, b: number): number {
  return a === b ? 0.5 : Number(a > b);
}

/** gradient · derivative; 0 if either is. */
export function product(gradient: number, derivative: number): number {
  return gradient === 0 || derivative === 0 ? 0 : gradient * derivative;
}

/**
 * @param out [extents of a ∘ b], overwritten; may be `gradient`
 * @param broadcast the result of `broadcastOf` for the extents of `a` and `b`
 */
export function arithmeticGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  a: ActivationValues,
  b: ActivationValues,
  kind: Arithmetic,
  operand: Operand,
  { counts, aStrides, bStrides }: Broadcast,
): void {
  const partial = PARTIALS[kind][operand];
  const [aStep, bStep] = [aStrides[3]!, bStrides[3]!];
  let o = 0;
  for (let i = 0; i < counts[0]!; i++) {
    for (let j = 0; j < counts[1]!; j++) {
      for (let k = 0; k < counts[2]!; k++) {
        const aBase = i * aStrides[0]! + j * aStrides[1]! + k * aStrides[2]!;
        const bBase = i * bStrides[0]! + j * bStrides[1]! + k * bStrides[2]!;
        for (let l = 0; l < counts[3]!; l++, o++) {
          const derivative = partial(a[aBase + l * aStep]!, b[bBase + l * bStep]!);
          out[o] = product(gradient[o]!, derivative);
        }
      }
    }
  }
}

/**
 * The gradient of the factors of `mulColumns`: out[n, c] = Σ_p gradient[n, p, c]·x[n, p, c].
 *
 * @param out [N, C], overwritten
 * @param x [N, pixels, C], as `gradient`
 */
export function factorGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  x: ActivationValues,
  [N, pixels, C]: readonly [number, number, number],
): void {
  for (let n = 0; n < N; n++) {
    const end = (n + 1) * pixels * C;
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = n * pixels * C + c; i < end; i += C) sum += gradient[i]! * x[i]!;
      out[n * C + c] = sum;
    }
  }
}
