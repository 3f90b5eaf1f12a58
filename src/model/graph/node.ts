/**
 * A network as data: nodes in topological order, node i makes value i. An operator says what becomes of
 * extents, of signs and of zeros, and which step computes it; it knows no other operator.
 */

import { ShapeError } from '../../errors.js';
import type { ActivationFunction, OperatorStep, Step } from '../../kernels/operators.js';

/** Extents of a value of one picture, NHWC. A vector is 1×1. */
export interface ValueShape {
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

/** What interval arithmetic knows of a value. */
export interface ValueRange {
  /** No element is below 0. */
  readonly nonNegative: boolean;
  /** It lies behind a ReLU, with nothing between that would fill in its zeros. */
  readonly sparse: boolean;
}

/** What is to be computed, and where. */
export interface StepContext {
  readonly N: number;
  /** Of the inputs, and of the value itself. */
  readonly inputs: readonly ValueShape[];
  readonly shape: ValueShape;
  /** Indices of their buffers. */
  readonly buffers: readonly number[];
  readonly out: number;
  /** Whether the first input lies behind a ReLU. */
  readonly sparse: boolean;
}

export interface Operator {
  readonly kind: string;
  /** Checks the inputs' extents, and tells the value's. @throws {ShapeError} */
  shape(inputs: readonly ValueShape[]): ValueShape;
  /** Default: nothing is known. */
  range?(inputs: readonly ValueRange[]): ValueRange;
  /** Whether it is an activation function: a scale may end in it, negative or not. */
  readonly isActivation?: boolean;
  /** What becomes of the picture's pixels: one output pixel stands for `stride` of them. Default 1. */
  readonly stride?: number;
  /** Whether the value may lie in the first input's buffer. */
  readonly inPlace?: boolean;
  /** Whether the value is its first input, for these extents. */
  isIdentity?(inputs: readonly ValueShape[]): boolean;
  /** The function of each element that it is, if it is one that others can take in. */
  readonly activation?: ActivationFunction;
  /** The same with this function behind it, where one step can compute both. */
  withActivation?(activation: ActivationFunction): Operator | undefined;
  /** None for a graph's input. */
  steps(context: StepContext): readonly Step[];
}

export interface Node {
  /** Of the value: what a tap can be asked for by. */
  readonly name: string;
  readonly operator: Operator;
  /** Values, all made before. */
  readonly inputs: readonly number[];
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** The value that the network gives: logits; the last activation where there is no classifier. */
  readonly output: number;
  /** 0 where there is no classifier. */
  readonly classes: number;
}

/**
 * The step of an operator that takes its inputs as they are.
 *
 * @param op what a backend knows its own kernel by; it takes the `numbers`
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

/** For each value the nodes that read it. */
export function usersOf({ nodes }: Pick<Graph, 'nodes'>): number[][] {
  const users: number[][] = nodes.map(() => []);
  for (const [i, { inputs }] of nodes.entries()) for (const value of inputs) users[value]!.push(i);
  return users;
}

/** What is known of every value. */
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
 * @throws {ShapeError} in the name of the node that does not take what it is given
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

/** How many of the picture's pixels, along a side, each value's pixel stands for. */
export function stridesOf({ nodes }: Pick<Graph, 'nodes'>): number[] {
  const strides: number[] = [];
  for (const { operator, inputs } of nodes) {
    const before = Math.max(1, ...inputs.map((value) => strides[value]!));
    strides.push(before * (operator.stride ?? 1));
  }
  return strides;
}

/** The value of a name. @throws {ShapeError} listing names that are near */
export function valueNamed({ nodes }: Pick<Graph, 'nodes'>, name: string): number {
  const found = nodes.findIndex((node) => node.name === name);
  if (found >= 0) return found;
  const all = nodes.map((node) => node.name);
  const near = all.filter((other) => other.includes(name) || name.includes(other));
  const some = (near.length > 0 ? near : all).slice(0, 8).join(', ');
  throw new ShapeError(`taps: no value is called ${name}; there are ${some}, …`);
}
