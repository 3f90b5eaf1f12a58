/**
 * Computes nodes with only constant inputs while a graph is read: shape arithmetic, and weights that are scaled in
 * the graph. Operators that only move elements are in ./operators, for constants and for values. 64-bit whole
 * numbers beyond 2⁵³ are rounded; in practice only INT64_MAX is so large.
 */

import { FormatError } from '../../errors.js';
import { UNARY, type UnaryName } from '../../kernels/operators.js';
import { type Call, rules } from './call.js';
import { axisOf, broadcastShape, productOf } from './shapes.js';
import { checkedSize, dtypeOf, elementsFor, Tensor } from './tensor.js';

/** Whether nodes of an operator are computed here if all of their inputs are constants. */
export function isFoldable(op: string): boolean {
  return Object.hasOwn(FOLDS, op);
}

/** @throws {FormatError} */
export function folded(call: Call): Tensor {
  return FOLDS[call.node.op]!(call);
}

type Fold = (call: Call) => Tensor;

/** Functions whose kernels have the same names, in lower case. */
export const UNARY_OPERATORS: readonly string[] = [
  ...['Abs', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Erf', 'Softsign'],
];

const OF_EACH: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Not: (x) => (x ? 0 : 1),
  Relu: (x) => Math.max(x, 0),
};

type Binary = (a: number, b: number, isInteger: boolean) => number;

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b, isInteger) => (isInteger ? Math.trunc(a / b) : a / b),
  Pow: (a, b) => a ** b,
  // Whole numbers: as in Python, which is the default. Floats: `fmod`.
  Mod: (a, b, isInteger) => (isInteger ? a - b * Math.floor(a / b) : a % b),
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  Sum: (a, b) => a + b,
  And: (a, b) => (a && b ? 1 : 0),
  Or: (a, b) => (a || b ? 1 : 0),
};

const COMPARISONS: Readonly<Record<string, Binary>> = {
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
};

/** Reductions: the first value, and the function that adds each element. */
const REDUCE: Readonly<Record<string, readonly [(a: number, b: number) => number, number]>> = {
  ReduceSum: [(a, b) => a + b, 0],
  ReduceMean: [(a, b) => a + b, 0],
  ReduceProd: [(a, b) => a * b, 1],
  ReduceMax: [Math.max, -Infinity],
  ReduceMin: [Math.min, Infinity],
};

const FOLDS: Readonly<Record<string, Fold>> = {
  ...rules(UNARY_OPERATORS, (op) => (call) => {
    const { shape, dtype, values } = call.constant(0);
    const out = values.slice();
    UNARY[op.toLowerCase() as UnaryName](out, values);
    return Tensor.of(shape, out, dtype);
  }),
  ...rules(Object.keys(OF_EACH), (op) => (call) => eachOf(call.constant(0), OF_EACH[op]!)),
  ...rules(Object.keys(BINARY), (op) => (call) => {
    const all = call.inputs.map((_, i) => call.constant(i));
    return all.slice(1).reduce((a, b) => binary(BINARY[op]!, a, b, a.dtype), call.constant(0));
  }),
  ...rules(
    Object.keys(COMPARISONS),
    (op) => (call) => binary(COMPARISONS[op]!, call.constant(0), call.constant(1), 'BOOL'),
  ),
  ...rules(Object.keys(REDUCE), (op) => (call) => reduced(call, op)),
  Cast: (call) => cast(call.constant(0), dtypeOf(call.int('to', 1), 'its result')),
  CastLike: (call) => cast(call.constant(0), call.constant(1).dtype),
  Constant: constantNode,
  ConstantOfShape(call) {
    const value = call.tensor('value');
    const shape = call.numbers(0);
    return Tensor.filled(shape, value ? value.scalar : 0, value?.dtype ?? 'F32');
  },
  Gather: gathered,
  Concat: concatenated,
  Range(call) {
    const [first, end, step] = [0, 1, 2].map((i) => call.constant(i).scalar);
    const size = checkedSize([Math.max(0, Math.ceil((end! - first!) / step!))]);
    const values = Array.from({ length: size }, (_, i) => first! + i * step!);
    return Tensor.of([size], values, call.constant(0).dtype);
  },
  Clip(call) {
    const [lo, hi] = boundsOf(call);
    return eachOf(call.constant(0), (x) => Math.min(Math.max(x, lo), hi));
  },
  Where(call) {
    const all = [0, 1, 2].map((i) => call.constant(i));
    const shape = all.map((tensor) => tensor.shape).reduce(broadcastShape);
    const [is, x, y] = all.map((tensor) => tensor.broadcast(shape).values);
    const values = x!.map((value, i) => (is![i] ? value : y![i]!));
    return Tensor.of(shape, values, all[1]!.dtype);
  },
};

export function eachOf({ shape, dtype, values }: Tensor, fn: (x: number) => number): Tensor {
  return Tensor.of(
    shape,
    values.map((x) => fn(x)),
    dtype,
  );
}

