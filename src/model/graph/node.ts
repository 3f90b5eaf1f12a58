/**
 * A network as data: nodes in topological order; node i makes value i. An operator computes the extents of its
 * value, says what is known of its signs and zeros, and makes the steps. It knows no other operator.
 */

import { ShapeError } from '../../errors.js';
import type { ActivationFunction, OperatorStep, Step } from '../../kernels/operators.js';

/** Extents of a value for one picture, NHWC. A vector has H = W = 1. */
export interface ValueShape {
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

/** What is known of a value's elements before they are computed. */
export interface ValueRange {
  /** No element is below 0. */
  readonly nonNegative: boolean;
  /** About half of them are 0: they come from a ReLU, and no node between replaces the zeros by other values. */
  readonly sparse: boolean;
}

/** What an operator needs to make its steps. */
export interface StepContext {
  readonly N: number;
  /** Shapes of the inputs, and of the value itself. */
  readonly inputs: readonly ValueShape[];
  readonly shape: ValueShape;
  /** Indices of their buffers. */
  readonly buffers: readonly number[];
  readonly out: number;
  /** Whether the first input comes from a ReLU (`ValueRange.sparse`). */
  readonly sparse: boolean;
}

export interface Operator {
  readonly kind: string;
  /** Checks the inputs' extents and returns the value's. @throws {ShapeError} */
  shape(inputs: readonly ValueShape[]): ValueShape;
  /** Default: nothing is known. */
  range?(inputs: readonly ValueRange[]): ValueRange;
  /** Whether it is an activation function. Then a scale may end at it, even with negative values. */
  readonly isActivation?: boolean;
  /** One output pixel stands for `stride` input pixels along a side. Default 1. */
  readonly stride?: number;
  /** Whether the value may be stored in the first input's buffer. */
  readonly inPlace?: boolean;
  /** Whether the value equals its first input, for these extents. */
  isIdentity?(inputs: readonly ValueShape[]): boolean;
  /** Set if it is an activation function that other operators can take into their step. */
  readonly activation?: ActivationFunction;
  /** The same operator followed by this function, if one step can compute both. */
  withActivation?(activation: ActivationFunction): Operator | undefined;
  /** The steps; none for a graph's input. */
  steps(context: StepContext): readonly Step[];
}

export interface Node {
  /** Name of the value; a caller can ask for a tap by it. */
  readonly name: string;
  readonly operator: Operator;
  /** Indices of values, all from earlier nodes. */
  readonly inputs: readonly number[];
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** The output of the network: the logits, or the last activation if there is no classifier. */
  readonly output: number;
  /** 0 if there is no classifier. */
  readonly classes: number;
}

/**
 * The step of an operator that is one call of a kernel.
 *
 * @param op the name of a backend's own kernel, which takes the `numbers`
 */
export function stepOf(
  op: string,
  { inputs, shape, buffers, out }: Pick<StepContext, 'inputs' | 'shape' | 'buffers' | 'out'>,
  numbers: readonly number[],
  kernel: OperatorStep['kernel'],
): OperatorStep {
  const [from, to] = [extentsText(inputs[0]!), extentsText(shape)];
  const text = from === to ? from : `${from} → ${to}`;
  return { op, inputs: buffers, out, numbers, kernel, shape: text };
}

export function extentsText({ H, W, C }: ValueShape): string {
  return `${H}×${W}×${C}`;
}

/** For each value, the nodes that read it. */
export function usersOf({ nodes }: Pick<Graph, 'nodes'>): number[][] {
  const users: number[][] = nodes.map(() => []);
  for (const [i, { inputs }] of nodes.entries()) for (const value of inputs) users[value]!.push(i);
  return users;
}

/** The range of every value. */
export function rangesOf({ nodes }: Pick<Graph, 'nodes'>): ValueRange[] {
  const ranges: ValueRange[] = [];
  for (const { operator, inputs } of nodes) {
    const known = operator.range?.(inputs.map((value) => ranges[value]!));
    ranges.push(known ?? { nonNegative: false, sparse: false });
  }
  return ranges;
}

/**
 * The extents of every value, for an input of H×W.
 *
 * @throws {ShapeError} with the name of the node that does not accept its inputs
 */
export function shapesOf({ nodes }: Pick<Graph, 'nodes'>, H: number, W: number): ValueShape[] {
  const shapes: ValueShape[] = [];
  for (const { name, operator, inputs } of nodes) {
    const given = inputs.length > 0 ? inputs.map((value) => shapes[value]!) : [{ H, W, C: 0 }];
    try {
      shapes.push(operator.shape(given));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new ShapeError(`an input of ${H}×${W} does not fit ${name}: ${error.message}`);
    }
  }
  return shapes;
}

/** For each value, the number of the picture's pixels along a side that one of its pixels stands for. */
export function stridesOf({ nodes }: Pick<Graph, 'nodes'>): number[] {
  const strides: number[] = [];
  for (const { operator, inputs } of nodes) {
    const before = Math.max(1, ...inputs.map((value) => strides[value]!));
    strides.push(before * (operator.stride ?? 1));
  }
  return strides;
}

/** The value of a name. @throws {ShapeError} with a list of similar names */
export function valueNamed({ nodes }: Pick<Graph, 'nodes'>, name: string): number {
  const found = nodes.findIndex((node) => node.name === name);
  if (found >= 0) return found;
  const all = nodes.map((node) => node.name);
  const near = all.filter((other) => other.includes(name) || name.includes(other));
  const some = (near.length > 0 ? near : all).slice(0, 8).join(', ');
  throw new ShapeError(`taps: no value is called ${name}; there are ${some}, …`);
}
