/** Add, Sub, Mul, Div, Pow, Min, Max, Sum and Mean, with ONNX's broadcasting. */

import { FormatError } from '../../../errors.js';
import type { Arithmetic } from '../../../kernels/operators.js';
import type { ValueShape } from '../../graph/node.js';
import { activation } from '../../graph/operators/activation.js';
import { add } from '../../graph/operators/add.js';
import { affine } from '../../graph/operators/affine.js';
import { arithmetic } from '../../graph/operators/arithmetic.js';
import { mul } from '../../graph/operators/mul.js';
import { power, unary } from '../../graph/operators/unary.js';
import { type Call, type Rule, rules } from '../call.js';
import { boundsOf, eachOf } from '../constants.js';
import { idiomOf } from '../idioms.js';
import { broadcastShape } from '../shapes.js';
import { checkedSize, type Elements, elementsFor, stridesOf, Tensor } from '../tensor.js';
import {
  type Axis,
  dimsOf,
  fits,
  LAYOUTS,
  type Layout,
  layoutOf,
  type View,
  viewOf,
} from '../view.js';
import type { Expression, Value } from '../writer.js';

export const ARITHMETIC_RULES: Readonly<Record<string, Rule>> = {
  ...rules(
    ['Add', 'Sub', 'Mul', 'Div', 'Pow'],
    (op) => (call) => combine(call, op.toLowerCase() as Arithmetic, call.input(0), call.input(1)),
  ),
  Sum: (call) => all(call, 'add'),
  Max: (call) => all(call, 'max'),
  Min: (call) => all(call, 'min'),
  Mean(call) {
    const total = all(call, 'add');
    return total instanceof Tensor ? total : scaled(call, total, 1 / call.inputs.length);
  },
  Clip: (call) => clipped(call, call.view(0), ...boundsOf(call)),
};

function all(call: Call, kind: Arithmetic): Value {
  const others = call.inputs.slice(1).map((_, i) => call.input(i + 1));
  return others.reduce((a, b) => combine(call, kind, a, b), call.input(0));
}

/** min(max(x, lo), hi) */
export function clipped(call: Call, view: View, lo: number, hi: number): View {
  if (lo === -Infinity && hi === Infinity) return view;
  return call.emit(lo === 0 && hi === 6 ? activation('relu6') : activation('clip', lo, hi), view);
}

export function combine(call: Call, kind: Arithmetic, a: Value, b: Value): Value {
  if (!(b instanceof Tensor)) {
    return a instanceof Tensor ? withConstant(call, kind, b, a, true) : ofViews(call, kind, a, b);
  }
  const view = a instanceof Tensor ? call.writer.constant(a, call.name) : a;
  if (kind === 'sub') return withConstant(call, 'add', view, eachOf(b, negative), false);
  if (kind === 'div') return withConstant(call, 'mul', view, eachOf(b, inverse), false);
  return withConstant(call, kind, view, b, false);
}

const negative = (value: number): number => -value;
const inverse = (value: number): number => 1 / value;

/** @param isFirst whether the constant is the first operand; for a sum or a product it does not matter */
function withConstant(
  call: Call,
  kind: Arithmetic,
  x: View,
  tensor: Tensor,
  isFirst: boolean,
): View {
  const { writer, name } = call;
  const view = raisedTo(x, tensor.shape.length);
  const number = tensor.size === 1 ? tensor.scalar : undefined;
  const own = number === undefined ? undefined : withNumber(call, kind, view, number, isFirst);
  if (own) return own;
  const spread = spreadOver(view, tensor);
  if (!spread) {
    const other = writer.constant(tensor, name);
    return isFirst ? ofViews(call, kind, other, view) : ofViews(call, kind, view, other);
  }
  const { shape, values } = spread;
  if (shape.H * shape.W === 1) {
    const { C } = view.shape;
    const vector = shape.C === C ? values : values[0]!;
    if (kind === 'add') return affineOf(call, view, undefined, vector);
    if (kind === 'mul') return affineOf(call, view, vector, undefined);
    if (kind === 'sub') return affineOf(call, view, -1, vector);
  }
  const data = Tensor.of([shape.H, shape.W, shape.C], values, 'F32', tensor);
  const other = writer.constantNode(data, name);
  if (kind === 'add' && sameExtents(shape, view.shape)) return call.emit(add(), view, other);
  const inputs = isFirst ? [other, view.node] : [view.node, other];
  return { ...view, node: writer.node(name, arithmetic(kind), inputs) };
}

