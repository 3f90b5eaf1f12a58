/**
 * What exporters leave to be computed from constants alone: shape arithmetic, and weights that are reshaped or
 * scaled in the graph. Elements are doubles; 64-bit whole numbers beyond 2⁵³ are rounded, which only INT64_MAX is.
 */

import { FormatError } from '../../errors.js';
import { erf } from '../../math/index.js';
import { axisOf, type Call } from './call.js';
import { checkedSize, dtypeOf, readStrided, stridesOf, Tensor } from './tensor.js';

/** Whether nodes of an operator are computed where all of their inputs are constants. */
export function foldable(op: string): boolean {
  return Object.hasOwn(FOLDS, op);
}

/** @throws {FormatError} */
export function folded(call: Call): readonly Tensor[] {
  const result = FOLDS[call.node.op]!(call);
  return Array.isArray(result) ? result : [result as Tensor];
}

type Fold = (call: Call) => Tensor | readonly Tensor[];

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Exp: Math.exp,
  Log: Math.log,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Round: roundHalfEven,
  Reciprocal: (x) => 1 / x,
  Sign: Math.sign,
  Erf: erf,
  Not: (x) => (x ? 0 : 1),
  Relu: (x) => Math.max(x, 0),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
};

type Binary = (a: number, b: number, isInteger: boolean) => number;

const BINARY: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b, isInteger) => (isInteger ? Math.trunc(a / b) : a / b),
  Pow: (a, b) => a ** b,
  // That of Python, the default; `fmod` is for floats.
  Mod: (a, b, isInteger) => (isInteger ? a - b * Math.floor(a / b) : a % b),
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  Sum: (a, b) => a + b,
  And: (a, b) => (a && b ? 1 : 0),
  Or: (a, b) => (a || b ? 1 : 0),
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
};

const COMPARES: readonly string[] = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'];

const REDUCE: Readonly<Record<string, (values: readonly number[]) => number>> = {
  ReduceSum: sum,
  ReduceProd: (values) => values.reduce((product, value) => product * value, 1),
  ReduceMean: (values) => sum(values) / values.length,
  ReduceMax: (values) => values.reduce((a, b) => Math.max(a, b), -Infinity),
  ReduceMin: (values) => values.reduce((a, b) => Math.min(a, b), Infinity),
};

