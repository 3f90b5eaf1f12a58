/** Operators that move elements: reshapes, transpositions, slices, concatenations, borders, resizing. */

import { FormatError } from '../../../errors.js';
import type { NearestRounding, ResizeCoordinates } from '../../../kernels/operators.js';
import { concat } from '../../graph/operators/concat.js';
import { concatAlong } from '../../graph/operators/concat-along.js';
import { type PadMode, pad } from '../../graph/operators/pad.js';
import { type ResizeMode, resize } from '../../graph/operators/resize.js';
import { slice } from '../../graph/operators/slice.js';
import type { Call, Rule } from '../call.js';
import { placeOf } from '../constants.js';
import {
  axisOf,
  broadcastShape,
  flattened,
  permutation,
  productOf,
  type Stretch,
  splitSizes,
  squeezed,
  stretchesOf,
  targetShape,
  unsqueezed,
} from '../shapes.js';
import { dtypeOf, Tensor } from '../tensor.js';
import {
  type Axis,
  dimsOf,
  fits,
  LAYOUTS,
  type Layout,
  layoutOf,
  NCHW,
  reshaped,
  transposed,
  type View,
} from '../view.js';
import type { Value } from '../writer.js';
import { combine, raisedTo } from './arithmetic.js';

export const LAYOUT_RULES: Readonly<Record<string, Rule>> = {
  Identity: (call) => call.input(0),
  Dropout: (call) => call.input(0),
  Cast: casted,
  CastLike: (call) => call.input(0),
  Shape(call) {
    const { attributes } = call.node;
    const all = sizesOf(call.input(0));
    const sizes = all.slice(attributes.get('start')?.i ?? 0, attributes.get('end')?.i);
    return sizeTensor(call, [sizes.length], sizes);
  },
  Size: (call) => sizeTensor(call, [], [productOf(sizesOf(call.input(0)))]),
  Reshape: (call) =>
    resized(call, (sizes) => {
      const target = call.intsOrInput('shape', 1) ?? [];
      return targetShape(target, sizes, call.int('allowzero', 0) === 1);
    }),
  Flatten: (call) => resized(call, (sizes) => flattened(sizes, call.int('axis', 1))),
  Squeeze: (call) => resized(call, (sizes) => squeezed(sizes, call.intsOrInput('axes', 1))),
  Unsqueeze: (call) =>
    resized(call, (sizes) => unsqueezed(sizes, call.intsOrInput('axes', 1) ?? [])),
  Transpose(call) {
    const value = call.input(0);
    const order = permutation(call.ints('perm'), sizesOf(value).length);
    return value instanceof Tensor ? value.permuted(order) : transposed(value, order);
  },
  Expand: expanded,
  Slice(call) {
    const value = call.input(0);
    const stretches = stretchesOf(
      sizesOf(value),
      call.intsOrInput('starts', 1) ?? [],
      call.intsOrInput('ends', 2) ?? [],
      call.intsOrInput('axes', 3),
      call.inputs[4] && call.numbers(4),
    );
    if (value instanceof Tensor) return value.sliced(stretches);
    const isComputed = call.inputs.some((other) => other instanceof Tensor && other.isSizeBound);
    return sliced(call, call.simple(call.view(0)), stretches, undefined, isComputed);
  },
  Split(call) {
    const value = call.input(0);
    const { outputs } = call.node;
    const axis = axisOf(call.int('axis', 0), sizesOf(value).length);
    const given = call.intsOrInput('split', 1);
    const source = value instanceof Tensor ? undefined : call.simple(call.view(0));
    let begin = 0;
    return splitSizes(sizesOf(value)[axis]!, given, outputs.length).map((count, i) => {
      const stretch = { axis, begin, count, step: 1 };
      begin += count;
      const name = outputs[i];
      if (!name) return undefined;
      if (value instanceof Tensor) return value.sliced([stretch]);
      return sliced(call, source!, [stretch], name);
    });
  },
  Gather: gathered,
  Concat: concatenated,
  Pad: padded,
  Resize: enlarged,
  Upsample: enlarged,
};

function sizesOf(value: Value): readonly number[] {
  return value instanceof Tensor ? value.shape : dimsOf(value);
}

/** The result of Shape or Size. For a value that is computed from the picture, it depends on the picture's size. */
function sizeTensor(call: Call, shape: readonly number[], sizes: readonly number[]): Tensor {
  const value = call.input(0);
  const isSizeBound = !(value instanceof Tensor) || value.isSizeBound;
  return Tensor.of(shape, sizes, 'I64', { isSizeBound });
}

