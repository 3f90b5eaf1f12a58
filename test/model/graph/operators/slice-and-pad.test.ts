/** Slices and borders, on every backend. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pad } from '../../../../src/model/graph/operators/pad.js';
import { type Stretch, slice } from '../../../../src/model/graph/operators/slice.js';
import {
  anyShape,
  byFormula,
  compute,
  PORTABLE_BACKENDS,
  reader,
  seed,
  values,
} from '../compute.js';

/** Any stretch of an axis, forwards and backwards; or none. */
const stretchOf = (extent: number): fc.Arbitrary<Stretch | undefined> =>
  fc.option(
    fc
      .record({
        first: fc.nat(extent - 1),
        last: fc.nat(extent - 1),
        step: fc.constantFrom(1, 2, 3),
      })
      .map(({ first, last, step }): Stretch => {
        const count = Math.floor(Math.abs(last - first) / step) + 1;
        return [first, count, last < first ? -step : step];
      }),
    { nil: undefined },
  );
const sliced = anyShape.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    H: stretchOf(shape.H),
    W: stretchOf(shape.W),
    C: stretchOf(shape.C),
  }),
);
const side = fc.integer({ min: -2, max: 4 });
const border = fc.record({
  top: side,
  left: side,
  bottom: side,
  right: side,
  front: side,
  back: side,
});

describe.each(PORTABLE_BACKENDS)('on $name', async ({ make }) => {
  const kernels = await make();

  it('slice is every step-th element, forwards or backwards', () => {
    fc.assert(
      fc.property(sliced, seed, ({ shape, H, W, C }, from) => {
        const given = { ...(H && { H }), ...(W && { W }), ...(C && { C }) };
        const arrays = values([shape], from);
        const at = reader([shape], arrays);
        const got = compute(kernels, slice(given), [shape], arrays);
        const place = (i: number, stretch?: Stretch) => (stretch ? stretch[0] + i * stretch[2] : i);
        const expected = byFormula(got.shape, (n, y, x, c) =>
          at(0, n, place(y, H), place(x, W), place(c, C)),
        );
        expect(got.out).toEqual(expected);
      }),
    );
  });

  it('pad with a value has the map inside and the value around it', () => {
    fc.assert(
      fc.property(anyShape, border, seed, (shape, sides, from) => {
        const { top, left, bottom, right, front, back } = sides;
        const cut = (a: number, b: number) => Math.min(a, 0) + Math.min(b, 0);
        fc.pre(shape.H + cut(top, bottom) > 0 && shape.W + cut(left, right) > 0);
        fc.pre(shape.C + cut(front, back) > 0);
        const arrays = values([shape], from);
        const at = reader([shape], arrays);
        const got = compute(kernels, pad(sides, 'constant', 7), [shape], arrays);
        const expected = byFormula(got.shape, (n, y, x, c) => {
          const [iy, ix, ic] = [y - top, x - left, c - front];
          const isInside = iy >= 0 && iy < shape.H && ix >= 0 && ix < shape.W;
          return isInside && ic >= 0 && ic < shape.C ? at(0, n, iy, ix, ic) : 7;
        });
        expect(got.out).toEqual(expected);
      }),
    );
  });

  it('pad and then the opposite border is the identity', () => {
    const positive = fc.nat(4);
    fc.assert(
      fc.property(anyShape, positive, positive, positive, seed, (shape, top, right, back, from) => {
        const arrays = values([shape], from);
        for (const mode of ['constant', 'reflect', 'edge'] as const) {
          const there = compute(kernels, pad({ top, right, back }, mode), [shape], arrays);
          const cut = pad({ top: -top, right: -right, back: -back }, mode);
          expect(compute(kernels, cut, [there.shape], [there.out]).out).toEqual(arrays[0]);
        }
      }),
    );
  });

  it('pad mirrors and repeats the outermost as numpy.pad', () => {
    const shape = { H: 3, W: 1, C: 1 };
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    const of = (mode: 'reflect' | 'edge', top: number, bottom: number) => [
      ...compute(kernels, pad({ top, bottom }, mode), [shape], [x]).out.subarray(
        0,
        3 + top + bottom,
      ),
    ];
    // numpy.pad([1, 2, 3], (5, 3), 'reflect') and 'edge'
    expect(of('reflect', 5, 3)).toEqual([2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2]);
    expect(of('edge', 5, 3)).toEqual([1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3]);
    // numpy.pad([2, 3], (0, 2), 'reflect')
    expect(of('reflect', -1, 2)).toEqual([2, 3, 2, 3]);
  });
});

describe('slice', () => {
  const shape = { H: 4, W: 5, C: 6 };

  it('is the identity where it takes everything', () => {
    expect(slice({ W: [0, 5, 1] }).isIdentity!([shape])).toBe(true);
    expect(slice({ W: [4, 5, -1] }).isIdentity!([shape])).toBe(false);
    expect(slice({ C: [0, 5, 1] }).isIdentity!([shape])).toBe(false);
  });

  it('has the step as its stride', () => {
    expect(slice({ H: [0, 2, 2], W: [4, 2, -3] }).stride).toBe(3);
  });

  it('refuses a stretch that leaves the axis', () => {
    expect(() => slice({ W: [3, 3, 1] }).shape([shape])).toThrow(
      'slice: W of 5 has no 3 elements from 3 on in steps of 1',
    );
    expect(() => slice({ C: [0, 0, 1] }).shape([shape])).toThrow('slice: C of 6 has no 0 elements');
  });
});

describe('pad', () => {
  it('keeps zeros only with a border of them', () => {
    const rectified = { nonNegative: true, sparse: true };
    const range = (...of: Parameters<typeof pad>) => pad(...of).range!([rectified]);
    expect(range({ top: 1 })).toEqual(rectified);
    expect(range({ top: 1 }, 'reflect')).toEqual(rectified);
    expect(range({ top: 1 }, 'constant', 2)).toEqual({ nonNegative: true, sparse: false });
    expect(range({ top: 1 }, 'constant', -1)).toEqual({ nonNegative: false, sparse: false });
  });

  it('refuses to cut everything off', () => {
    const shape = { H: 4, W: 1, C: 1 };
    expect(() => pad({ top: -3, bottom: -1 }).shape([shape])).toThrow(
      'pad: a border of [-3,-1,0,0,0,0] leaves nothing of 4×1×1',
    );
    expect(pad({ top: -2, bottom: -1 }).shape([shape])).toEqual({ H: 1, W: 1, C: 1 });
  });
});
