/** Reductions and functions of one element, on every backend, by formulas of their own. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reduction, UnaryName } from '../../../../src/kernels/index.js';
import { reduce } from '../../../../src/model/graph/operators/reduce.js';
import { power, unary } from '../../../../src/model/graph/operators/unary.js';
import {
  anyShape,
  byFormula,
  compute,
  PORTABLE_BACKENDS,
  reader,
  seed,
  sizeOf,
  values,
} from '../compute.js';

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
const REDUCTIONS: Readonly<Record<Reduction, (all: readonly number[]) => number>> = {
  sum,
  mean: (all) => sum(all) / all.length,
  max: (all) => Math.max(...all),
  min: (all) => Math.min(...all),
};
const AXES = ['H', 'W', 'C'] as const;
const axesOf = fc.subarray([...AXES], { minLength: 1 });

const FUNCTIONS: Readonly<Record<UnaryName, (x: number) => number>> = {
  abs: (x) => (x < 0 ? -x : x),
  exp: (x) => Math.E ** x,
  log: (x) => Math.log2(x) * Math.LN2,
  sqrt: (x) => x ** 0.5,
  reciprocal: (x) => x ** -1,
  // Abramowitz and Stegun 7.1.5: the Taylor series, for |x| < 2.
  erf(x) {
    let term = x;
    let series = x;
    for (let k = 1; k < 60; k++) {
      term *= (-x * x) / k;
      series += term / (2 * k + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * series;
  },
  square: (x) => x ** 2,
  softsign: (x) => x / (1 + (x < 0 ? -x : x)),
};
const NAMES = Object.keys(FUNCTIONS) as UnaryName[];

describe.each(PORTABLE_BACKENDS)('on $name', async ({ make }) => {
  const kernels = await make();

  it.each(Object.keys(REDUCTIONS) as Reduction[])(
    'reduce of %s is its formula of all elements along the axes, within 2⁻²²',
    (kind) => {
      fc.assert(
        fc.property(anyShape, axesOf, seed, (shape, axes, from) => {
          const arrays = values([shape], from);
          const at = reader([shape], arrays);
          const got = compute(kernels, reduce(kind, axes), [shape], arrays);
          const places = (axis: (typeof AXES)[number], own: number): number[] =>
            axes.includes(axis) ? [...new Array(shape[axis]).keys()] : [own];
          const expected = byFormula(got.shape, (n, y, x, c) =>
            REDUCTIONS[kind](
              places('H', y).flatMap((iy) =>
                places('W', x).flatMap((ix) => places('C', c).map((ic) => at(0, n, iy, ix, ic))),
              ),
            ),
          );
          for (const axis of AXES) {
            expect(got.shape[axis]).toBe(axes.includes(axis) ? 1 : shape[axis]);
          }
          for (const [i, value] of got.out.entries()) {
            const bound = 2 ** -22 * Math.max(1, Math.abs(expected[i]!));
            expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(bound);
          }
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(NAMES)('%s is its formula, within 2⁻²²; a NaN stays', (name) => {
    const shape = { H: 3, W: 5, C: 40 };
    const isRoot = name === 'sqrt' || name === 'log';
    const x = values([shape], 3)[0]!.map((value, i) => {
      // Also halves, whole numbers and zeros; and values between them.
      const some = i % 3 === 0 ? Math.round(value * 6) / 2 : value * 1.9;
      return isRoot ? Math.abs(some) + 2 ** -6 : some;
    });
    x[7] = Number.NaN;
    const { out } = compute(kernels, unary(name), [shape], [x]);
    for (const [i, value] of out.entries()) {
      const expected = FUNCTIONS[name](x[i]!);
      if (i === 7) expect(value).toBeNaN();
      else if (!Number.isFinite(expected)) expect(value).toBe(1 / x[i]!);
      else {
        const bound = 2 ** -22 * Math.max(1, Math.abs(expected));
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(bound);
      }
    }
  });

  it('power is x ** exponent, rounded once', () => {
    const shape = { H: 2, W: 2, C: 9 };
    const [x] = values([shape], 4);
    for (const exponent of [2, 3, -1, 0, 5]) {
      const { out } = compute(kernels, power(exponent), [shape], [x!]);
      expect(out).toEqual(x!.map((value) => value ** exponent));
    }
    const { out } = compute(kernels, power(0.5), [shape], [x!]);
    expect(out).toEqual(x!.map((value) => Math.sqrt(value)));
    expect(out).toHaveLength(sizeOf(shape));
  });
});

describe('signs and zeros', () => {
  const rectified = { nonNegative: true, sparse: true };
  const plain = { nonNegative: false, sparse: false };

  it.each<[UnaryName, boolean, boolean]>([
    ['abs', true, true],
    ['exp', true, false],
    ['log', false, false],
    ['reciprocal', true, false],
    ['sqrt', true, true],
    ['erf', true, true],
  ])('%s of a rectified value: non-negative %s, sparse %s', (name, nonNegative, sparse) => {
    expect(unary(name).range!([rectified])).toEqual({ nonNegative, sparse });
  });

  it('the ranges of the functions are true for their results', () => {
    for (const name of NAMES) {
      const range = unary(name).range!([rectified]);
      for (const x of [0, 0.25, 1, 1.75]) {
        if (range.nonNegative) expect(FUNCTIONS[name](x)).toBeGreaterThanOrEqual(0);
      }
      if (range.sparse) expect(Math.abs(FUNCTIONS[name](0))).toBeLessThan(1e-15);
      const any = unary(name).range!([plain]);
      for (const x of [-1.75, -0.25, 0.25]) {
        const value = FUNCTIONS[name](x);
        if (any.nonNegative && !Number.isNaN(value)) expect(value).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('power is never below 0 with an even exponent, and keeps zeros with a positive one', () => {
    expect(power(2).range!([plain])).toEqual({ nonNegative: true, sparse: false });
    expect(power(3).range!([rectified])).toEqual(rectified);
    expect(power(3).range!([plain])).toEqual(plain);
    expect(power(-2).range!([rectified])).toEqual({ nonNegative: true, sparse: false });
  });

  it('reductions keep signs and zeros as their formula does', () => {
    expect(reduce('mean', ['C']).range!([rectified]).nonNegative).toBe(true);
    expect(reduce('mean', ['C']).range!([plain]).nonNegative).toBe(false);
  });
});
