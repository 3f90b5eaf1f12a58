/**
 * Functions that exporters write as several nodes. They are recognised when the last node is read:
 *
 *   SiLU           x·σ(x)                            Sigmoid, Mul
 *   hard sigmoid   relu6(x + 3)/6                    Add, Clip, Div (or Mul)
 *   hard swish     x·hardsigmoid(x), or x·relu6(x + 3)/6   likewise
 *   GELU           x·½·(1 + erf(x/√2))               Div, Erf, Add, Mul, Mul in any order
 *   Mish           x·tanh(softplus(x))               Softplus, Tanh, Mul
 *
 * One operator is faster. It is also an activation function, and a scale may end at it.
 */

import type { Operator } from '../graph/node.js';
import { activation } from '../graph/operators/activation.js';
import type { Expression, GraphWriter } from './writer.js';

/** The function that a value is, and the value to which it is applied. */
export interface Idiom {
  readonly operator: Operator;
  readonly of: number;
}

/** The function of an expression, if it is one of the idioms. */
export function idiomOf(writer: GraphWriter, expression: Expression): Idiom | undefined {
  if (expression.kind === 'shift') return undefined;
  const { factors, scale } = factorsOf(writer, expression, 0);
  const [a, b] = factors;
  if (factors.length > 2) return undefined;
  if (b === undefined) return single(writer, a!, scale);
  return pair(writer, a!, b, scale) ?? pair(writer, b, a!, scale);
}

/** The deepest nesting of products. No idiom has more. */
const MOST_DEPTH = 4;

/** A product of values and a number, in any order. */
function factorsOf(
  writer: GraphWriter,
  expression: Exclude<Expression, { kind: 'shift' }>,
  depth: number,
): { factors: number[]; scale: number } {
  const own = expression.kind === 'scale' ? [expression.of] : expression.of;
  let scale = expression.kind === 'scale' ? expression.by : 1;
  const factors = own.flatMap((value) => {
    const inner = writer.expressions.get(value);
    if (!inner || inner.kind === 'shift' || depth === MOST_DEPTH) return [value];
    const parts = factorsOf(writer, inner, depth + 1);
    scale *= parts.scale;
    return parts.factors;
  });
  return { factors, scale };
}

/** relu6(x + 3) · ⅙ */
function single(writer: GraphWriter, value: number, scale: number): Idiom | undefined {
  const x = ofKind(writer, value, 'relu6');
  const shift = x === undefined ? undefined : writer.expressions.get(x);
  if (shift?.kind !== 'shift' || !near(shift.by, 3) || !near(scale, 1 / 6)) return undefined;
  return { operator: activation('hardsigmoid'), of: shift.of };
}

/** x times a function of x. */
function pair(writer: GraphWriter, x: number, gate: number, scale: number): Idiom | undefined {
  if (near(scale, 1)) {
    if (ofKind(writer, gate, 'sigmoid') === x) return { operator: activation('silu'), of: x };
    if (isHardSigmoid(writer, gate, x)) return { operator: activation('hardswish'), of: x };
    const inner = ofKind(writer, gate, 'tanh');
    if (inner !== undefined && ofKind(writer, inner, 'softplus') === x) {
      return { operator: activation('mish'), of: x };
    }
  }
  if (near(scale, 1 / 6)) {
    const shifted = ofKind(writer, gate, 'relu6');
    const shift = shifted === undefined ? undefined : writer.expressions.get(shifted);
    if (shift?.kind === 'shift' && shift.of === x && near(shift.by, 3)) {
      return { operator: activation('hardswish'), of: x };
    }
  }
  const shift = writer.expressions.get(gate);
  if (!near(scale, 0.5) || shift?.kind !== 'shift' || !near(shift.by, 1)) return undefined;
  const inner = ofKind(writer, shift.of, 'erf');
  const scaled = inner === undefined ? undefined : writer.expressions.get(inner);
  const isGelu = scaled?.kind === 'scale' && scaled.of === x && near(scaled.by, Math.SQRT1_2);
  return isGelu ? { operator: activation('gelu'), of: x } : undefined;
}

/** The input of a node, if it is of this kind. */
function ofKind({ nodes }: GraphWriter, value: number, kind: string): number | undefined {
  const { operator, inputs } = nodes[value]!;
  return operator.kind === kind ? inputs[0] : undefined;
}

function isHardSigmoid(writer: GraphWriter, gate: number, x: number): boolean {
  const { operator } = writer.nodes[gate]!;
  const [alpha = 0, beta = 0] = operator.activation?.parameters ?? [];
  return ofKind(writer, gate, 'hardsigmoid') === x && near(alpha, 1 / 6) && near(beta, 0.5);
}

/** Whether two constants are equal within the rounding of float32, in which files store them. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.abs(b);
}
