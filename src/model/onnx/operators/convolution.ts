/** Convolutions, fully connected layers, batch norms and pools. */

import { FormatError } from '../../../errors.js';
import { adaptiveMean } from '../../graph/operators/adaptive-mean.js';
import { affine } from '../../graph/operators/affine.js';
import { plainConv } from '../../graph/operators/conv.js';
import { globalMax } from '../../graph/operators/global-max.js';
import { maxPool, meanPool } from '../../graph/operators/pool.js';
import type { Call, Rule } from '../call.js';
import { Tensor } from '../tensor.js';
import { dimsOf, type Layout, NCHW, type View, viewOf } from '../view.js';
import type { Pads, Value } from '../writer.js';
import { combine, scaled } from './arithmetic.js';

export const CONVOLUTION_RULES: Readonly<Record<string, Rule>> = {
  Conv: (call) => convolution(call, call.view(0), call.constant(1), call.optionalConstant(2)),
  Gemm: gemm,
  MatMul: (call) => matMul(call, call.input(0), call.input(1)),
  BatchNormalization: batchNormalization,
  MaxPool(call) {
    const view = pooled(call);
    return call.emitIn(maxPool(windowOf(call, view)), [view.node], NCHW);
  },
  AveragePool(call) {
    const view = pooled(call);
    const attributes = windowOf(call, view);
    const { kernel, pads } = attributes;
    const isWhole = kernel[0] === view.shape.H && kernel[1] === view.shape.W;
    if (isWhole && pads.every((pad) => pad === 0)) return globalMean(call, view);
    const includePad = call.int('count_include_pad', 0) === 1;
    return call.emitIn(meanPool(attributes, includePad), [view.node], NCHW);
  },
  GlobalAveragePool: (call) => globalMean(call, call.viewIn(0, NCHW)),
  GlobalMaxPool: (call) => call.emitIn(globalMax(), [call.viewIn(0, NCHW).node], NCHW),
};

export function globalMean(call: Call, view: View): View {
  return call.emitIn(adaptiveMean(1, 1), [view.node], NCHW);
}

function pooled(call: Call): View {
  if ((call.ints('dilations') ?? []).some((d) => d !== 1)) {
    throw new FormatError('dilations are not supported');
  }
  return call.viewIn(0, NCHW);
}

/** Extents in rows and in columns. */
type Pair = readonly [number, number];

function pairOf(call: Call, name: string): Pair {
  const own = call.ints(name);
  if (!own || own.length === 0) return [1, 1];
  // A single dimension is that of columns.
  const both = own.length === 1 ? [1, own[0]!] : own;
  if (both.length === 2 && both.every((n) => Number.isInteger(n) && n > 0)) {
    return [both[0]!, both[1]!];
  }
  throw new FormatError(`${name} [${own}]: only two whole numbers > 0 are supported`);
}

function windowOf(call: Call, { shape }: View) {
  const kernel = pairOf(call, 'kernel_shape');
  const stride = pairOf(call, 'strides');
  const pads = padsOf(call, [shape.H, shape.W], kernel, stride, [1, 1]);
  return { kernel, stride, pads, ceil: call.int('ceil_mode', 0) === 1 };
}

/** The padding. With `auto_pad` it follows from the extents: the output has as many pixels as input / stride. */
export function padsOf(
  call: Call,
  extents: Pair,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): Pads {
  const auto = call.text('auto_pad', 'NOTSET');
  if (auto === 'VALID') return [0, 0, 0, 0];
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const [y, x] = extents.map((extent, d) => {
      const window = (kernel[d]! - 1) * dilation[d]! + 1;
      const total = Math.max(
        0,
        (Math.ceil(extent / stride[d]!) - 1) * stride[d]! + window - extent,
      );
      const less = Math.floor(total / 2);
      return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
    }) as [number[], number[]];
    return [y[0]!, x[0]!, y[1]!, x[1]!];
  }
  if (auto !== 'NOTSET' && auto !== '') throw new FormatError(`auto_pad ${auto}`);
  const own = call.ints('pads');
  if (!own || own.length === 0) return [0, 0, 0, 0];
  const pads = own.length === 2 ? [0, own[0]!, 0, own[1]!] : own;
  if (pads.length === 4 && pads.every((pad) => Number.isInteger(pad) && pad >= 0)) {
    return [pads[0]!, pads[1]!, pads[2]!, pads[3]!];
  }
  throw new FormatError(`pads [${pads}]: only four whole numbers ≥ 0 are supported`);
}

