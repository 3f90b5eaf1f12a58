/** Means and other reductions, softmax, and norms over a picture's own values. */

import { FormatError } from '../../../errors.js';
import type { Reduction } from '../../../kernels/operators.js';
import { adaptiveMean } from '../../graph/operators/adaptive-mean.js';
import { lrn } from '../../graph/operators/lrn.js';
import { normalize } from '../../graph/operators/normalize.js';
import { reduce } from '../../graph/operators/reduce.js';
import { softmax } from '../../graph/operators/softmax.js';
import { unary } from '../../graph/operators/unary.js';
import { type Call, type Rule, rules } from '../call.js';
import { axisOf } from '../shapes.js';
import { Tensor } from '../tensor.js';
import { type Axis, dimsOf, type Layout, NCHW, type View } from '../view.js';
import { combine } from './arithmetic.js';
import { toSizes } from './layout.js';

const REDUCTIONS: readonly string[] = ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin'];

export const REDUCTION_RULES: Readonly<Record<string, Rule>> = {
  ...rules(REDUCTIONS, (op) => {
    const kind = op.slice('Reduce'.length).toLowerCase() as Reduction;
    return (call) => reduced(call, kind, call.view(0));
  }),
  ReduceL1: (call) => reduced(call, 'sum', call.emit(unary('abs'), call.view(0))),
  ReduceL2: (call) => call.emit(unary('sqrt'), squaresOf(call)),
  ReduceSumSquare: squaresOf,
  Softmax: (call) => softmaxed(call, false),
  LogSoftmax: (call) => softmaxed(call, true),
  LRN(call) {
    const view = call.viewIn(0, NCHW);
    const size = call.int('size', 0);
    const [alpha, beta, bias] = [
      call.float('alpha', 1e-4),
      call.float('beta', 0.75),
      call.float('bias', 1),
    ];
    return call.emitIn(lrn(size, alpha, beta, bias), [view.node], NCHW);
  },
  LayerNormalization: layerNormalization,
  InstanceNormalization(call) {
    const normed = normalizedGroups(call, call.view(0), dimsOf(call.view(0))[1] ?? 1);
    return scaledByChannel(call, normed, call.constant(1), call.constant(2));
  },
  GroupNormalization(call) {
    const view = call.view(0);
    const groups = call.int('num_groups', 1);
    const normed = normalizedGroups(call, view, groups);
    const [scale, bias] = [call.constant(1), call.constant(2)];
    const C = dimsOf(view)[1]!;
    const each = (tensor: Tensor) => (tensor.size === C ? tensor : repeated(tensor, C));
    return scaledByChannel(call, normed, each(scale), each(bias));
  },
};

function squaresOf(call: Call): View {
  return reduced(call, 'sum', call.emit(unary('square'), call.view(0)));
}

function reduced(call: Call, kind: Reduction, given: View): View {
  const { view, layout } = call.simple(given);
  const rank = layout.length;
  const asked = call.intsOrInput('axes', 1);
  if (asked?.length === 0 && call.int('noop_with_empty_axes', 0) === 1) return view;
  const all = layout.map((_, d) => d);
  const dims = asked?.length ? asked.map((axis) => axisOf(axis, rank)) : all;
  const axes = dims.flatMap((d) => layout[d] ?? []);
  const out = reducedOver(call, view, kind, axes, layout);
  if (call.int('keepdims', 1) === 1) return out;
  const sizes = dimsOf(out);
  return toSizes(
    call,
    out,
    sizes.filter((_, d) => !dims.includes(d)),
  );
}

function reducedOver(
  call: Call,
  view: View,
  kind: Reduction,
  axes: readonly Axis[],
  layout: Layout,
): View {
  const isOver = (axis: Axis) => axes.includes(axis) || view.shape[axis] === 1;
  const isGlobal = kind === 'mean' && isOver('H') && isOver('W') && !axes.includes('C');
  const isNothing = axes.every((axis) => view.shape[axis] === 1);
  if (isNothing) return view;
  const operator = isGlobal ? adaptiveMean(1, 1) : reduce(kind, axes);
  return call.emitIn(operator, [view.node], layout);
}

