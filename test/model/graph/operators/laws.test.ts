/** What must hold of the operators for any value, on every backend. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operator, ValueShape } from '../../../../src/model/graph/node.js';
import { arithmetic } from '../../../../src/model/graph/operators/arithmetic.js';
import { concatAlong } from '../../../../src/model/graph/operators/concat-along.js';
import { constant } from '../../../../src/model/graph/operators/constant.js';
import { input } from '../../../../src/model/graph/operators/input.js';
import { lrn } from '../../../../src/model/graph/operators/lrn.js';
import { normalize } from '../../../../src/model/graph/operators/normalize.js';
import { permute } from '../../../../src/model/graph/operators/permute.js';
import { maxPool } from '../../../../src/model/graph/operators/pool.js';
import { prelu } from '../../../../src/model/graph/operators/prelu.js';
import { reduce } from '../../../../src/model/graph/operators/reduce.js';
import { resize } from '../../../../src/model/graph/operators/resize.js';
import { slice } from '../../../../src/model/graph/operators/slice.js';
import { softmax } from '../../../../src/model/graph/operators/softmax.js';
import { seededFloats } from '../../../kernels/backends.js';
import {
  anyShape,
  compute,
  computeGraph,
  N,
  PORTABLE_BACKENDS,
  seed,
  sizeOf,
  values,
} from '../compute.js';
import { graphOf } from '../graph-of.js';

const range = (n: number): number[] => [...new Array(n).keys()];

describe.each(PORTABLE_BACKENDS)('on $name', async ({ make }) => {
  const kernels = await make();

  it('slices undo a concatenation along an axis', () => {
    const extent = fc.integer({ min: 1, max: 5 });
    const counts = fc.array(extent, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyShape, counts, fc.constantFrom('H', 'W'), seed, (shape, own, axis, from) => {
        const shapes = own.map((count): ValueShape => ({ ...shape, [axis]: count }));
        const arrays = values(shapes, from);
        const all = compute(kernels, concatAlong(axis), shapes, arrays);
        let begin = 0;
        for (const [i, count] of own.entries()) {
          const part = slice({ [axis]: [begin, count, 1] });
          expect(compute(kernels, part, [all.shape], [all.out]).out).toEqual(arrays[i]);
          begin += count;
        }
        expect(all.shape[axis]).toBe(begin);
      }),
    );
  });

  it('resize to the same extents is the identity, however it is computed', () => {
    fc.assert(
      fc.property(anyShape, seed, (shape, from) => {
        const arrays = values([shape], from);
        for (const mode of ['nearest', 'linear'] as const) {
          for (const by of ['half_pixel', 'align_corners', 'asymmetric'] as const) {
            const operator = resize(shape, mode, by);
            expect(operator.isIdentity!([shape])).toBe(true);
            expect(compute(kernels, operator, [shape], arrays).out).toEqual(arrays[0]);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('resize of a constant is that constant, within 2⁻²³', () => {
    fc.assert(
      fc.property(anyShape, anyShape, (shape, to) => {
        const x = new Float32Array(sizeOf(shape)).fill(3);
        for (const mode of ['nearest', 'linear'] as const) {
          const operator = resize(to, mode, 'half_pixel');
          for (const value of compute(kernels, operator, [shape], [x]).out) {
            expect(Math.abs(value - 3)).toBeLessThanOrEqual(3 * 2 ** -23);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('softmax sums to 1 and does not change with a shift; log softmax is its logarithm', () => {
    fc.assert(
      fc.property(anyShape, fc.constantFrom('C', 'HW'), seed, (shape, axis, from) => {
        const [x] = values([shape], from);
        const shifted = x!.map((value) => Math.round(value * 512) / 512 + 64);
        const whole = shifted.map((value) => value - 64);
        const of = (array: Float32Array, log = false) =>
          compute(kernels, softmax(axis, log), [shape], [array]).out;
        expect(of(shifted)).toEqual(of(whole));
        const logs = of(whole, true);
        for (const [i, value] of of(whole).entries()) {
          expect(Math.abs(Math.exp(logs[i]!) - value)).toBeLessThanOrEqual(2 ** -20);
        }
        const axes = axis === 'C' ? (['C'] as const) : (['H', 'W'] as const);
        const sums = compute(kernels, reduce('sum', axes), [shape], [of(whole)]).out;
        for (const total of sums) expect(Math.abs(total - 1)).toBeLessThanOrEqual(2 ** -22);
      }),
      { numRuns: 40 },
    );
  });

  it('normalize gives mean 0 and variance 1 within 2⁻²⁰, for any scale and shift of the input', () => {
    const shape = { H: 4, W: 5, C: 12 };
    const [x] = values([shape], 5);
    const of = (array: Float32Array, over: Parameters<typeof normalize>[0]) =>
      compute(kernels, normalize(over, 0), [shape], [array]).out;
    for (const groups of [1, 3, 12]) {
      const out = of(x!, { groups });
      const width = 12 / groups;
      for (const n of range(N)) {
        for (const group of range(groups)) {
          const own = [...out].filter(
            (_, i) => Math.floor(i / 240) === n && Math.floor((i % 12) / width) === group,
          );
          const mean = own.reduce((a, b) => a + b, 0) / own.length;
          const variance = own.reduce((a, b) => a + b * b, 0) / own.length;
          expect(own).toHaveLength(20 * width);
          expect(Math.abs(mean)).toBeLessThanOrEqual(2 ** -20);
          expect(Math.abs(variance - 1)).toBeLessThanOrEqual(2 ** -20);
        }
      }
    }
    // Powers of two scale exactly.
    const scaled = x!.map((value) => value * 8);
    expect(of(scaled, 'column')).toEqual(of(x!, 'column'));
    expect(of(scaled, { groups: 2 })).toEqual(of(x!, { groups: 2 }));
  });

  it('resize to one pixel reads the first by pytorch_half_pixel and align_corners, as ONNX’s text says', () => {
    const shape = { H: 3, W: 1, C: 1 };
    const x = Float32Array.of(1, 2, 4, 8, 16, 32);
    for (const by of ['pytorch_half_pixel', 'align_corners'] as const) {
      const { out } = compute(kernels, resize({ H: 1, W: 1 }, 'linear', by), [shape], [x]);
      expect([...out]).toEqual([1, 8]);
    }
    const { out } = compute(kernels, resize({ H: 1, W: 1 }, 'linear', 'half_pixel'), [shape], [x]);
    expect([...out]).toEqual([2, 16]);
  });

  it('resize of the nearest element computes its coordinates in float32, as runtimes do', () => {
    const shape = { H: 10, W: 1, C: 1 };
    const x = Float32Array.from({ length: N * 10 }, (_, i) => i);
    const scales = { H: Math.fround(0.6), W: 1 };
    const operator = resize({ H: 6, W: 1 }, 'nearest', 'asymmetric', { nearest: 'floor', scales });
    const { out } = compute(kernels, operator, [shape], [x]);
    // onnxruntime-web 1.30; 3/0.60000002 is 4.9999998, and 5 in float32.
    expect([...out.subarray(0, 6)]).toEqual([0, 1, 3, 5, 6, 8]);
  });

  it('lrn of one channel without a neighbour is its formula', () => {
    const shape = { H: 3, W: 1, C: 1 };
    const [x] = values([shape], 6);
    const { out } = compute(kernels, lrn(5, 0.5, 1, 2), [shape], [x!]);
    expect(out).toEqual(x!.map((value) => value / (2 + 0.1 * value * value)));
  });

  it('lrn of an even size reads one more channel after than before, as ONNX says', () => {
    const shape = { H: 1, W: 1, C: 4 };
    const x = Float32Array.of(1, 2, 3, 4, 0, 0, 0, 1);
    const { out } = compute(kernels, lrn(2, 2, 1, 0), [shape], [x]);
    // x[c] / (x[c]² + x[c + 1]²)
    expect([...out.subarray(0, 4)]).toEqual([1 / 5, 2 / 13, 3 / 25, 4 / 16].map(Math.fround));
  });

  /** Some values have separate buffers; others may share the buffer of the value that they read. */
  const graph = graphOf(
    ['x', input(4)],
    ['table', constant('table', 'table', { H: 6, W: 1, C: 4 }, false)],
    ['gain', reduce('max', ['H', 'W']), 'x'],
    // A smaller first operand: its buffer must not be taken for the product.
    ['product', arithmetic('mul'), 'gain', 'x'],
    ['moved', arithmetic('sub'), 'product', 'table'],
    ['act', prelu('act', 'slope', 4), 'moved'],
    ['shuffled', permute([36, 2, 2], [0, 2, 1], { H: 6, W: 6, C: 4 }), 'act'],
    // The same bytes under another name, while the value itself is still read.
    ['reread', permute([144], [0], { H: 6, W: 6, C: 4 }), 'shuffled'],
    ['normal', normalize('column', 1e-3), 'reread'],
    ['both', arithmetic('add'), 'normal', 'shuffled'],
    ['small', resize({ H: 3, W: 4 }, 'linear', 'half_pixel'), 'both'],
    ['pool', maxPool({ kernel: [3, 4], stride: [1, 1] }), 'small'],
    ['attention', softmax('HW'), 'pool'],
    ['flat', permute([4], [0], { H: 1, W: 1, C: 4 }), 'attention'],
    ['logits', reduce('sum', ['H', 'W']), 'small'],
    ['out', arithmetic('add'), 'logits', 'flat'],
  );
  const vectors = {
    table: { scale: seededFloats(24, 7), shift: new Float32Array(24) },
    act: { scale: seededFloats(4, 8), shift: new Float32Array(4) },
  };

  it('a batch gives the same as each picture alone', () => {
    const size = 6 * 6 * 4;
    const x = seededFloats(3 * size, 9);
    const batch = computeGraph(kernels, graph, [3, 6, 6], x, vectors);
    for (const n of range(3)) {
      const own = x.slice(n * size, (n + 1) * size);
      const alone = computeGraph(kernels, graph, [1, 6, 6], own, vectors);
      expect(batch.subarray(4 * n, 4 * (n + 1))).toEqual(alone);
    }
  });

  it('a plan in which values share memory gives the same as the operators one by one', () => {
    const x = seededFloats(N * 144, 10);
    const made: { shape: ValueShape; out: Float32Array }[] = [];
    for (const { operator, inputs } of graph.nodes) {
      const { kind, layer } = operator as Operator & { layer?: 'table' | 'act' };
      if (kind === 'input') {
        made.push({ shape: { H: 6, W: 6, C: 4 }, out: x });
        continue;
      }
      const given = inputs.map((value) => made[value]!);
      const shapes = given.map(({ shape }) => shape);
      const arrays = given.map(({ out }) => out);
      made.push(compute(kernels, operator, shapes, arrays, layer && vectors[layer]));
    }
    const whole = computeGraph(kernels, graph, [N, 6, 6], x, vectors);
    expect(whole).toEqual(made.at(-1)!.out);
  });
});

describe('shape rules', () => {
  const map = { H: 6, W: 7, C: 4 };

  it.each<[string, () => unknown, string]>([
    [
      'maps beside one another of other heights',
      () => concatAlong('W').shape([map, { ...map, H: 5 }]),
      'concat along W: 6×7×4 and 5×7×4 differ elsewhere, too',
    ],
    [
      'groups that do not divide the channels',
      () => normalize({ groups: 3 }, 1e-5).shape([map]),
      'normalize: 3 groups do not divide 4 channels',
    ],
    [
      'a map without pixels',
      () => resize({ H: 0, W: 3 }, 'linear', 'half_pixel').shape([map]),
      'resize: extents and scales expected above 0, got 0, 3, 1, 1',
    ],
    [
      'slopes for other channels',
      () => prelu('act', 'slope', 5).shape([map]),
      'prelu: x expected 5 channels, got 4',
    ],
    [
      'a window of no channels',
      () => lrn(0, 1, 1, 1).shape([map]),
      'lrn: size expected a whole number ≥ 1, got 0',
    ],
  ])('refuse %s', (_, action, message) => {
    expect(action).toThrow(message);
  });
});