/** A sequence of vectors, [N, C, L]: one row of pixels. */
const NCL: Layout = [null, 'C', 'W'];

/** @param x in any layout; a border of zeros from the node before becomes padding */
export function convolution(call: Call, x: View, weight: Tensor, bias: Tensor | undefined): View {
  const { writer, name, node } = call;
  const rank = weight.shape.length;
  if (rank !== 3 && rank !== 4) {
    throw new FormatError(
      `a weight of [${weight.shape}]: only of rows and columns it is supported`,
    );
  }
  const layout = rank === 3 ? NCL : NCHW;
  let view = writer.realised(x, layout, node.inputs[0]!);
  const [Cout, perGroup] = weight.shape as [number, number];
  const [kH, kW] = rank === 3 ? [1, weight.shape[2]!] : [weight.shape[2]!, weight.shape[3]!];
  const shape = [Cout, perGroup, kH, kW];
  const groups = call.int('group', 1);
  const { C } = view.shape;
  if (!(groups >= 1 && perGroup * groups === C && Cout % groups === 0 && Cout * kH * kW > 0)) {
    throw new FormatError(`a weight of [${weight.shape}] in ${groups} groups over ${C} channels`);
  }
  const stride = pairOf(call, 'strides');
  const dilation = pairOf(call, 'dilations');
  let pads = padsOf(call, [view.shape.H, view.shape.W], [kH, kW], stride, dilation);
  const border = writer.zeroBorders.get(view.node);
  if (border) {
    pads = pads.map((pad, i) => pad + border[i]!) as unknown as Pads;
    const [inner] = writer.nodes[view.node]!.inputs;
    view = viewOf(inner!, writer.shapes[inner!]!, layout);
  }
  const operator = plainConv({
    layer: name,
    weight: { name: writer.tensor(nameOf(call, 1, weight), weight.reshaped(shape)), shape },
    bias: bias && writer.tensor(nameOf(call, 2, bias), vectorOf(bias, Cout)),
    extents: { Cin: C, Cout, kH, kW, groups },
    strideY: stride[0],
    strideX: stride[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    pads,
  });
  return call.emitIn(operator, [view.node], layout);
}

/** The name of a weight: the file's name, if the tensor is in the file. */
function nameOf(call: Call, i: number, tensor: Tensor): string {
  const own = call.inputs[i];
  return own === tensor ? call.node.inputs[i]! : `${call.name}:${i === 1 ? 'weight' : 'bias'}`;
}

function vectorOf(tensor: Tensor, C: number): Tensor {
  if (tensor.size === C) return tensor.shape.length === 1 ? tensor : tensor.reshaped([C]);
  throw new FormatError(`expected ${C} values, one for each channel, got [${tensor.shape}]`);
}

/** A fully connected layer over the last dimension. @param weight [Cout, Cin] */
function linear(call: Call, x: Value, weight: Tensor): View {
  const { writer, name } = call;
  if (x instanceof Tensor) throw new FormatError('a product of two constants is not supported');
  const [Cout, Cin] = weight.shape as [number, number];
  const sizes = dimsOf(x);
  const key = writer.tensor(nameOf(call, 1, weight), weight);
  const operator = plainConv({
    layer: name,
    weight: { name: key, shape: weight.shape },
    extents: { Cin, Cout, kH: 1, kW: 1, groups: 1 },
  });
  // Several vectors are treated as pixels.
  const isVector = sizes.slice(0, -1).every((size) => size === 1);
  const view = isVector
    ? writer.vector(x, `${name}:flat`)
    : writer.realised(x, lastAsChannels(sizes), call.node.inputs[0]!);
  if (view.shape.C !== Cin) {
    throw new FormatError(`a weight of [${Cout}, ${Cin}] over ${view.shape.C} values`);
  }
  const node = writer.node(name, operator, [view.node]);
  const shape = writer.shapes[node]!;
  const layout = isVector
    ? sizes.map((_, d) => (d === sizes.length - 1 ? ('C' as const) : null))
    : lastAsChannels(sizes);
  return viewOf(node, shape, layout);
}

function lastAsChannels(sizes: readonly number[]) {
  const many = sizes.flatMap((size, d) => (size > 1 && d < sizes.length - 1 ? d : []));
  if (many.length > 2) throw new FormatError(`a matrix product over [${sizes}] is not supported`);
  return sizes.map((_, d) => {
    if (d === sizes.length - 1) return 'C' as const;
    const place = many.indexOf(d);
    return place < 0 ? null : (['H', 'W'] as const)[place]!;
  });
}

function gemm(call: Call): View {
  if (call.int('transA', 0) === 1) throw new FormatError('transA is not supported');
  const b = call.constant(1);
  if (b.shape.length !== 2) throw new FormatError(`a weight of [${b.shape}]`);
  const weight = call.int('transB', 0) === 1 ? b : b.permuted([1, 0]);
  const product = linear(call, call.input(0), scaledTensor(weight, call.float('alpha', 1)));
  const c = call.inputs[2];
  if (!c) return product;
  const beta = call.float('beta', 1);
  const summand = c instanceof Tensor ? scaledTensor(c, beta) : scaled(call, c, beta);
  return combine(call, 'add', product, summand) as View;
}

function scaledTensor(tensor: Tensor, by: number): Tensor {
  if (by === 1) return tensor;
  return new Tensor(
    tensor.shape,
    'F32',
    (out, begin) => {
      tensor.read(out, begin);
      for (let i = 0; i < out.length; i++) out[i]! *= by;
    },
    tensor,
    tensor.steps + 1,
  );
}

export function matMul(call: Call, a: Value, b: Value): View {
  if (!(b instanceof Tensor)) {
    throw new FormatError(
      'a product of two computed matrices, as attention has it, is not supported',
    );
  }
  const rest = b.shape.slice(0, -2);
  if (b.shape.length < 2 || rest.some((size) => size !== 1)) {
    throw new FormatError(`a weight of [${b.shape}] is not supported`);
  }
  const [Cin, Cout] = b.shape.slice(-2) as [number, number];
  return linear(call, a, b.reshaped([Cin, Cout]).permuted([1, 0]));
}

function batchNormalization(call: Call): View {
  const view = call.view(0);
  const C = dimsOf(view)[1] ?? 1;
  const { writer } = call;
  if (call.int('spatial', 1) === 0 && view.shape.H * view.shape.W > 1) {
    throw new FormatError('spatial = 0, a norm of each pixel, is not supported');
  }
  if (call.int('training_mode', 0) === 1) {
    writer.warnings.add('batch norms in training form: stored mean and variance are taken');
  }
  const layout = view.dims.map((_, d) => (d === 1 ? ('C' as const) : null));
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) =>
    writer.tensor(call.node.inputs[i]!, vectorOf(call.constant(i), C)),
  ) as [string, string, string, string];
  const norm = { gamma, beta, mean, variance, eps: call.float('epsilon', 1e-5) };
  const isVector = view.shape.H * view.shape.W === 1;
  const x = isVector ? writer.realised(view, layout, call.node.inputs[0]!) : call.viewIn(0, NCHW);
  return call.emit(affine(call.name, C, [norm]), x);
}
