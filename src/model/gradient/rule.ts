/**
 * The rules by which operators are differentiated. A rule is found by the name of the forward step, the same name by
 * which a backend finds its kernel, and it reads the same numbers.
 *
 * A rule appends the nodes that compute ∂score/∂input from ∂score/∂value. What it appends is folded, fused, planned
 * and run like any other part of a graph.
 */

import {
  isConv2d,
  type OperatorKernel,
  type OperatorStep,
  type Step,
} from '../../kernels/operators.js';
import { extentsText, type Operator, type ValueRange, type ValueShape } from '../graph/node.js';

/** A node that is differentiated. */
export interface Differentiated {
  readonly operator: Operator;
  readonly inputs: readonly ValueShape[];
  readonly shape: ValueShape;
  /** ∂score/∂value. */
  readonly gradient: number;
  /** Whether gradients below 0 are cut off at each ReLU (guided backpropagation). */
  readonly guided: boolean;
  /** The node's value, or its input i, to be read by the backward pass. It is kept or computed again. */
  readonly value: () => number;
  readonly input: (i: number) => number;
  /** Appends a node and returns its value. */
  readonly append: (operator: Operator, inputs: readonly number[]) => number;
}

/** @returns ∂score/∂input i as a value; `undefined` if it is 0 everywhere */
export type Rule = (node: Differentiated, i: number) => number | undefined;

/** The operator's steps for N pictures. Their buffers mean nothing. */
export function stepsOf(
  { operator, inputs, shape }: Pick<Differentiated, 'operator' | 'inputs' | 'shape'>,
  N: number,
): readonly Step[] {
  const buffers = inputs.map((_, i) => i);
  return operator.steps({ N, inputs, shape, buffers, out: -1, sparse: false });
}

/** The only step of an operator that is not a convolution, or that of input i. */
export function stepOf(
  node: Pick<Differentiated, 'operator' | 'inputs' | 'shape'>,
  N: number,
  i = 0,
): OperatorStep {
  const steps = stepsOf(node, N);
  const step = steps[steps.length > 1 ? i : 0]!;
  if (isConv2d(step)) throw new TypeError('gradient: a convolution has a rule of its own');
  return step;
}

/** A step of the backward pass. */
export interface BackwardStep {
  /** The name by which a backend finds its own kernel. */
  readonly op: string;
  readonly numbers: readonly number[];
  readonly kernel: OperatorKernel;
  /** Key of packed vectors. */
  readonly weights?: string | undefined;
}

export interface BackwardOptions {
  /** Whether the value may be stored in the buffer of the first input. */
  readonly inPlace?: boolean;
  /** Whether many elements are 0, because they were where a ReLU had cut off. */
  readonly sparse?: boolean;
  /** Whether the value equals the first input, read with other extents. */
  readonly isIdentity?: boolean;
}

/**
 * An operator of the backward pass.
 *
 * @param step the step for N pictures; none for an identity
 */
export function backward(
  shape: ValueShape,
  step?: (N: number) => BackwardStep,
  { inPlace = false, sparse = false, isIdentity = false }: BackwardOptions = {},
): Operator {
  const range: ValueRange = { nonNegative: false, sparse };
  return {
    kind: 'backward',
    inPlace,
    shape: () => shape,
    range: () => range,
    isIdentity: () => isIdentity,
    steps({ N, buffers, out }) {
      if (!step) return [];
      const { weights, ...own } = step(N);
      return [
        {
          ...own,
          inputs: buffers,
          out,
          shape: extentsText(shape),
          ...(weights !== undefined && { weights }),
        },
      ];
    },
  };
}
