/**
 * Networks of whole numbers. Weights are taken as what they stand for; values are not rounded, but stay within the
 * range that they would be stored in, because exporters leave a ReLU to that range.
 */

import { FormatError } from '../../../errors.js';
import { activation } from '../../graph/operators/activation.js';
import type { Call, Rule } from '../call.js';
import { dequantized, RANGES, scaledBack } from '../constants.js';
import { Tensor } from '../tensor.js';
import type { View } from '../view.js';
import { combine } from './arithmetic.js';
import { convolution, matMul } from './convolution.js';

export const QUANTIZATION_RULES: Readonly<Record<string, Rule>> = {
  QuantizeLinear(call) {
    return withinRange(call, call.view(0), call.constant(1), call.optionalConstant(2));
  },
  DequantizeLinear(call) {
    const x = call.input(0);
    return x instanceof Tensor ? dequantized(call, x) : x;
  },
  // The value itself, with a scale of 1: what it is divided by would be multiplied again.
  DynamicQuantizeLinear: (call) => [
    call.input(0),
    Tensor.of([], [1], 'F32'),
    Tensor.of([], [0], 'U8'),
  ],
  ConvInteger(call) {
    const weight = call.constant(1);
    const one = Tensor.of([], [1], 'F32');
    const zero = call.optionalConstant(3);
    return convolution(call, call.view(0), scaledBack(weight, one, zero, 0), undefined);
  },
  MatMulInteger(call) {
    const one = Tensor.of([], [1], 'F32');
    const weight = scaledBack(call.constant(1), one, call.optionalConstant(3), 1);
    return matMul(call, call.input(0), weight);
  },
  QLinearConv(call) {
    const scale = call.constant(4);
    const weight = scaledBack(call.constant(3), scale, call.constant(5), 0);
    const bias = call.optionalConstant(8);
    const inputScale = call.constant(1).scalar;
    const scales = Tensor.of(
      scale.shape,
      scale.values.map((value) => value * inputScale),
      'F32',
    );
    const own = bias && scaledBack(bias, scales, undefined, 0);
    const out = convolution(call, call.view(0), weight, own);
    return withinRange(call, out, call.constant(6), call.constant(7));
  },
  QLinearAdd(call) {
    const sum = combine(call, 'add', call.view(0), call.view(3)) as View;
    return withinRange(call, sum, call.constant(6), call.optionalConstant(7));
  },
};

function withinRange(call: Call, view: View, scale: Tensor, zero: Tensor | undefined): View {
  const range = RANGES[zero?.dtype ?? 'U8'];
  if (!range) throw new FormatError(`values of ${zero?.dtype} are not supported`);
  const [step, origin] = [scale.scalar, zero?.scalar ?? 0];
  const [lo, hi] = range.map((value) => (value - origin) * step) as [number, number];
  // No scale ends in it: it is not the network's.
  return call.emit({ ...activation('clip', lo, hi), isActivation: false }, view);
}