/** Arithmetic with one number; `undefined` if a number needs no special operator. */
function withNumber(
  call: Call,
  kind: Arithmetic,
  view: View,
  number: number,
  isFirst: boolean,
): View | undefined {
  switch (kind) {
    case 'add':
      return shifted(call, view, number);
    case 'mul':
      return scaled(call, view, number);
    case 'div':
      return scaled(call, call.emit(unary('reciprocal'), view), number);
    case 'max':
      return clipped(call, view, number, Infinity);
    case 'min':
      return clipped(call, view, -Infinity, number);
    case 'pow':
      return isFirst ? undefined : raised(call, view, number);
    default:
      return undefined;
  }
}

function raised(call: Call, view: View, exponent: number): View {
  if (exponent === 1) return view;
  return call.emit(exponent === 2 ? unary('square') : power(exponent), view);
}

/** x·by */
export function scaled(call: Call, view: View, by: number): View {
  if (by === 1) return view;
  const expression = { kind: 'scale', of: view.node, by } as const;
  return (
    idiom(call, view, expression) ?? noted(call, affineOf(call, view, by, undefined), expression)
  );
}

/** x + by */
export function shifted(call: Call, view: View, by: number): View {
  if (by === 0) return view;
  const expression = { kind: 'shift', of: view.node, by } as const;
  return noted(call, affineOf(call, view, undefined, by), expression);
}

function noted({ writer }: Call, view: View, expression: Expression): View {
  writer.expressions.set(view.node, expression);
  return view;
}

function idiom(call: Call, view: View, expression: Expression): View | undefined {
  const found = idiomOf(call.writer, expression);
  if (!found || !sameExtents(call.writer.shapes[found.of]!, view.shape)) return undefined;
  return call.emit(found.operator, { ...view, node: found.of });
}

/** One for all channels, or one for each. */
type Factor = number | Elements | undefined;

/** gamma·x + beta, channel by channel. */
function affineOf(call: Call, view: View, gamma: Factor, beta: Factor): View {
  const { C } = view.shape;
  const { writer, name } = call;
  const named = (part: string, values: Factor): string | undefined => {
    if (values === undefined) return undefined;
    const isOne = typeof values === 'number';
    const vector = isOne ? Tensor.filled([C], values, 'F32') : Tensor.of([C], values, 'F32');
    return writer.made(`${name}:${part}`, vector);
  };
  const isPositive = (values: Factor): boolean =>
    typeof values === 'number' ? values >= 0 : (values?.every((value) => value >= 0) ?? true);
  const [scale, shift] = [named('scale', gamma), named('shift', beta)];
  const nonNegative = isPositive(gamma) && isPositive(beta);
  const layer = scale ?? shift!;
  return call.emit(
    {
      ...affine(layer, C, [{ gamma: scale, beta: shift }]),
      range: ([x]) => ({
        nonNegative: x!.nonNegative && nonNegative,
        sparse: x!.sparse && shift === undefined,
      }),
    },
    view,
  );
}

/**
 * A constant that broadcasts to a view, in the view's layout: along axes where it varies it has all elements, along
 * others one. `undefined` if the view broadcasts to the constant.
 */