/** Softmax over one dimension. Before opset 13, it is over one dimension and all after it; here these must be one axis. */
function softmaxed(call: Call, log: boolean): View {
  const { view, layout } = call.simple(call.view(0));
  const rank = layout.length;
  const isOld = call.opset < 13;
  const axis = axisOf(call.int('axis', isOld ? 1 : -1), rank);
  const dims = isOld ? layout.slice(axis) : [layout[axis]!];
  const axes = dims.flatMap((which) => (which && view.shape[which] > 1 ? which : []));
  const isPixels = axes.length > 0 && !axes.includes('C');
  const isColumn = axes.length === 0 ? view.shape.C === 1 : `${axes}` === 'C';
  if (isColumn) return call.emitIn(softmax('C', log), [view.node], layout);
  const isAll = (['H', 'W'] as const).every((a) => axes.includes(a) || view.shape[a] === 1);
  if (isPixels && isAll) return call.emitIn(softmax('HW', log), [view.node], layout);
  throw new FormatError(`a softmax over dimensions ${axis}… of [${dimsOf(view)}] is not supported`);
}

/** LayerNormalization over the last dimensions, then a scale and a bias for each of their elements. */
function layerNormalization(call: Call): View {
  const { view, layout } = call.simple(call.view(0));
  const axis = axisOf(call.int('axis', -1), layout.length);
  const axes = layout.slice(axis).flatMap((which) => (which && view.shape[which] > 1 ? which : []));
  const eps = call.float('epsilon', 1e-5);
  const isColumn = axes.length === 0 ? view.shape.C === 1 : `${axes}` === 'C';
  const isWhole = (['H', 'W', 'C'] as const).every(
    (which) => axes.includes(which) || view.shape[which] === 1,
  );
  if (!isColumn && !isWhole) {
    throw new FormatError(`dimensions ${axis}… of [${dimsOf(view)}] are not supported`);
  }
  const operator = normalize(isColumn ? 'column' : { groups: 1 }, eps);
  const normed = call.emitIn(operator, [view.node], layout, `${call.name}:norm`);
  const scaled = combine(call, 'mul', normed, call.constant(1));
  const bias = call.optionalConstant(2);
  return (bias ? combine(call, 'add', scaled, bias) : scaled) as View;
}

/** Brings each group of channels (dimension 1), over all pixels, to mean 0 and variance 1. */
function normalizedGroups(call: Call, view: View, groups: number): View {
  const eps = call.float('epsilon', 1e-5);
  const parts = view.dims[1] ?? [];
  const { H, W, C } = view.shape;
  const rest = view.dims.slice(2).flat();
  // The channels of a group are consecutive: in dimension 1, or in a dimension split off from it.
  const own = dimsOf(view)[1] ?? 1;
  const isOuter =
    parts.length === 0 ||
    (parts.length === 1 && parts[0]!.axis === 'C' && parts[0]!.step * parts[0]!.size === C);
  const covered = rest.reduce((product, { size }) => product * size, own);
  if (!isOuter || covered !== H * W * C || own % groups !== 0) {
    throw new FormatError(`a norm of ${groups} groups over [${dimsOf(view)}] is not supported`);
  }
  return call.emit(normalize({ groups }, eps), view);
}

function scaledByChannel(call: Call, view: View, scale: Tensor, bias: Tensor): View {
  const rank = view.dims.length;
  const shape = [scale.size, ...new Array<number>(Math.max(0, rank - 2)).fill(1)];
  const isTrivial = (tensor: Tensor, value: number) => tensor.values.every((v) => v === value);
  let out = view;
  if (!isTrivial(scale, 1)) out = combine(call, 'mul', out, scale.reshaped(shape)) as View;
  if (!isTrivial(bias, 0)) out = combine(call, 'add', out, bias.reshaped(shape)) as View;
  return out;
}

/** Turns one value for each group into one for each channel. */
function repeated(tensor: Tensor, C: number): Tensor {
  const each = C / tensor.size;
  const values = Array.from({ length: C }, (_, c) => tensor.values[Math.floor(c / each)]!);
  return Tensor.of([C], values, 'F32', tensor);
}
