/** Transpositions of any rank, on every backend. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permute } from '../../../../src/model/graph/operators/permute.js';
import { compute, N, PORTABLE_BACKENDS, values } from '../compute.js';

const arrays = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 })
  .chain((extents) =>
    fc.record({
      extents: fc.constant(extents),
      order: fc.shuffledSubarray([...extents.keys()], { minLength: extents.length }),
    }),
  );
const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);
const flat = (size: number) => ({ H: 1, W: 1, C: size });

/** By the indices of every element. */
function transposed(
  x: Float32Array,
  extents: readonly number[],
  order: readonly number[],
): Float32Array {
  const size = product(extents);
  const outExtents = order.map((axis) => extents[axis]!);
  return x.map((_, o) => {
    let rest = o % size;
    const index = new Array<number>(extents.length);
    for (let k = order.length - 1; k >= 0; k--) {
      index[order[k]!] = rest % outExtents[k]!;
      rest = Math.floor(rest / outExtents[k]!);
    }
    const from = index.reduce((sum, i, axis) => sum * extents[axis]! + i, 0);
    return x[Math.floor(o / size) * size + from]!;
  });
}

describe.each(PORTABLE_BACKENDS)('permute on $name', async ({ make }) => {
  const kernels = await make();

  it('puts the element of each index where the order says', () => {
    fc.assert(
      fc.property(arrays, ({ extents, order }) => {
        const shape = flat(product(extents));
        const [x] = values([shape], 1);
        const { out } = compute(kernels, permute(extents, order, shape), [shape], [x!]);
        expect(out).toEqual(transposed(x!, extents, order));
      }),
    );
  });

  it('with an order and then its inverse is the identity', () => {
    fc.assert(
      fc.property(arrays, ({ extents, order }) => {
        const shape = flat(product(extents));
        const [x] = values([shape], 2);
        const there = compute(kernels, permute(extents, order, shape), [shape], [x!]).out;
        const outExtents = order.map((axis) => extents[axis]!);
        const inverse = order.map((_, axis) => order.indexOf(axis));
        const back = compute(kernels, permute(outExtents, inverse, shape), [shape], [there]);
        expect(back.out).toEqual(x);
      }),
    );
  });

  it('shuffles channels as PyTorch’s channel_shuffle', () => {
    const shape = { H: 1, W: 1, C: 6 };
    const x = Float32Array.from({ length: N * 6 }, (_, i) => i);
    const { out } = compute(kernels, permute([1, 2, 3], [0, 2, 1], shape), [shape], [x]);
    // torch.nn.functional.channel_shuffle(torch.arange(6.).view(1, 6, 1, 1), 2)
    expect([...out.subarray(0, 6)]).toEqual([0, 3, 1, 4, 2, 5]);
  });
});

describe('permute', () => {
  const x = { H: 4, W: 6, C: 2 };

  it('is the identity where only axes of extent 1 move', () => {
    const isIdentity = (extents: number[], order: number[]) =>
      permute(extents, order, x).isIdentity!([x]);
    expect(isIdentity([4, 12], [0, 1])).toBe(true);
    expect(isIdentity([4, 1, 12], [1, 0, 2])).toBe(true);
    expect(isIdentity([1, 48, 1], [2, 1, 0])).toBe(true);
    expect(isIdentity([4, 1, 12], [2, 1, 0])).toBe(false);
  });

  it('keeps the known signs and zeros, and changes the extents', () => {
    const operator = permute([4, 6, 2], [2, 0, 1], { H: 2, W: 4, C: 6 });
    expect(operator.shape([x])).toEqual({ H: 2, W: 4, C: 6 });
    const range = { nonNegative: true, sparse: true };
    expect(operator.range!([range])).toEqual(range);
  });

  it('refuses another number of elements, and an invalid order', () => {
    expect(() => permute([4, 6], [1, 0], x).shape([x])).toThrow(
      'permute: expected 4×6×2 and 4×6×2 to have the elements of [4,6]',
    );
    expect(() => permute([4, 12], [1, 1], x).shape([x])).toThrow(
      'permute: order expected each axis of [4,12], got [1,1]',
    );
  });
});