const FOLDS: Readonly<Record<string, Fold>> = {
  ...mapped(UNARY, (fn) => (call) => {
    const x = call.constant(0);
    return Tensor.of(x.shape, x.values.map(fn), x.dtype, x);
  }),
  ...mapped(BINARY, (fn, op) => (call) => {
    const all = call.inputs.map((_, i) => call.constant(i));
    return all.slice(1).reduce((a, b) => binary(fn, op, a, b), all[0]!);
  }),
  ...mapped(REDUCE, (fn) => (call) => reduced(call, fn)),
  Identity: (call) => call.constant(0),
  Dropout: (call) => call.constant(0),
  Cast: (call) => cast(call.constant(0), dtypeOf(call.int('to', 1), 'its result')),
  CastLike: (call) => cast(call.constant(0), call.constant(1).dtype),
  Constant: constantNode,
  ConstantOfShape(call) {
    const shape = call.constant(0);
    const value = call.tensor('value');
    return Tensor.filled([...shape.values], value ? value.scalar : 0, value?.dtype ?? 'F32', shape);
  },
  Shape(call) {
    return shapeTensor(call, call.constant(0).shape, false);
  },
  Size(call) {
    return Tensor.of([], [call.constant(0).size], 'I64', call.constant(0));
  },
  Reshape: (call) => {
    const x = call.constant(0);
    const shape = call.intsOrInput('shape', 1) ?? [];
    return x.reshaped(targetShape(shape, x.shape, call.int('allowzero', 0) === 1));
  },
  Flatten(call) {
    const x = call.constant(0);
    return x.reshaped(flattened(x.shape, call.int('axis', 1)));
  },
  Squeeze(call) {
    const x = call.constant(0);
    return x.reshaped(squeezed(x.shape, call.intsOrInput('axes', 1)));
  },
  Unsqueeze(call) {
    const x = call.constant(0);
    return x.reshaped(unsqueezed(x.shape, call.intsOrInput('axes', 1) ?? []));
  },
  Transpose(call) {
    const x = call.constant(0);
    return x.permuted(permutation(call.ints('perm'), x.shape.length));
  },
  Expand(call) {
    const x = call.constant(0);
    const shape = call.constant(1);
    return broadcast(x, broadcastShape(x.shape, [...shape.values]), isBound(x, shape));
  },
  Tile(call) {
    const x = call.constant(0);
    const repeats = call.constant(1).values;
    // Each dimension stands twice: repeated, then its own.
    const shape = x.shape.flatMap((size, d) => [repeats[d] ?? 1, size]);
    const steps = stridesOf(x.shape).flatMap((step) => [0, step]);
    const tiled = strided(x, shape, steps, isBound(x, call.constant(1)));
    return tiled.reshaped(x.shape.map((size, d) => size * (repeats[d] ?? 1)));
  },
  Gather(call) {
    const x = call.constant(0);
    return gathered(x, call.constant(1), axisOf(call.int('axis', 0), x.shape.length));
  },
  Concat(call) {
    const parts = call.inputs.map((_, i) => call.constant(i));
    return concatenated(parts, axisOf(call.int('axis', 0), parts[0]!.shape.length));
  },
  Slice(call) {
    const x = call.constant(0);
    return sliced(x, slicesOf(call, x.shape));
  },
  Split(call) {
    const x = call.constant(0);
    const axis = axisOf(call.int('axis', 0), x.shape.length);
    let begin = 0;
    return splitSizes(call, x.shape[axis]!).map((count) => {
      begin += count;
      return sliced(x, [{ axis, begin: begin - count, count, step: 1 }]);
    });
  },
  Range(call) {
    const [start, limit, delta] = [0, 1, 2].map((i) => call.constant(i));
    const [a, b, d] = [start!.scalar, limit!.scalar, delta!.scalar];
    const size = Math.max(0, Math.ceil((b - a) / d));
    checkedSize([size]);
    const values = Array.from({ length: size }, (_, i) => a + i * d);
    return Tensor.of([size], values, start!.dtype, isBound(start!, limit!, delta!));
  },
  Clip(call) {
    const x = call.constant(0);
    const [lo, hi] = boundsOf(call);
    return Tensor.of(
      x.shape,
      x.values.map((v) => Math.min(Math.max(v, lo), hi)),
      x.dtype,
      x,
    );
  },
  QuantizeLinear: (call) => quantized(call.constant(0), call.constant(1), call.optionalConstant(2)),
  Where(call) {
    const [condition, a, b] = [0, 1, 2].map((i) => call.constant(i)) as [Tensor, Tensor, Tensor];
    const shape = [a.shape, b.shape].reduce(broadcastShape, condition.shape);
    const options = isBound(condition, a, b);
    const [c, x, y] = [condition, a, b].map((t) => broadcast(t, shape, options).values);
    return Tensor.of(
      shape,
      c!.map((is, i) => (is ? x![i]! : y![i]!)),
      a.dtype,
      options,
    );
  },
  NonZero(call) {
    const x = call.constant(0);
    const strides = stridesOf(x.shape);
    const found = [...x.values.keys()].filter((i) => x.values[i] !== 0);
    const values = x.shape.flatMap((size, d) =>
      found.map((i) => Math.floor(i / strides[d]!) % size),
    );
    return Tensor.of([x.shape.length, found.length], values, 'I64', x);
  },
  DequantizeLinear: (call) => dequantized(call, call.constant(0)),
};