export function spreadOver(
  view: View,
  tensor: Tensor,
): { shape: ValueShape; values: Elements } | undefined {
  const sizes = dimsOf(view);
  const rank = sizes.length;
  if (`${broadcastShape(sizes, tensor.shape)}` !== `${sizes}`) return undefined;
  const own = [...new Array<number>(rank - tensor.shape.length).fill(1), ...tensor.shape];
  const strides = stridesOf(own);
  const parts = view.dims.flatMap((dim, d) => {
    if (own[d] === 1) return [];
    // The last part of a dimension is the innermost.
    let stride = strides[d]!;
    return [...dim].reverse().map((part) => {
      stride *= part.size;
      return { ...part, stride: stride / part.size };
    });
  });
  const extent = (axis: Axis): number =>
    parts.some((part) => part.axis === axis) ? view.shape[axis] : 1;
  const shape = { H: extent('H'), W: extent('W'), C: extent('C') };
  const values = elementsFor('F32', checkedSize([shape.H, shape.W, shape.C]));
  const at = { H: 0, W: 0, C: 0 };
  const all = tensor.values;
  for (let i = 0; i < values.length; i++) {
    at.C = i % shape.C;
    at.W = Math.floor(i / shape.C) % shape.W;
    at.H = Math.floor(i / (shape.C * shape.W));
    let index = 0;
    for (const { axis, size, step, stride } of parts) {
      index += (Math.floor(at[axis] / step) % size) * stride;
    }
    values[i] = all[index]!;
  }
  return { shape, values };
}

function ofViews(call: Call, kind: Arithmetic, first: View, second: View): View {
  const [a, b, layout] = aligned(call, first, second);
  const { writer, name } = call;
  const result = (node: number): View =>
    layout ? viewOf(node, writer.shapes[node]!, layout) : { ...a, node };
  if (kind === 'mul') {
    const expression = { kind: 'product', of: [a.node, b.node] } as const;
    const larger = sizeOf(a.shape) >= sizeOf(b.shape) ? a : b;
    const known = idiom(call, larger, expression);
    if (known) return known;
    const product = multiplied(call, a, b);
    writer.expressions.set(product, expression);
    return result(product);
  }
  const isAdd = kind === 'add' && sameExtents(a.shape, b.shape);
  return result(writer.node(name, isAdd ? add() : arithmetic(kind), [a.node, b.node]));
}

/** A product. If one factor has one value for each channel, it comes last, because this has its own kernel. */
function multiplied({ writer, name }: Call, a: View, b: View): number {
  const [x, factor] = a.shape.H * a.shape.W < b.shape.H * b.shape.W ? [b, a] : [a, b];
  const isOfChannels = factor.shape.H * factor.shape.W === 1 && factor.shape.C === x.shape.C;
  return writer.node(name, isOfChannels ? mul() : arithmetic('mul'), [x.node, factor.node]);
}

/** Brings two values into one layout. They stay as they are if the layout does not matter. */
function aligned(call: Call, a: View, b: View): [View, View, Layout | undefined] {
  const rank = Math.max(a.dims.length, b.dims.length);
  const [x, y] = [raisedTo(a, rank), raisedTo(b, rank)];
  const isAlike = JSON.stringify(x.dims) === JSON.stringify(y.dims);
  if (isAlike && sameExtents(x.shape, y.shape)) return [x, y, undefined];
  const layout = commonLayout(x, y) ?? LAYOUTS[rank];
  const { writer, node } = call;
  if (layout) {
    return [
      writer.realised(x, layout, node.inputs[0]!),
      writer.realised(y, layout, node.inputs[1]!),
      layout,
    ];
  }
  throw new FormatError(`[${dimsOf(a)}] and [${dimsOf(b)}]: as many dimensions are not supported`);
}

/** A view with dimensions of size 1 added at the front, up to a rank. */
export function raisedTo(view: View, rank: number): View {
  const missing = Math.max(0, rank - view.dims.length);
  return { ...view, dims: [...new Array<[]>(missing).fill([]), ...view.dims] };
}

/** A layout with an axis for every dimension in which one of two values has an axis. */
function commonLayout(a: View, b: View): Layout | undefined {
  const [own, other] = [layoutOf(a), layoutOf(b)];
  if (!own || !other)
    return own && fits(b, own) ? own : other && fits(a, other) ? other : undefined;
  const both = own.map((axis, d) => axis ?? other[d]!);
  const isUnique = both.every((axis, d) => axis === null || both.indexOf(axis) === d);
  const isSame = other.every((axis, d) => axis === null || axis === both[d]);
  return isUnique && isSame ? both : undefined;
}

function sameExtents(a: ValueShape, b: ValueShape): boolean {
  return a.H === b.H && a.W === b.W && a.C === b.C;
}

function sizeOf({ H, W, C }: ValueShape): number {
  return H * W * C;
}
