/** What operators make of arrays, on a backend; and formulas of them, element by element. */

import fc from 'fast-check';
import type { Kernels } from '../../../src/kernels/index.js';
import {
  type Graph,
  type Operator,
  shapesOf,
  type ValueShape,
} from '../../../src/model/graph/node.js';
import { plan } from '../../../src/model/graph/plan.js';
import { BACKENDS, runStep, seededFloats } from '../../kernels/backends.js';

/** The backends that treat an operator with only a portable kernel differently. */
export const PORTABLE_BACKENDS = BACKENDS.filter(({ name }) => name === 'js' || name === 'relaxed');

export type At = (value: number, n: number, y: number, x: number, c: number) => number;

export interface Vectors {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** Pictures of a batch. */
export const N = 2;
export const sizeOf = ({ H, W, C }: ValueShape): number => N * H * W * C;

const extent = fc.integer({ min: 1, max: 9 });
/** Around a vector, and around two. */
const channels = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13);
export const anyShape = fc.record({ H: extent, W: extent, C: channels });
export const seed = fc.integer({ min: 1, max: 1e6 });

/** Values in [−1, 1) for each shape. */
export function values(shapes: readonly ValueShape[], from: number): Float32Array[] {
  return shapes.map((shape, i) => seededFloats(sizeOf(shape), from + i));
}

/** A value by its indices, of arrays NHWC. */
export function reader(shapes: readonly ValueShape[], arrays: readonly Float32Array[]): At {
  return (value, n, y, x, c) => {
    const { H, W, C } = shapes[value]!;
    return arrays[value]![((n * H + y) * W + x) * C + c]!;
  };
}

/** out[n, y, x, c] = formula. */
export function byFormula(
  shape: ValueShape,
  formula: (n: number, y: number, x: number, c: number) => number,
): Float32Array {
  const out = new Float32Array(sizeOf(shape));
  let i = 0;
  for (let n = 0; n < N; n++) {
    for (let y = 0; y < shape.H; y++) {
      for (let x = 0; x < shape.W; x++) {
        for (let c = 0; c < shape.C; c++) out[i++] = formula(n, y, x, c);
      }
    }
  }
  return out;
}

/** What an operator's steps make of the arrays. Where it may, `out` is the first of them. */
export function compute(
  kernels: Kernels,
  operator: Operator,
  shapes: readonly ValueShape[],
  arrays: readonly Float32Array[],
  vectors?: Vectors,
): { shape: ValueShape; out: Float32Array } {
  const shape = operator.shape(shapes);
  const buffers = arrays.map((_, i) => i);
  const isInPlace = operator.inPlace === true && sizeOf(shape) === arrays[0]!.length;
  // Old contents of the memory must have no effect.
  const fresh = new Float32Array(sizeOf(shape)).fill(Number.NaN);
  const held = [...arrays.map((array) => array.slice()), fresh];
  const out = isInPlace ? 0 : arrays.length;
  const context = { N, inputs: shapes, shape, buffers, out, sparse: false };
  for (const step of operator.steps(context)) runStep(kernels, step, held, undefined, vectors);
  return { shape, out: held[out]! };
}

/**
 * The output of a graph without convolutions for N pictures of H×W.
 *
 * @param x [N, H, W, C]
 * @param vectors of its layers
 */
export function computeGraph(
  kernels: Kernels,
  graph: Graph,
  [pictures, H, W]: readonly [number, number, number],
  x: Float32Array,
  vectors: Readonly<Record<string, Vectors>> = {},
): Float32Array {
  const { C } = shapesOf(graph, H, W)[graph.output]!;
  const made = plan({ graph: { ...graph, classes: C }, ends: [] }, [pictures, H, W]);
  const packed = new Map(
    Object.entries(vectors).map(([key, { scale, shift }]) => [
      key,
      kernels.packVectors(scale, shift),
    ]),
  );
  const program = kernels.bind(made.steps, made.buffers, packed);
  program.buffer(made.input).set(x);
  program.run();
  return program.buffer(made.logits!).slice();
}