function binary(fn: Binary, a: Tensor, b: Tensor, dtype: string): Tensor {
  const shape = broadcastShape(a.shape, b.shape);
  const isInteger = !a.isFloat && !b.isFloat;
  const [x, y] = [a.broadcast(shape).values, b.broadcast(shape).values];
  return Tensor.of(
    shape,
    x.map((value, i) => fn(value, y[i]!, isInteger)),
    dtype,
  );
}

function reduced(call: Call, op: string): Tensor {
  const x = call.constant(0);
  const given = call.intsOrInput('axes', 1);
  const all = x.shape.map((_, d) => d);
  if (given?.length === 0 && call.int('noop_with_empty_axes', 0) === 1) return x;
  const axes = given?.length ? given.map((axis) => axisOf(axis, x.shape.length)) : all;
  const kept = all.filter((d) => !axes.includes(d));
  const { values } = x.permuted([...kept, ...all.filter((d) => axes.includes(d))]);
  const sizes = kept.map((d) => x.shape[d]!);
  const results = new Float64Array(checkedSize(sizes));
  const [fn, first] = REDUCE[op]!;
  const count = x.size / results.length;
  for (let o = 0; o < results.length; o++) {
    let result = first;
    for (let i = o * count; i < (o + 1) * count; i++) result = fn(result, values[i]!);
    results[o] = op === 'ReduceMean' ? result / count : result;
  }
  const shape = all.map((d) => (axes.includes(d) ? 1 : x.shape[d]!));
  return Tensor.of(call.int('keepdims', 1) === 1 ? shape : sizes, results, x.dtype);
}

function cast(x: Tensor, dtype: string): Tensor {
  if (dtype === 'BOOL') return eachOf(x, (v) => (v ? 1 : 0)).as(dtype);
  const isTruncated = x.isFloat && !x.as(dtype).isFloat;
  return (isTruncated ? eachOf(x, Math.trunc) : x).as(dtype);
}

function constantNode(call: Call): Tensor {
  const { attributes } = call.node;
  const value = call.tensor('value');
  if (value) return value;
  const [float, int] = [attributes.get('value_float')?.f, attributes.get('value_int')?.i];
  if (float !== undefined) return Tensor.of([], [float], 'F32');
  if (int !== undefined) return Tensor.of([], [int], 'I64');
  const [floats, ints] = [attributes.get('value_floats'), attributes.get('value_ints')];
  if (floats) return Tensor.of([floats.floats.length], floats.floats, 'F32');
  if (ints) return Tensor.of([ints.ints.length], ints.ints, 'I64');
  throw new FormatError('only dense tensors, numbers and lists of numbers are supported');
}

function gathered(call: Call): Tensor {
  const [x, indices] = [call.constant(0), call.constant(1)];
  const axis = axisOf(call.int('axis', 0), x.shape.length);
  const size = x.shape[axis] ?? 1;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const shape = [...before, ...indices.shape, ...behind];
  const values = elementsFor(x.dtype, checkedSize(shape));
  const inner = productOf(behind);
  let o = 0;
  for (let i = 0; o < values.length; i++) {
    for (const index of indices.values) {
      const from = (i * size + placeOf(index, size)) * inner;
      values.set(x.values.subarray(from, from + inner), o);
      o += inner;
    }
  }
  return Tensor.of(shape, values, x.dtype);
}

/** An index; a negative one counts from the end. @throws {FormatError} */
export function placeOf(index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw new FormatError(`index ${index} of ${size}`);
}

function concatenated(call: Call): Tensor {
  const parts = call.inputs.map((_, i) => call.constant(i));
  const first = call.constant(0);
  const axis = axisOf(call.int('axis', 0), first.shape.length);
  const other = (shape: readonly number[]) => `${shape.filter((_, d) => d !== axis)}`;
  const wrong = parts.find(({ shape }) => other(shape) !== other(first.shape));
  if (wrong) throw new FormatError(`[${first.shape}] and [${wrong.shape}] are not concatenated`);
  const extent = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.map((size, d) => (d === axis ? extent : size));
  const values = elementsFor(first.dtype, checkedSize(shape));
  const inner = productOf(shape.slice(axis + 1));
  let o = 0;
  for (let i = 0; o < values.length; i++) {
    for (const part of parts) {
      const length = part.shape[axis]! * inner;
      values.set(part.values.subarray(i * length, (i + 1) * length), o);
      o += length;
    }
  }
  return Tensor.of(shape, values, first.dtype);
}

/** The bounds of Clip: attributes before opset 11, inputs from opset 11. */
export function boundsOf(call: Call): readonly [lo: number, hi: number] {
  const [lo, hi] =
    call.opset < 11
      ? ['min', 'max'].map((name) => call.node.attributes.get(name)?.f)
      : [1, 2].map((i) => call.optionalConstant(i)?.scalar);
  return [lo ?? -Infinity, hi ?? Infinity];
}
