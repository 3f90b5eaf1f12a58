/** Every operator of the graph: the rule for its shape, and its step on every backend against a separate formula. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ActivationFunction,
  limitsOf,
  maxPoolReference,
  poolShape,
  smoeReference,
} from '../../../src/kernels/index.js';
import type { Operator, ValueShape } from '../../../src/model/graph/node.js';
import { adaptiveMean } from '../../../src/model/graph/operators/adaptive-mean.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { affine } from '../../../src/model/graph/operators/affine.js';
import { concat } from '../../../src/model/graph/operators/concat.js';
import { type ConvAttributes, plainConv } from '../../../src/model/graph/operators/conv.js';
import { flatten } from '../../../src/model/graph/operators/flatten.js';
import { mul } from '../../../src/model/graph/operators/mul.js';
import { padChannels } from '../../../src/model/graph/operators/pad-channels.js';
import { maxPool, meanPool } from '../../../src/model/graph/operators/pool.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { tap } from '../../../src/model/graph/operators/tap.js';
import { BACKENDS, seededFloats } from '../../kernels/backends.js';
import {
  anyShape,
  byFormula,
  compute as computeOn,
  N,
  reader,
  seed,
  sizeOf,
  type Vectors,
  values,
} from './compute.js';

const extent = fc.integer({ min: 1, max: 9 });
const channels = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13);

/** What `add` and `affine` take in. */
const RELU6: ActivationFunction = { name: 'relu6', parameters: [] };
const clips = fc.constantFrom<(ActivationFunction | undefined)[]>(
  undefined,
  { name: 'clip', parameters: [0, Infinity] },
  { name: 'clip', parameters: [-0.5, 0.75] },
  RELU6,
);

function clipped(value: number, clip: ActivationFunction | undefined): number {
  const [least, most] = limitsOf(clip)!;
  return Math.min(Math.max(value, least), most);
}

const window = fc
  .record({ kH: fc.integer({ min: 1, max: 4 }), kW: fc.integer({ min: 1, max: 4 }) })
  .chain(({ kH, kW }) =>
    fc.record({
      kernel: fc.constant([kH, kW] as const),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      pads: fc.tuple(fc.nat(kH - 1), fc.nat(kW - 1), fc.nat(kH - 1), fc.nat(kW - 1)),
      ceil: fc.boolean(),
    }),
  );

