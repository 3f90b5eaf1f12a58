/** Functions of one element. */

import { FormatError } from '../../../errors.js';
import type { ActivationName, UnaryName } from '../../../kernels/operators.js';
import type { Operator } from '../../graph/node.js';
import { activation } from '../../graph/operators/activation.js';
import { prelu } from '../../graph/operators/prelu.js';
import { relu } from '../../graph/operators/relu.js';
import { unary } from '../../graph/operators/unary.js';
import { type Call, type Rule, rules } from '../call.js';
import { UNARY_OPERATORS } from '../constants.js';
import { Tensor } from '../tensor.js';
import type { View } from '../view.js';
import { scaled, spreadOver } from './arithmetic.js';

/** Functions without parameters whose kernels have the same names, in lower case. */
const SIMPLE: readonly string[] = ['Sigmoid', 'HardSwish', 'Tanh', 'Softplus', 'Mish'];
export const ACTIVATION_RULES: Readonly<Record<string, Rule>> = {
  ...rules(SIMPLE, (op) => each(() => activation(op.toLowerCase() as ActivationName))),
  ...rules(UNARY_OPERATORS, (op) => each(() => unary(op.toLowerCase() as UnaryName))),
  Relu: each(() => relu()),
  LeakyRelu: each((call) => activation('leaky_relu', call.float('alpha', 0.01))),
  Elu: each((call) => activation('elu', call.float('alpha', 1))),
  Celu: each((call) => activation('celu', call.float('alpha', 1))),
  Selu: each(selu),
  ThresholdedRelu: each((call) => activation('thresholded_relu', call.float('alpha', 1))),
  HardSigmoid: each((call) =>
    activation('hardsigmoid', call.float('alpha', 0.2), call.float('beta', 0.5)),
  ),
  Gelu: each((call) =>
    activation(call.text('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu'),
  ),
  PRelu: prelued,
  Neg: (call) => scaled(call, call.view(0), -1),
};

function each(make: (call: Call) => Operator): Rule {
  return (call) => call.emit(make(call), call.view(0));
}

function selu(call: Call): Operator {
  const alpha = call.float('alpha', 1.6732631921768188);
  const gamma = call.float('gamma', 1.0507010221481323);
  if (Math.abs(alpha - 1.6732632) < 1e-5 && Math.abs(gamma - 1.050701) < 1e-5) {
    return activation('selu');
  }
  throw new FormatError(`alpha ${alpha}, gamma ${gamma}: only the usual ones are supported`);
}

/** PRelu with one slope for all channels, or one for each. */
function prelued(call: Call): View {
  const view = call.view(0);
  const slope = call.constant(1);
  if (slope.size === 1) return call.emit(activation('leaky_relu', slope.scalar), view);
  const spread = spreadOver(view, slope);
  const { C } = view.shape;
  if (!spread || spread.shape.H * spread.shape.W > 1 || spread.shape.C !== C) {
    throw new FormatError(`slopes of [${slope.shape}]: only one for each channel is supported`);
  }
  const vector = Tensor.of([C], spread.values, 'F32', slope);
  const name = call.writer.made(`${call.name}:slope`, vector);
  return call.emit(prelu(name, name, C), view);
}
