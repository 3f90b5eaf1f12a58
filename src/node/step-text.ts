/** Describes a step of a plan, for people. */

import { conv2dMacs, isConv2d, type Step } from '../kernels/index.js';

export interface StepText {
  /** For a convolution the weights' own name; else the name of the operator or the statistic. */
  readonly name: string;
  /** Kernel and stride, input and output. */
  readonly shape: string;
  readonly macs: number;
}

export function describeStep(step: Step): StepText {
  if (!isConv2d(step)) return { name: step.op, shape: step.shape, macs: 0 };
  const { H, W, Cin, kH, kW, strideY, Hout, Wout, Cout, groups } = step.shape;
  const by = strideY > 1 ? `/${strideY}` : '';
  const grouped = groups > 1 ? ` in ${groups} groups` : '';
  return {
    name: step.weights,
    shape: `${kH}×${kW}${by}${grouped}, ${H}×${W}×${Cin} → ${Hout}×${Wout}×${Cout}`,
    macs: conv2dMacs(step.shape),
  };
}