describe.each(BACKENDS)('operators on $name', async ({ make }) => {
  const kernels = await make();

  const compute = (
    operator: Operator,
    shapes: readonly ValueShape[],
    arrays: readonly Float32Array[],
    vectors?: Vectors,
  ) => computeOn(kernels, operator, shapes, arrays, vectors);

  it('maxPool is the formula, exactly, with any window, border and ceil mode', () => {
    fc.assert(
      fc.property(anyShape, window, seed, (shape, pool, from) => {
        const fits = (n: number, k: number, a: number, b: number) => n + a + b >= k;
        const [top, left, bottom, right] = pool.pads;
        fc.pre(
          fits(shape.H, pool.kernel[0], top, bottom) && fits(shape.W, pool.kernel[1], left, right),
        );
        const [x] = values([shape], from);
        const got = compute(maxPool(pool), [shape], [x!]);
        const p = poolShape('test', {
          ...{ N, ...shape, kH: pool.kernel[0], kW: pool.kernel[1] },
          ...{ strideY: pool.stride[0], strideX: pool.stride[1], padY: top, padX: left },
          ...{ padBottom: bottom, padRight: right, ceil: pool.ceil },
        });
        const expected = new Float32Array(N * p.Hout * p.Wout * p.C);
        maxPoolReference(expected, x!, p);
        expect([got.shape.H, got.shape.W]).toEqual([p.Hout, p.Wout]);
        expect(got.out).toEqual(expected);
      }),
    );
  });

  it('maxPool gives NaN for every window that contains a NaN, at any position', () => {
    const pool = maxPool({ kernel: [1, 3], stride: [1, 1], pads: [0, 1, 0, 1] });
    const shape = { H: 1, W: 5, C: 1 };
    const x = Float32Array.of(1, 2, NaN, 3, 4, 1, 2, 3, 4, 5);
    const { out } = compute(pool, [shape], [x]);
    expect([...out.subarray(0, 5)]).toEqual([2, NaN, NaN, NaN, 4]);
  });

  it('meanPool is the mean of the window, padding counted or not, within one rounding', () => {
    fc.assert(
      fc.property(anyShape, window, fc.boolean(), seed, (shape, pool, includePad, from) => {
        const [top, left, bottom, right] = pool.pads;
        const { kernel, stride } = pool;
        fc.pre(shape.H + top + bottom >= kernel[0] && shape.W + left + right >= kernel[1]);
        const arrays = values([shape], from);
        const got = compute(meanPool(pool, includePad), [shape], arrays);
        const at = reader([shape], arrays);
        const expected = byFormula(got.shape, (n, oy, ox, c) => {
          let sum = 0;
          let inside = 0;
          let padded = 0;
          for (let y = oy * stride[0] - top; y < oy * stride[0] - top + kernel[0]; y++) {
            for (let x = ox * stride[1] - left; x < ox * stride[1] - left + kernel[1]; x++) {
              if (y < shape.H + bottom && x < shape.W + right) padded++;
              if (y < 0 || x < 0 || y >= shape.H || x >= shape.W) continue;
              sum += at(0, n, y, x, c);
              inside++;
            }
          }
          return sum / (includePad ? padded : inside);
        });
        got.out.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2 ** -23);
        });
      }),
    );
  });

  it('adaptiveMean is the mean of windows that cover the map; to 1×1 that of all pixels', () => {
    fc.assert(
      fc.property(anyShape, extent, extent, fc.boolean(), seed, (shape, h, w, isGlobal, from) => {
        const [H, W] = isGlobal ? [1, 1] : [h, w];
        const arrays = values([shape], from);
        const got = compute(adaptiveMean(H, W), [shape], arrays);
        const at = reader([shape], arrays);
        const range = (o: number, n: number, to: number): number[] => {
          const begin = Math.floor((o * n) / to);
          const end = Math.ceil(((o + 1) * n) / to);
          return Array.from({ length: end - begin }, (_, i) => begin + i);
        };
        const expected = byFormula(got.shape, (n, oy, ox, c) => {
          const rows = range(oy, shape.H, H);
          const columns = range(ox, shape.W, W);
          const all = rows.flatMap((y) => columns.map((x) => at(0, n, y, x, c)));
          return all.reduce((sum, value) => sum + value, 0) / all.length;
        });
        expect(got.shape).toEqual({ H, W, C: shape.C });
        got.out.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2 ** -23);
        });
      }),
    );
  });

  it('means are right for more channels than the kernel sums at a time', () => {
    for (const C of [255, 256, 257, 600]) {
      const shape = { H: 3, W: 2, C };
      const arrays = values([shape], C);
      const at = reader([shape], arrays);
      const pixels = [0, 1, 2].flatMap((y) => [0, 1].map((x) => [y, x] as const));
      const global = compute(adaptiveMean(1, 1), [shape], arrays);
      const expected = byFormula(
        global.shape,
        (n, _y, _x, c) => pixels.reduce((sum, [y, x]) => sum + at(0, n, y, x, c), 0) / 6,
      );
      expect(global.out).toEqual(expected);
      const whole = compute(meanPool({ kernel: [3, 2], stride: [1, 1] }), [shape], arrays);
      expect(whole.out).toEqual(expected);
    }
  });

  const several = fc.tuple(extent, extent, fc.array(channels, { minLength: 1, maxLength: 4 }));

  it('concat puts the channels of each input after those of the one before', () => {
    fc.assert(
      fc.property(several, seed, ([H, W, widths], from) => {
        const shapes = widths.map((C) => ({ H, W, C }));
        const arrays = values(shapes, from);
        const { shape, out } = compute(concat(), shapes, arrays);
        expect(shape.C).toBe(widths.reduce((sum, C) => sum + C, 0));
        const at = reader(shapes, arrays);
        const expected = byFormula(shape, (n, y, x, c) => {
          let value = 0;
          let channel = c;
          while (channel >= widths[value]!) channel -= widths[value++]!;
          return at(value, n, y, x, channel);
        });
        expect(out).toEqual(expected);
      }),
    );
  });

  it('affine scales and shifts the channels of a concatenation, in float32, then clips', () => {
    fc.assert(
      fc.property(several, clips, seed, ([H, W, widths], clip, from) => {
        const shapes = widths.map((C) => ({ H, W, C }));
        const arrays = values(shapes, from);
        const C = widths.reduce((sum, width) => sum + width, 0);
        const vectors = { scale: seededFloats(C, from + 50), shift: seededFloats(C, from + 60) };
        const operator = affine('norm', C, [], clip);
        const { shape, out } = compute(operator, shapes, arrays, vectors);
        const whole = compute(concat(), shapes, arrays).out;
        const expected = byFormula(shape, (n, y, x, c) => {
          const value = whole[((n * H + y) * W + x) * C + c]!;
          const sum = Math.fround(value * vectors.scale[c]!) + vectors.shift[c]!;
          return clipped(sum, clip);
        });
        expect(out).toEqual(expected);
      }),
    );
  });

  it('add and mul are element by element; mul by one factor for each channel and item', () => {
    fc.assert(
      fc.property(anyShape, clips, seed, (shape, clip, from) => {
        const arrays = values([shape, shape], from);
        const at = reader([shape, shape], arrays);
        const sum = compute(add(clip), [shape, shape], arrays).out;
        const expected = byFormula(shape, (n, y, x, c) => {
          return clipped(at(0, n, y, x, c) + at(1, n, y, x, c), clip);
        });
        expect(sum).toEqual(expected);
        const factor = { H: 1, W: 1, C: shape.C };
        const factors = values([factor], from + 9)[0]!;
        const product = compute(mul(), [shape, factor], [arrays[0]!, factors]).out;
        expect(product).toEqual(
          byFormula(shape, (n, y, x, c) => at(0, n, y, x, c) * factors[n * shape.C + c]!),
        );
      }),
    );
  });

  it('relu, padChannels and flatten are their formulas', () => {
    fc.assert(
      fc.property(anyShape, fc.nat(3), fc.nat(3), seed, (shape, before, behind, from) => {
        const arrays = values([shape], from);
        const at = reader([shape], arrays);
        const of = (operator: Operator) => compute(operator, [shape], arrays);
        expect(of(relu()).out).toEqual(byFormula(shape, (...i) => Math.max(at(0, ...i), 0)));
        const padded = of(padChannels(before, behind));
        expect(padded.shape.C).toBe(before + shape.C + behind);
        expect(padded.out).toEqual(
          byFormula(padded.shape, (n, y, x, c) => {
            const own = c - before;
            return own >= 0 && own < shape.C ? at(0, n, y, x, own) : 0;
          }),
        );
        const flat = of(flatten());
        const { H, W } = shape;
        // NCHW
        expect(flat.out).toEqual(
          byFormula(flat.shape, (n, _y, _x, i) => {
            const c = Math.floor(i / (H * W));
            return at(0, n, Math.floor(i / W) % H, i % W, c);
          }),
        );
      }),
    );
  });

  it('a tap of smoe is its formula of each column, within 2⁻²⁰ of the column’s mean and of itself', () => {
    fc.assert(
      fc.property(extent, extent, fc.constantFrom(1, 3, 8, 12, 16, 40), seed, (H, W, C, from) => {
        const shape = { H, W, C };
        const x = values([shape], from)[0]!.map((value) => Math.max(value, 0));
        const { out } = compute(tap('smoe'), [shape], [x]);
        const expected = new Float32Array(out.length);
        smoeReference(expected, x, C);
        out.forEach((value, m) => {
          const mean = x.subarray(m * C, (m + 1) * C).reduce((a, b) => a + b, 0) / C + 1e-7;
          const bound = 2 ** -20 * (mean + expected[m]!);
          expect(Math.abs(value - expected[m]!)).toBeLessThanOrEqual(bound);
        });
      }),
    );
  });

  it('a NaN stays at its element, and does not spread', () => {
    const shape = { H: 1, W: 3, C: 5 };
    const x = new Float32Array(sizeOf(shape)).map((_, i) => (i === 7 ? NaN : i - 4));
    const ones = new Float32Array(5).fill(1);
    const vectors = { scale: ones, shift: ones };
    for (const { out } of [
      compute(concat(), [shape], [x]),
      compute(affine('norm', 5, [], RELU6), [shape], [x], vectors),
      compute(add(RELU6), [shape, shape], [x, x]),
      compute(relu(), [shape], [x]),
    ]) {
      expect(out.findIndex(Number.isNaN)).toBe(7);
      expect(out.filter(Number.isNaN)).toHaveLength(1);
    }
  });
});

