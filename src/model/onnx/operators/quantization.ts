/**
 * Quantized networks. Weights are dequantized. Values are not rounded, but they are clipped to the range in which
 * they would be stored, because exporters replace a ReLU by that range.
 */

import { FormatError } from '../../../errors.js';
import { roundToEven } from '../../../kernels/precision.js';
import { activation } from '../../graph/operators/activation.js';
import type { Call, Rule } from '../call.js';
import { axisOf } from '../shapes.js';
import { type Elements, stridesOf, Tensor } from '../tensor.js';
import type { View } from '../view.js';
import { convolution, matMul } from './convolution.js';

const ONE = Tensor.of([], [1], 'F32');

export const QUANTIZATION_RULES: Readonly<Record<string, Rule>> = {
  QuantizeLinear(call) {
    const [x, scale, zero] = [call.input(0), call.constant(1), call.optionalConstant(2)];
    if (!(x instanceof Tensor)) return withinRange(call, x, scale, zero);
    return quantized(x, scale, zero, axisOfScales(call, x, scale));
  },
  DequantizeLinear(call) {
    const x = call.input(0);
    if (!(x instanceof Tensor)) return x;
    const scale = call.constant(1);
    return dequantized(x, scale, call.optionalConstant(2), axisOfScales(call, x, scale));
  },
  // The value itself, with a scale of 1: it would be divided by its scale and multiplied by it again.
  DynamicQuantizeLinear: (call) => [call.input(0), ONE, Tensor.of([], [0], 'U8')],
  ConvInteger(call) {
    const weight = dequantized(call.constant(1), ONE, call.optionalConstant(3), 0);
    return convolution(call, call.view(0), weight, undefined);
  },
  MatMulInteger(call) {
    const weight = dequantized(call.constant(1), ONE, call.optionalConstant(3), 1);
    return matMul(call, call.input(0), weight);
  },
  QLinearConv(call) {
    const scale = call.constant(4);
    const weight = dequantized(call.constant(3), scale, call.constant(5), 0);
    const inputScale = call.constant(1).scalar;
    const scales = scale.values.map((value) => value * inputScale);
    const bias = call.optionalConstant(8);
    const own = bias && dequantized(bias, Tensor.of(scale.shape, scales, 'F32'), undefined, 0);
    const out = convolution(call, call.view(0), weight, own);
    return withinRange(call, out, call.constant(6), call.constant(7));
  },
};

/** The whole numbers of a dtype. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  U8: [0, 255],
  I8: [-128, 127],
  U16: [0, 65535],
  I16: [-32768, 32767],
};

/** @throws {FormatError} for a dtype that is not used for values */
function rangeOf(zero: Tensor | undefined): readonly [number, number] {
  const range = RANGES[zero?.dtype ?? 'U8'];
  if (range) return range;
  throw new FormatError(`values of ${zero?.dtype} are not supported`);
}

function withinRange(call: Call, view: View, scale: Tensor, zero: Tensor | undefined): View {
  const [step, origin] = [scale.scalar, zero?.scalar ?? 0];
  const [lo, hi] = rangeOf(zero).map((value) => (value - origin) * step) as [number, number];
  // No scale ends at it: it is not an activation function of the network.
  return call.emit({ ...activation('clip', lo, hi), isActivation: false }, view);
}

/** The dimension along which each element has its own scale. */
function axisOfScales(call: Call, x: Tensor, scale: Tensor): number {
  return scale.size === 1 ? 0 : axisOf(call.int('axis', 1), x.shape.length);
}

/** x/scale + zero point, rounded, within the range. */
function quantized(x: Tensor, scale: Tensor, zero: Tensor | undefined, axis: number): Tensor {
  const [least, most] = rangeOf(zero);
  const parametersOf = scales(x, scale, zero, axis);
  const values = x.values.map((value, i) => {
    const [step, origin] = parametersOf(i);
    return Math.min(Math.max(roundToEven(value / step) + origin, least), most);
  });
  return Tensor.of(x.shape, values, zero?.dtype ?? 'U8', x);
}

/** (x − zero point)·scale */
function dequantized(x: Tensor, scale: Tensor, zero: Tensor | undefined, axis: number): Tensor {
  const parametersOf = scales(x, scale, zero, axis);
  const read = (out: Elements, begin: number): void => {
    x.read(out, begin);
    for (let i = 0; i < out.length; i++) {
      const [step, origin] = parametersOf(begin + i);
      out[i] = (out[i]! - origin) * step;
    }
  };
  const options = { isSizeBound: x.isSizeBound, isDequantized: true };
  return new Tensor(x.shape, 'F32', read, options, x.steps + 1);
}

/** Scale and zero point of an element: one pair for all elements, or one for each index along an axis. */
function scales(
  x: Tensor,
  scale: Tensor,
  zero: Tensor | undefined,
  axis: number,
): (i: number) => readonly [scale: number, zero: number] {
  const count = scale.size;
  if (count > 1 && count !== x.shape[axis]) {
    throw new FormatError(`${count} scales for [${x.shape}], axis ${axis}`);
  }
  if (zero && zero.size !== 1 && zero.size !== count) {
    throw new FormatError(`${zero.size} zero points for ${count} scales`);
  }
  const inner = count > 1 ? stridesOf(x.shape)[axis]! : x.size;
  const zeros = zero?.values ?? [0];
  const pairs = Array.from(scale.values, (own, c) => [own, zeros[c] ?? zeros[0]!] as const);
  return (i) => pairs[Math.floor(i / inner) % count]!;
}
