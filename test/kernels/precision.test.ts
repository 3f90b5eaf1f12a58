import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conv2dShape, layerWeights, type Precision } from '../../src/kernels/index.js';
import { halfOf, valueOfHalf } from '../../src/kernels/precision.js';
import { BACKENDS, convStep, runStep, seededFloats } from './backends.js';

const NARROW = ['f16', 'int8'] as const;

describe.each(BACKENDS)('weights in memory on $name', async ({ make }) => {
  const kernels = await make();

  /** The rows of `weight` [Cout, Cin] as the backend keeps them. */
  const atRest = (weight: Float32Array, Cout: number, precision: Precision): Float32Array => {
    const Cin = weight.length / Cout;
    const weights = { ...layerWeights(weight, new Float32Array(Cout)), precision };
    const packed = kernels.packConv2d({ Cin, Cout, kH: 1, kW: 1, groups: 1 }, weights);
    const out = new Float32Array(weight.length);
    for (let oc = 0; oc < Cout; oc++) packed.row(out.subarray(oc * Cin, (oc + 1) * Cin), oc);
    return out;
  };

  it('f16 is off by at most 2⁻¹¹ of a weight, int8 by 1/254 of its channel’s largest', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 29, min: -(2 ** 29) }),
          {
            minLength: 9,
            maxLength: 40,
          },
        ),
        (values) => {
          const weight = Float32Array.from(values);
          const largest = weight.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
          // Near the end of float32 there is nothing left to scale by.
          fc.pre(largest === 0 || largest > 1e-25);
          const f16 = atRest(weight, 1, 'f16');
          const int8 = atRest(weight, 1, 'int8');
          weight.forEach((w, i) => {
            expect(Math.abs(f16[i]! - w)).toBeLessThanOrEqual(
              Math.max(Math.abs(w) * 2 ** -11, largest * 2 ** -28),
            );
            expect(Math.abs(int8[i]! - w)).toBeLessThanOrEqual((largest / 254) * (1 + 2 ** -18));
          });
        },
      ),
    );
  });

  it('f16 keeps binary16 weights exactly, int8 keeps whole multiples of max/127 exactly', () => {
    const halves = Float32Array.from({ length: 7 * 60 }, (_, i) => valueOfHalf(1024 + i * 37));
    expect([...atRest(halves, 7, 'f16')]).toEqual([...halves]);
    const steps = Float32Array.from({ length: 3 * 255 }, (_, i) => ((i % 255) - 127) / 64);
    expect([...atRest(steps, 3, 'int8')]).toEqual([...steps]);
  });

  it.each([
    { kH: 1, Cin: 20, Cout: 13, groups: 1 },
    { kH: 3, Cin: 8, Cout: 16, groups: 1 },
    { kH: 3, Cin: 12, Cout: 6, groups: 3 },
    { kH: 7, Cin: 3, Cout: 8, groups: 1 },
    { kH: 3, Cin: 21, Cout: 21, groups: 21 },
    { kH: 5, Cin: 6, Cout: 12, groups: 6 },
  ])('a convolution computes with the widened weights, to the last bit: %o', (parameters) => {
    const { kH, Cin, Cout, groups } = parameters;
    const extents = { N: 1, H: 9, W: 11, Cin, Cout, kH, kW: kH, groups };
    const pad = (kH - 1) / 2;
    const shape = conv2dShape({ ...extents, strideY: 1, strideX: 1, padY: pad, padX: pad });
    const x = seededFloats(9 * 11 * Cin, 1);
    const weight = seededFloats((Cout * kH * kH * Cin) / groups, 2);
    const bias = seededFloats(Cout, 3);
    const run = (weights: Float32Array, precision: Precision): Float32Array => {
      const out = new Float32Array(9 * 11 * Cout);
      runStep(kernels, convStep({ shape, sparse: true }), [x, out], {
        ...layerWeights(weights, bias),
        precision,
      });
      return out;
    };
    for (const precision of NARROW) {
      expect([...run(weight, precision)]).toEqual([...run(atRest(weight, Cout, precision), 'f32')]);
    }
  });

  it.each(['f32', ...NARROW] as const)('refuses a weight that is not finite: %s', (precision) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const weight = seededFloats(10 * 21, 4);
      weight[173] = bad;
      expect(() => atRest(weight, 10, precision)).toThrow(`weight has ${bad} at element 173`);
    }
  });

  it('a channel of zeros stays zeros', () => {
    for (const precision of NARROW) {
      expect([...atRest(new Float32Array(24), 2, precision)]).toEqual(new Array(24).fill(0));
    }
  });
});

describe('halfOf', () => {
  it('gives back every normal half', () => {
    const halves = Array.from({ length: 0x7800 }, (_, i) => 0x400 + i);
    expect(halves.map((half) => halfOf(valueOfHalf(half)))).toEqual(halves);
    expect(halves.map((half) => halfOf(-valueOfHalf(half)))).toEqual(
      halves.map((half) => half | 0x8000),
    );
  });

  it('rounds to nearest, ties to even', () => {
    expect(valueOfHalf(halfOf(1 + 2 ** -11))).toBe(1);
    expect(valueOfHalf(halfOf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(valueOfHalf(halfOf(1 + 2 ** -11 + 2 ** -20))).toBe(1 + 2 ** -10);
  });
});