/** The same elements in other sizes. */
function resized(call: Call, change: (sizes: readonly number[]) => readonly number[]): Value {
  const value = call.input(0);
  const sizes = change(sizesOf(value));
  return value instanceof Tensor ? value.reshaped(sizes) : toSizes(call, value, sizes);
}

/** The same elements in other sizes. If a view cannot express it, the elements are brought into one vector first. */
export function toSizes(call: Call, view: View, sizes: readonly number[]): View {
  const own = reshaped(view, sizes);
  if (own) return own;
  const vector = call.writer.vector(view, `${call.name}:flat`);
  return reshaped(vector, sizes)!;
}

function expanded(call: Call): Value {
  const value = call.input(0);
  const own = sizesOf(value);
  const shape = broadcastShape(own, call.numbers(1));
  if (value instanceof Tensor) return value.broadcast(shape);
  const view = raisedTo(value, shape.length);
  if (productOf(shape) === productOf(own)) return view;
  return combine(call, 'mul', view, Tensor.of([], [1], 'F32').broadcast(shape));
}

/** Values stay float32. A cast to whole numbers is only accepted for values that are whole already. */
function casted(call: Call): Value {
  const dtype = dtypeOf(call.int('to', 1), 'its result');
  if (['F32', 'F16', 'F64', 'BF16'].includes(dtype)) return call.input(0);
  throw new FormatError(`a cast of computed values to ${dtype} is not supported`);
}

function sliced(
  call: Call,
  { view, layout }: { view: View; layout: Layout },
  stretches: readonly Stretch[],
  name?: string,
  isComputed = false,
): View {
  const own: { H?: Taken; W?: Taken; C?: Taken } = {};
  for (const { axis, begin, count, step } of stretches) {
    const which = layout[axis]!;
    if (which === null) {
      if (count !== 1) throw new FormatError(`${count} places of dimension ${axis}, which has one`);
      continue;
    }
    if (count < 1) throw new FormatError(`nothing is left of dimension ${axis}`);
    own[which] = [begin, count, step];
  }
  const operator = slice(own);
  if (operator.isIdentity?.([view.shape])) return view;
  // Nothing is known about the sign with bounds that the graph computes.
  const unsigned = { ...operator, range: () => ({ nonNegative: false, sparse: false }) };
  return call.emitIn(isComputed ? unsigned : operator, [view.node], layout, name);
}

type Taken = readonly [begin: number, count: number, step: number];

/** Takes elements of one dimension, by constant indices. */
function gathered(call: Call): View {
  const source = call.simple(call.view(0));
  const sizes = dimsOf(source.view);
  const axis = axisOf(call.int('axis', 0), sizes.length);
  const indices = call.constant(1);
  if (indices.shape.length > 1 || indices.size > 64) {
    throw new FormatError(`indices of [${indices.shape}] are not supported`);
  }
  const size = sizes[axis]!;
  const taken = [...indices.values].map((index) => {
    const at = placeOf(index, size);
    const stretch = { axis, begin: at, count: 1, step: 1 };
    return sliced(call, source, [stretch], `${call.name}:${at}`);
  });
  if (indices.shape.length === 1) return joined(call, taken, axis, source.layout);
  const rest = sizes.filter((_, d) => d !== axis);
  return toSizes(call, taken[0]!, rest);
}

function concatenated(call: Call): Value {
  const views = call.inputs.map((_, i) => call.view(i));
  const rank = call.view(0).dims.length;
  const axis = axisOf(call.int('axis', 1), rank);
  const own = views.map(layoutOf).find((layout) => layout?.[axis]);
  const isCommon = own && views.every((view) => fits(view, own));
  const layout = isCommon ? own : LAYOUTS[rank];
  if (!layout) throw new FormatError(`[${dimsOf(views[0]!)}] is not concatenated`);
  const { writer, node } = call;
  const placed = views.map((view, i) => writer.realised(view, layout, node.inputs[i]!));
  return joined(call, placed, axis, layout);
}

function joined(call: Call, views: readonly View[], axis: number, layout: Layout): View {
  const which = layout[axis];
  if (views.length === 1) return views[0]!;
  if (!which) throw new FormatError(`dimension ${axis} is that of the batch`);
  const operator = which === 'C' ? concat() : concatAlong(which);
  return call.emitIn(
    operator,
    views.map(({ node }) => node),
    layout,
  );
}

const PAD_MODES: readonly string[] = ['constant', 'reflect', 'edge'];

