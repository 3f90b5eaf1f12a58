/** The rule for each operator of ONNX. */

import type { Rule } from '../call.js';
import { ACTIVATION_RULES } from './activations.js';
import { ARITHMETIC_RULES } from './arithmetic.js';
import { CONVOLUTION_RULES } from './convolution.js';
import { LAYOUT_RULES } from './layout.js';
import { QUANTIZATION_RULES } from './quantization.js';
import { REDUCTION_RULES } from './reduction.js';

export const RULES: Readonly<Record<string, Rule>> = {
  ...ACTIVATION_RULES,
  ...ARITHMETIC_RULES,
  ...CONVOLUTION_RULES,
  ...LAYOUT_RULES,
  ...QUANTIZATION_RULES,
  ...REDUCTION_RULES,
};