function mapped<T>(
  table: Readonly<Record<string, T>>,
  make: (fn: T, op: string) => Fold,
): Record<string, Fold> {
  return Object.fromEntries(Object.entries(table).map(([op, fn]) => [op, make(fn, op)]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function isBound(...tensors: readonly Tensor[]): { isSizeBound: boolean; isDequantized: boolean } {
  return {
    isSizeBound: tensors.some((t) => t.isSizeBound),
    isDequantized: tensors.some((t) => t.isDequantized),
  };
}

function binary(fn: Binary, op: string, a: Tensor, b: Tensor): Tensor {
  const options = isBound(a, b);
  const shape = broadcastShape(a.shape, b.shape);
  const isInteger = !a.isFloat && !b.isFloat;
  const [x, y] = [a, b].map((t) => broadcast(t, shape, options).values) as [
    Float64Array,
    Float64Array,
  ];
  const values = x.map((value, i) => fn(value, y[i]!, isInteger));
  return Tensor.of(shape, values, COMPARES.includes(op) ? 'BOOL' : a.dtype, options);
}

/** The shape that two become together. @throws {FormatError} */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw new FormatError(`[${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** A constant repeated to a shape that it broadcasts to. */
export function broadcast(
  x: Tensor,
  shape: readonly number[],
  options: { isSizeBound: boolean } = x,
): Tensor {
  if (`${x.shape}` === `${shape}`) return x;
  checkedSize(shape);
  const missing = shape.length - x.shape.length;
  const steps = stridesOf(x.shape).map((step, d) => (x.shape[d] === 1 ? 0 : step));
  return strided(x, shape, [...new Array<number>(missing).fill(0), ...steps], options);
}

function strided(
  x: Tensor,
  shape: readonly number[],
  steps: readonly number[],
  options: { isSizeBound: boolean },
  offset = 0,
): Tensor {
  checkedSize(shape);
  return new Tensor(
    shape,
    x.dtype,
    (out, begin) => readStrided(out, begin, x.values, shape, steps, offset),
    { isDequantized: x.isDequantized, ...options },
  );
}

function reduced(call: Call, fn: (values: readonly number[]) => number): Tensor {
  const x = call.constant(0);
  const rank = x.shape.length;
  const given = call.intsOrInput('axes', 1);
  const all = x.shape.map((_, d) => d);
  if (given?.length === 0 && call.int('noop_with_empty_axes', 0) === 1) return x;
  const axes = given && given.length > 0 ? given.map((axis) => axisOf(axis, rank)) : all;
  const kept = all.filter((d) => !axes.includes(d));
  const moved = x.permuted([...kept, ...axes]).values;
  const count = axes.reduce((product, d) => product * x.shape[d]!, 1);
  const results = Array.from({ length: x.size / Math.max(count, 1) }, (_, i) =>
    fn([...moved.subarray(i * count, (i + 1) * count)]),
  );
  const keeps = call.int('keepdims', 1) === 1;
  const shape = keeps
    ? all.map((d) => (axes.includes(d) ? 1 : x.shape[d]!))
    : kept.map((d) => x.shape[d]!);
  return Tensor.of(shape, results, x.dtype, x);
}

function cast(x: Tensor, dtype: string): Tensor {
  const isWhole = !['F32', 'F16', 'BF16', 'F64'].includes(dtype);
  if (!(isWhole && x.isFloat)) {
    const values = dtype === 'BOOL' ? x.values.map((v) => (v ? 1 : 0)) : undefined;
    if (values) return Tensor.of(x.shape, values, dtype, x);
    return new Tensor(x.shape, dtype, x.read, x);
  }
  const fn = dtype === 'BOOL' ? (v: number) => (v ? 1 : 0) : Math.trunc;
  return Tensor.of(x.shape, x.values.map(fn), dtype, x);
}

function constantNode(call: Call): Tensor {
  const value = call.tensor('value');
  if (value) return value;
  const { attributes } = call.node;
  const [float, int] = [attributes.get('value_float')?.f, attributes.get('value_int')?.i];
  if (float !== undefined) return Tensor.of([], [float], 'F32');
  if (int !== undefined) return Tensor.of([], [int], 'I64');
  const floats = attributes.get('value_floats')?.floats;
  if (floats) return Tensor.of([floats.length], floats, 'F32');
  const ints = attributes.get('value_ints')?.ints;
  if (ints) return Tensor.of([ints.length], ints, 'I64');
  throw new FormatError('only dense tensors, numbers and lists of numbers are supported');
}

/** What Shape gives, with its `start` and `end`. */
export function shapeTensor(call: Call, shape: readonly number[], isSizeBound: boolean): Tensor {
  const { attributes } = call.node;
  const own = shape.slice(attributes.get('start')?.i ?? 0, attributes.get('end')?.i);
  return Tensor.of([own.length], own, 'I64', { isSizeBound });
}

/** Of Reshape: 0 stands for the size that is there, −1 for what is left. */
export function targetShape(
  target: readonly number[],
  from: readonly number[],
  allowZero: boolean,
): number[] {
  const size = from.reduce((product, extent) => product * extent, 1);
  const shape = target.map((extent, d) => (extent === 0 && !allowZero ? (from[d] ?? 0) : extent));
  const known = shape.filter((extent) => extent !== -1).reduce((product, e) => product * e, 1);
  const full = shape.map((extent) => (extent === -1 ? size / known : extent));
  const isRight =
    shape.filter((extent) => extent === -1).length <= 1 &&
    full.every((extent) => Number.isInteger(extent) && extent >= 0) &&
    full.reduce((product, extent) => product * extent, 1) === size;
  if (isRight) return full;
  throw new FormatError(`[${from}] cannot be reshaped to [${target}]`);
}

export function flattened(shape: readonly number[], axis: number): number[] {
  const d = axis < 0 ? axis + shape.length : axis;
  const product = (extents: readonly number[]) => extents.reduce((p, extent) => p * extent, 1);
  return [product(shape.slice(0, d)), product(shape.slice(d))];
}

export function squeezed(shape: readonly number[], axes: readonly number[] | undefined): number[] {
  const own = axes?.map((axis) => axisOf(axis, shape.length));
  const wrong = own?.find((d) => shape[d] !== 1);
  if (wrong !== undefined) throw new FormatError(`dimension ${wrong} of [${shape}] is not 1`);
  return shape.filter((size, d) => (own ? !own.includes(d) : size !== 1));
}

export function unsqueezed(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const own = axes.map((axis) => axisOf(axis, rank));
  const rest = [...shape];
  return Array.from({ length: rank }, (_, d) => (own.includes(d) ? 1 : rest.shift()!));
}

/** Of Transpose: default all dimensions backwards. @throws {FormatError} for what is no permutation */
export function permutation(perm: readonly number[] | undefined, rank: number): number[] {
  const all = Array.from({ length: rank }, (_, d) => d);
  const order = (perm && perm.length > 0 ? perm : [...all].reverse()).map((d) => axisOf(d, rank));
  if (`${[...order].sort((a, b) => a - b)}` === `${all}`) return order;
  throw new FormatError(`perm [${perm}] is not one of ${rank} dimensions`);
}

function gathered(x: Tensor, indices: Tensor, axis: number): Tensor {
  const size = x.shape[axis] ?? 1;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const shape = [...before, ...indices.shape, ...behind];
  const outer = checkedSize(before);
  const inner = checkedSize(behind);
  const values = new Float64Array(checkedSize(shape));
  let o = 0;
  for (let i = 0; i < outer; i++) {
    for (const index of indices.values) {
      const at = index < 0 ? index + size : index;
      if (!(at >= 0 && at < size)) throw new FormatError(`index ${index} of ${size}`);
      const from = (i * size + at) * inner;
      values.set(x.values.subarray(from, from + inner), o);
      o += inner;
    }
  }
  return Tensor.of(shape, values, x.dtype, isBound(x, indices));
}

function concatenated(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts as readonly [Tensor, ...Tensor[]];
  const other = (shape: readonly number[]) => `${shape.filter((_, d) => d !== axis)}`;
  const wrong = parts.find(({ shape }) => other(shape) !== other(first.shape));
  if (wrong) throw new FormatError(`[${first.shape}] and [${wrong.shape}] are not concatenated`);
  const extent = sum(parts.map(({ shape }) => shape[axis]!));
  const shape = first.shape.map((size, d) => (d === axis ? extent : size));
  const values = new Float64Array(checkedSize(shape));
  const outer = checkedSize(shape.slice(0, axis));
  let o = 0;
  for (let i = 0; i < outer; i++) {
    for (const part of parts) {
      const length = part.size / outer;
      values.set(part.values.subarray(i * length, (i + 1) * length), o);
      o += length;
    }
  }
  return Tensor.of(shape, values, first.dtype, isBound(...parts));
}

export interface Stretch {
  readonly axis: number;
  readonly begin: number;
  readonly count: number;
  readonly step: number;
}

function sliced(x: Tensor, stretches: readonly Stretch[]): Tensor {
  const strides = stridesOf(x.shape);
  const shape = [...x.shape];
  const steps = [...strides];
  let offset = 0;
  for (const { axis, begin, count, step } of stretches) {
    shape[axis] = count;
    steps[axis] = strides[axis]! * step;
    offset += begin * strides[axis]!;
  }
  return strided(x, shape, steps, x, offset);
}

/** What Slice takes of each axis, within bounds: attributes in opset 9, inputs from 10 on. */
export function slicesOf(call: Call, shape: readonly number[]): Stretch[] {
  const starts = call.intsOrInput('starts', 1) ?? [];
  const ends = call.intsOrInput('ends', 2) ?? [];
  const axes = call.intsOrInput('axes', 3);
  const steps = call.optionalConstant(4)?.values;
  return starts.map((start, i) => {
    const axis = axisOf(axes?.[i] ?? i, shape.length);
    const size = shape[axis]!;
    const step = steps?.[i] ?? 1;
    if (step === 0 || ends[i] === undefined) throw new FormatError('step 0, or an end is missing');
    const bounded = (at: number, least: number, most: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, least), most);
    const begin = step > 0 ? bounded(start, 0, size) : bounded(start, 0, size - 1);
    const end = step > 0 ? bounded(ends[i]!, 0, size) : bounded(ends[i]!, -1, size - 1);
    return { axis, begin, count: Math.max(0, Math.ceil((end - begin) / step)), step };
  });
}

/** How many places each output of Split has. @throws {FormatError} */
export function splitSizes(call: Call, size: number): number[] {
  const given = call.intsOrInput('split', 1);
  const parts = call.int('num_outputs', call.node.outputs.length);
  const each = Math.ceil(size / parts);
  const sizes =
    given && given.length > 0
      ? [...given]
      : Array.from({ length: parts }, (_, i) => Math.min(each, size - i * each));
  if (sum(sizes) === size && sizes.every((s) => Number.isInteger(s) && s >= 0)) return sizes;
  throw new FormatError(`${size} places are not split into [${sizes}]`);
}

/** Of Clip: attributes before opset 11, inputs from then on. */
export function boundsOf(call: Call): readonly [lo: number, hi: number] {
  const [lo, hi] =
    call.opset < 11
      ? ['min', 'max'].map((name) => call.node.attributes.get(name)?.f)
      : [1, 2].map((i) => call.optionalConstant(i)?.scalar);
  return [lo ?? -Infinity, hi ?? Infinity];
}

/** The whole numbers of a dtype. */
export const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  U8: [0, 255],
  I8: [-128, 127],
  U16: [0, 65535],
  I16: [-32768, 32767],
};

function quantized(x: Tensor, scale: Tensor, zero: Tensor | undefined): Tensor {
  const range = RANGES[zero?.dtype ?? 'U8'];
  const each = x.size / scale.size;
  if (!range || (scale.size > 1 && scale.size !== x.shape[0])) {
    throw new FormatError('only scales for all, or for each of the first dimension are supported');
  }
  const values = x.values.map((value, i) => {
    const c = scale.size > 1 ? Math.floor(i / each) : 0;
    const whole = roundHalfEven(value / scale.values[c]!) + (zero?.values[c] ?? 0);
    return Math.min(Math.max(whole, range[0]), range[1]);
  });
  return Tensor.of(x.shape, values, zero?.dtype ?? 'U8', x);
}

/** (x − zero point)·scale, with one pair for all elements or one for each place of an axis. */
export function dequantized(call: Call, x: Tensor): Tensor {
  const scale = call.constant(1);
  const zero = call.optionalConstant(2);
  const axis = scale.size === 1 ? 0 : axisOf(call.int('axis', 1), x.shape.length);
  return scaledBack(x, scale, zero, axis);
}

export function scaledBack(
  x: Tensor,
  scale: Tensor,
  zero: Tensor | undefined,
  axis: number,
): Tensor {
  const isEach = scale.size > 1;
  if (isEach && scale.size !== x.shape[axis]) {
    throw new FormatError(`${scale.size} scales for [${x.shape}], axis ${axis}`);
  }
  const inner = isEach ? stridesOf(x.shape)[axis]! : 1;
  const [scales, zeros] = [scale.values, zero?.values];
  const read = (out: Float32Array | Float64Array, begin: number): void => {
    x.read(out, begin);
    for (let i = 0; i < out.length; i++) {
      const c = isEach ? Math.floor((begin + i) / inner) % scales.length : 0;
      const z = zeros ? zeros[zeros.length > 1 ? c : 0]! : 0;
      out[i] = (out[i]! - z) * scales[c]!;
    }
  };
  return new Tensor(x.shape, 'F32', read, { isSizeBound: x.isSizeBound, isDequantized: true });
}