describe('shape rules', () => {
  const map = { H: 6, W: 7, C: 4 };
  const conv = (options: Partial<ConvAttributes>) =>
    plainConv({
      layer: 'conv',
      weight: { name: 'conv.weight', shape: [8, 4, 3, 3] },
      extents: { Cin: 4, Cout: 8, kH: 3, kW: 3, groups: 1 },
      ...options,
    });

  it('of a convolution know stride, four-sided padding and dilation', () => {
    expect(conv({}).shape([map])).toEqual({ H: 4, W: 5, C: 8 });
    expect(conv({ pads: [1, 0, 2, 3] }).shape([map])).toEqual({ H: 7, W: 8, C: 8 });
    expect(conv({ dilationY: 2, dilationX: 3 }).shape([map])).toEqual({ H: 2, W: 1, C: 8 });
    expect(conv({ strideY: 2, strideX: 3 }).shape([map])).toEqual({ H: 2, W: 2, C: 8 });
  });

  it.each<[string, () => unknown, string]>([
    ['other channels', () => conv({}).shape([{ ...map, C: 3 }]), 'x expected 4 channels, got 3'],
    [
      'a residual of other extents',
      () => conv({ residual: true }).shape([map, map]),
      'residual expected 4×5×8, got 6×7×4',
    ],
    [
      'a kernel larger than the picture',
      () => conv({}).shape([{ H: 2, W: 7, C: 4 }]),
      'kernel 3×3 is larger than the padded input 2×7',
    ],
    [
      'a window larger than the picture',
      () => maxPool({ kernel: [3, 3], stride: [2, 2] }).shape([{ H: 2, W: 2, C: 1 }]),
      'maxPool: window 3×3 is larger than the padded input 2×2',
    ],
    [
      'padding as wide as the window',
      () => meanPool({ kernel: [2, 2], stride: [2, 2], pads: [2, 0, 0, 0] }).shape([map]),
      'meanPool: padding expected 0…1, got 2',
    ],
    [
      'maps of different sizes side by side',
      () => concat().shape([map, { H: 6, W: 6, C: 4 }]),
      'concat: inputs expected 6×7, got 6×6',
    ],
    [
      'a batch norm of other channels',
      () => affine('norm', 5, []).shape([map]),
      'affine: x expected 5 channels, got 4',
    ],
    ['a sum of different maps', () => add().shape([map, { ...map, C: 8 }]), '6×7×4 and 6×7×8'],
    ['a factor that is a map', () => mul().shape([map, map]), 'factor expected 1×1×4, got 6×7×4'],
  ])('refuse %s', (_, action, message) => {
    expect(action).toThrow(message);
  });
});