function padded(call: Call): View {
  const own = call.simple(call.view(0));
  const rank = own.layout.length;
  const pads = call.intsOrInput('pads', 1) ?? [];
  const value = call.opset < 11 ? call.float('value', 0) : (call.optionalConstant(2)?.scalar ?? 0);
  const axes = call.inputs[3] ? call.numbers(3) : own.layout.map((_, d) => d);
  const mode = call.text('mode', 'constant');
  if (!PAD_MODES.includes(mode)) throw new FormatError(`mode ${mode} is not supported`);
  const sides = axes.map((axis, i) => ({
    d: axisOf(axis, rank),
    both: [pads[i] ?? 0, pads[axes.length + i] ?? 0] as const,
  }));
  const added = sides.filter(({ both }) => both[0] !== 0 || both[1] !== 0);
  if (added.length === 0) return own.view;
  // A dimension of size 1 has an axis only in the usual layout.
  const isPlaced = added.every(({ d }) => own.layout[d] !== null);
  const layout = isPlaced ? own.layout : LAYOUTS[rank]!;
  const view = isPlaced ? own.view : call.viewIn(0, layout);
  const border: Record<Axis, readonly [number, number]> = { H: [0, 0], W: [0, 0], C: [0, 0] };
  for (const { d, both } of added) {
    const axis = layout[d];
    if (!axis) throw new FormatError(`dimension ${d} is that of the batch`);
    border[axis] = both;
  }
  const { H, W, C } = border;
  const operator = pad(
    { top: H[0], bottom: H[1], left: W[0], right: W[1], front: C[0], back: C[1] },
    mode as PadMode,
    value,
  );
  const out = call.emitIn(operator, [view.node], layout);
  const isZero = mode === 'constant' && value === 0 && C.every((n) => n === 0);
  if (isZero && [...H, ...W].every((n) => n >= 0)) {
    call.writer.zeroBorders.set(out.node, [H[0], W[0], H[1], W[1]]);
  }
  return out;
}

const COORDINATES: readonly string[] = [
  'half_pixel',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
];

const ROUNDINGS: readonly string[] = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'];

/** Resize (scales or sizes), and Upsample, which is asymmetric. */
function enlarged(call: Call): View {
  const isUpsample = call.node.op === 'Upsample';
  const isOld = isUpsample || call.opset < 11;
  const view = call.viewIn(0, NCHW);
  const extents = dimsOf(view);
  const scales = isOld
    ? (call.node.attributes.get('scales')?.floats ?? [...call.constant(1).values])
    : [...(call.optionalConstant(2)?.values ?? [])];
  const sizes = isOld ? [] : [...(call.optionalConstant(3)?.values ?? [])];
  const axes = (call.ints('axes') ?? [0, 1, 2, 3]).map((axis) => axisOf(axis, 4));
  const place = (d: number): number => axes.indexOf(d);
  const target = extents.map((extent, d) => {
    const at = place(d);
    if (at < 0) return extent;
    // In float32, like other runtimes: 0.7 of 10 elements are 7.
    return sizes[at] ?? Math.floor(Math.fround(extent * (scales[at] ?? 1)));
  });
  if (target[0] !== 1 || target[1] !== extents[1]) {
    throw new FormatError('only rows and columns are resized');
  }
  const mode = call.text('mode', 'nearest');
  const coordinates = isOld
    ? 'asymmetric'
    : call.text('coordinate_transformation_mode', 'half_pixel');
  if (!['nearest', 'linear'].includes(mode) || !COORDINATES.includes(coordinates)) {
    throw new FormatError(`mode ${mode} with ${coordinates} is not supported`);
  }
  const rounding = isOld ? 'floor' : call.text('nearest_mode', 'round_prefer_floor');
  if (!ROUNDINGS.includes(rounding)) throw new FormatError(`nearest_mode ${rounding}`);
  if (call.int('antialias', 0) === 1) throw new FormatError('antialias is not supported');
  const policy = call.text('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') throw new FormatError(`keep_aspect_ratio_policy ${policy}`);
  const operator = resize(
    { H: target[2]!, W: target[3]! },
    mode as ResizeMode,
    coordinates as ResizeCoordinates,
    {
      nearest: rounding as NearestRounding,
      ...(sizes.length === 0 && {
        scales: { H: scales[place(2)] ?? 1, W: scales[place(3)] ?? 1 },
      }),
    },
  );
  if (operator.isIdentity?.([view.shape])) return view;
  return call.emitIn(operator, [view.node], NCHW);
}
