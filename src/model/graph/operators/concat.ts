/** Concatenation of channels: [H, W, C₀], [H, W, C₁], … → [H, W, C₀ + C₁ + …]. */

import { ShapeError } from '../../../errors.js';
import { concat as concatKernel, type OperatorStep } from '../../../kernels/operators.js';
import { type Operator, type StepContext, stepOf, type ValueShape } from '../node.js';

export function concat(): Operator {
  return {
    kind: 'concat',
    shape: (inputs) => concatShape('concat', inputs),
    range: (inputs) => ({
      nonNegative: inputs.every((range) => range.nonNegative),
      sparse: inputs.every((range) => range.sparse),
    }),
    steps: (context) =>
      stepsOfParts(context, (part, numbers) =>
        stepOf('concat', part, numbers, (y, [x]) => concatKernel(y, x!, numbers)),
      ),
  };
}

/** @param channels the expected number of channels, if it is known */
export function concatShape(
  operation: string,
  inputs: readonly ValueShape[],
  channels?: number,
): ValueShape {
  const { H, W } = inputs[0]!;
  const other = inputs.find((shape) => shape.H !== H || shape.W !== W);
  if (other) {
    throw new ShapeError(`${operation}: inputs expected ${H}×${W}, got ${other.H}×${other.W}`);
  }
  const C = inputs.reduce((sum, shape) => sum + shape.C, 0);
  if (C !== (channels ?? C)) {
    throw new ShapeError(`${operation}: x expected ${channels} channels, got ${C}`);
  }
  return { H, W, C };
}

/** One step for each input, with the channel that it begins at. */
export function stepsOfParts(
  context: StepContext,
  step: (
    part: StepContext,
    numbers: readonly [pixels: number, C: number, width: number, begin: number],
  ) => OperatorStep,
): OperatorStep[] {
  let end = 0;
  return context.inputs.map((input, i) => {
    const { H, W, C } = input;
    end += C;
    const part = { ...context, inputs: [input], buffers: [context.buffers[i]!] };
    return step(part, [context.N * H * W, C, context.shape.C, end - C]);
  });
}
