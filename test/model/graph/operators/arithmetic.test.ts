/** Arithmetic with broadcasting, on every backend. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arithmetic } from '../../../../src/kernels/index.js';
import type { ValueShape } from '../../../../src/model/graph/node.js';
import { arithmetic } from '../../../../src/model/graph/operators/arithmetic.js';
import {
  anyShape,
  byFormula,
  compute,
  PORTABLE_BACKENDS,
  reader,
  seed,
  values,
} from '../compute.js';

const FORMULAS: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => (a > b ? a : b),
  min: (a, b) => (a < b ? a : b),
  pow: (a, b) => a ** b,
};
const KINDS = Object.keys(FORMULAS) as Arithmetic[];

/** A shape with some axes made 1. */
const thinned = ({ H, W, C }: ValueShape, bits: number): ValueShape => ({
  H: bits & 1 ? 1 : H,
  W: bits & 2 ? 1 : W,
  C: bits & 4 ? 1 : C,
});

describe.each(PORTABLE_BACKENDS)('arithmetic on $name', async ({ make }) => {
  const kernels = await make();

  it.each(KINDS)('%s is its formula, an axis of 1 repeated in either operand', (kind) => {
    fc.assert(
      fc.property(anyShape, fc.nat(7), fc.nat(7), seed, (shape, aBits, bBits, from) => {
        const shapes = [thinned(shape, aBits), thinned(shape, bBits)];
        const arrays = values(shapes, from);
        // A power of a negative number is NaN.
        if (kind === 'pow') arrays[0] = arrays[0]!.map(Math.abs);
        const at = reader(shapes, arrays);
        const got = compute(kernels, arithmetic(kind), shapes, arrays);
        const read = (value: number, n: number, y: number, x: number, c: number): number => {
          const { H, W, C } = shapes[value]!;
          return at(value, n, H === 1 ? 0 : y, W === 1 ? 0 : x, C === 1 ? 0 : c);
        };
        const expected = byFormula(got.shape, (...place) =>
          FORMULAS[kind](read(0, ...place), read(1, ...place)),
        );
        expect(got.out).toEqual(expected);
      }),
    );
  });

  it.each(KINDS)('%s carries a NaN of either operand', (kind) => {
    const shape = { H: 1, W: 1, C: 2 };
    const arrays = [Float32Array.of(NaN, 2, 1, 1), Float32Array.of(2, NaN, 1, 1)];
    const { out } = compute(kernels, arithmetic(kind), [shape, shape], arrays);
    expect([...out].map(Number.isNaN)).toEqual([true, true, false, false]);
  });
});

describe('arithmetic', () => {
  it('refuses extents that differ and are not 1', () => {
    const shape = { H: 2, W: 3, C: 4 };
    expect(() => arithmetic('sub').shape([shape, { H: 2, W: 3, C: 2 }])).toThrow(
      'sub: C expected to be equal or 1, got 2×3×4 and 2×3×2',
    );
  });

  it('knows signs and zeros', () => {
    const plain = { nonNegative: false, sparse: false };
    const positive = { nonNegative: true, sparse: false };
    const rectified = { nonNegative: true, sparse: true };
    const range = (kind: Arithmetic, a = rectified, b = positive) =>
      arithmetic(kind).range!([a, b]);
    expect(range('add')).toEqual(positive);
    expect(range('add', rectified, plain)).toEqual(plain);
    expect(range('sub')).toEqual(plain);
    expect(range('mul')).toEqual(rectified);
    expect(range('mul', plain, rectified)).toEqual({ nonNegative: false, sparse: true });
    expect(range('div')).toEqual(rectified);
    expect(range('max', plain, positive)).toEqual(positive);
    expect(range('max', plain, plain)).toEqual(plain);
    expect(range('min')).toEqual(rectified);
    expect(range('min', plain, rectified)).toEqual(plain);
    expect(range('pow')).toEqual(positive);
  });
});
