/** Generators of columns for the tests of the statistics, and a function that computes one value. */

import fc from 'fast-check';
import type { ColumnValues } from '../../../src/kernels/statistics/columns.js';

type Compute = (out: ColumnValues, x: ColumnValues, C: number, eps?: number) => void;

/** The statistic of one column, in double precision. */
export function statisticOf(compute: Compute, column: ArrayLike<number>, eps?: number): number {
  const out = new Float64Array(1);
  compute(out, Float64Array.from(column), column.length, eps);
  return out[0]!;
}

export function meanOf(column: readonly number[]): number {
  return column.reduce((sum, v) => sum + v, 0) / column.length;
}

/** Activations after a ReLU: many magnitudes, exact zeros among them. */
export const activation: fc.Arbitrary<number> = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0, max: 4, noNaN: true }),
  fc.integer({ min: -18, max: 4 }).map((e) => 10 ** e),
);

export const column: fc.Arbitrary<number[]> = fc.array(activation, { minLength: 1, maxLength: 80 });

/** Activations before a ReLU. */
export const signedColumn: fc.Arbitrary<number[]> = fc.array(
  fc.tuple(activation, fc.boolean()).map(([v, negative]) => (negative ? -v : v)),
  { minLength: 1, maxLength: 80 },
);

/** Activations of 0.1…10, where eps hardly counts. */
export const positiveColumn: fc.Arbitrary<number[]> = fc.array(
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  { minLength: 2, maxLength: 40 },
);

/** mean·(1 ± spread) in turn. */
const nearConstant = fc
  .tuple(
    fc.double({ min: 0.01, max: 100, noNaN: true }),
    fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
    fc.integer({ min: 2, max: 40 }),
  )
  .map(([mean, spread, C]) =>
    Array.from({ length: C }, (_, i) => mean * (1 + (i % 2 ? spread : -spread))),
  );

/** One activation, of 0.001…100, among zeros. */
const spike = fc
  .tuple(fc.double({ min: -3, max: 2, noNaN: true }), fc.integer({ min: 2, max: 60 }))
  .map(([exponent, C]) => [10 ** exponent, ...new Array<number>(C - 1).fill(0)]);

/** Sparse and near-constant columns, where orders flip, among all others. */
export const awkwardColumn: fc.Arbitrary<number[]> = fc.oneof(column, nearConstant, spike);
