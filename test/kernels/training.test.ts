/**
 * The kernels of training on every backend. A convolution is linear in its weights, so its gradient is known by a law:
 * ⟨gradient of the weights, V⟩ = ⟨convolution with weights V, gradient of the result⟩ for any V.
 */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Conv2dParameters,
  conv2dReference,
  conv2dShape,
  type Kernels,
  type OperatorStep,
} from '../../src/kernels/index.js';
import {
  batchNorm,
  batchNormGradient,
  batchNormSums,
  batchStatistics,
  trainingKernels,
  weightCount,
  weightGradient,
  weightGradientNumbers,
} from '../../src/kernels/training/index.js';
import { distance } from '../compare.js';
import { BACKENDS, runStep, seededFloats } from './backends.js';

const shapes = fc
  .record({
    ...{ N: fc.integer({ min: 1, max: 3 }), groups: fc.constantFrom(1, 1, 2, 3) },
    ...{ H: fc.integer({ min: 1, max: 9 }), W: fc.integer({ min: 1, max: 9 }) },
    ...{ inputs: fc.integer({ min: 1, max: 9 }), outputs: fc.integer({ min: 1, max: 17 }) },
    ...{ kH: fc.integer({ min: 1, max: 3 }), kW: fc.integer({ min: 1, max: 3 }) },
    ...{ strideY: fc.integer({ min: 1, max: 3 }), strideX: fc.integer({ min: 1, max: 3 }) },
    ...{ padY: fc.integer({ min: 0, max: 2 }), padX: fc.integer({ min: 0, max: 2 }) },
    ...{ padBottom: fc.integer({ min: 0, max: 2 }), padRight: fc.integer({ min: 0, max: 2 }) },
    ...{ dilationY: fc.integer({ min: 1, max: 2 }), dilationX: fc.integer({ min: 1, max: 2 }) },
  })
  .map(
    ({ inputs, outputs, ...rest }): Conv2dParameters => ({
      ...rest,
      Cin: inputs * rest.groups,
      Cout: outputs * rest.groups,
    }),
  )
  .filter(
    ({ H, W, kH, kW, padY, padX, padBottom = 0, padRight = 0, dilationY = 1, dilationX = 1 }) =>
      H + padY + padBottom > dilationY * (kH - 1) && W + padX + padRight > dilationX * (kW - 1),
  );

/** Numbers between −1 and 1, some of them 0. */
function noise(length: number, seed: number): Float32Array {
  return seededFloats(length, seed).map((u) => (u > 0.6 ? 0 : u));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

describe('weightGradient', () => {
  it('is the adjoint of the convolution in its weights', () => {
    const check = (parameters: Conv2dParameters, seed: number): void => {
      const shape = conv2dShape(parameters);
      const { N, H, W, Cin, Cout, kH, kW, groups, Hout, Wout } = shape;
      const x = noise(N * H * W * Cin, seed);
      const g = noise(N * Hout * Wout * Cout, seed + 1);
      const V = noise(weightCount(shape), seed + 2);
      const gradient = new Float32Array(V.length);
      weightGradient(gradient, x, g, shape);
      const CinG = Cin / groups;
      const oihw = V.map((_, i) => {
        const tap = i % (kH * kW);
        const ic = Math.floor(i / (kH * kW)) % CinG;
        const oc = Math.floor(i / (kH * kW * CinG));
        return V[(tap * CinG + ic) * Cout + oc]!;
      });
      const y = new Float32Array(g.length);
      conv2dReference(y, x, oihw, new Float32Array(Cout), shape, {});
      const tolerance = 1e-5 * Math.sqrt(dot(g, g) * dot(y, y)) + 1e-6;
      expect(Math.abs(dot(gradient, V) - dot(y, g))).toBeLessThanOrEqual(tolerance);
    };
    fc.assert(fc.property(shapes, fc.nat(1000), check), { numRuns: 150 });
  });

  describe.each(BACKENDS)('on $name', ({ make }) => {
    let kernels: Kernels;
    beforeAll(async () => {
      kernels = await make();
      trainingKernels.engineOf(kernels);
    });

    it('equals the reference for any shape', () => {
      const check = (parameters: Conv2dParameters, seed: number): void => {
        const shape = conv2dShape(parameters);
        const { N, H, W, Cin, Cout, Hout, Wout } = shape;
        const x = noise(N * H * W * Cin, seed);
        const g = noise(N * Hout * Wout * Cout, seed + 1);
        const expected = new Float32Array(weightCount(shape));
        weightGradient(expected, x, g, shape);
        const out = new Float32Array(expected.length).fill(7);
        const step: OperatorStep = {
          ...{ op: 'weightGradient', inputs: [1, 2], out: 0, shape: '' },
          numbers: weightGradientNumbers(shape),
          kernel: (y, [a, b]) => weightGradient(y, a!, b!, shape),
        };
        runStep(kernels, step, [out, x, g]);
        for (const [i, value] of expected.entries()) expect(out[i]).toBeCloseTo(value, 4);
      };
      fc.assert(fc.property(shapes, fc.nat(1000), check), { numRuns: 50 });
    });

    it('equals the reference where a picture is several blocks of rows', () => {
      const shape = conv2dShape({
        ...{ N: 2, H: 40, W: 40, Cin: 36, Cout: 40, kH: 3, kW: 3, groups: 1 },
        ...{ strideY: 1, strideX: 1, padY: 1, padX: 1 },
      });
      const x = noise(2 * 1600 * 36, 1);
      const g = noise(2 * 1600 * 40, 2);
      const [out, expected] = [0, 1].map(() => new Float32Array(weightCount(shape)));
      weightGradient(expected!, x, g, shape);
      const step: OperatorStep = {
        ...{ op: 'weightGradient', inputs: [1, 2], out: 0, shape: '' },
        numbers: weightGradientNumbers(shape),
        kernel: (y, [a, b]) => weightGradient(y, a!, b!, shape),
      };
      runStep(kernels, step, [out!, x, g]);
      expect(distance(out!, expected!).largest).toBeLessThan(2e-6);
    });
  });
});

describe('batch norm', () => {
  const vectors = (C: number) => ({ scale: seededFloats(C, 5), shift: seededFloats(C, 6) });

  it('has the gradients of central differences', () => {
    const [M, C, eps] = [7, 3, 1e-3];
    const x = noise(M * C, 1);
    const g = noise(M * C, 2);
    const { scale, shift } = vectors(C);
    const loss = (input: Float32Array, gamma = scale, beta = shift): number => {
      const statistics = new Float64Array(2 * C) as unknown as Float32Array;
      const y = new Float64Array(M * C) as unknown as Float32Array;
      batchStatistics(statistics, input, M, C, eps);
      batchNorm(y, input, statistics, gamma, beta, C);
      return dot(y, g);
    };
    const statistics = new Float32Array(2 * C);
    batchStatistics(statistics, x, M, C, eps);
    const sums = new Float32Array(2 * C);
    batchNormSums(sums, g, x, statistics, M, C);
    const gradient = new Float32Array(M * C);
    batchNormGradient(gradient, g, x, statistics, sums, scale, M, C);
    const difference = (of: Float32Array, i: number, at: (moved: Float32Array) => number) => {
      const moved = (by: number) =>
        Float64Array.from(of, (v, j) => (j === i ? v + by : v)) as unknown as Float32Array;
      return (at(moved(1e-5)) - at(moved(-1e-5))) / 2e-5;
    };
    for (let i = 0; i < M * C; i++) {
      expect(gradient[i]).toBeCloseTo(
        difference(x, i, (moved) => loss(moved)),
        4,
      );
    }
    for (let c = 0; c < C; c++) {
      expect(sums[c]).toBeCloseTo(
        difference(scale, c, (moved) => loss(x, moved)),
        4,
      );
      expect(sums[C + c]).toBeCloseTo(
        difference(shift, c, (moved) => loss(x, scale, moved)),
        4,
      );
    }
  });

  describe.each(BACKENDS)('on $name', ({ make }) => {
    it.each([1, 3, 4, 5, 16, 19, 35])('equals the reference for %i channels', async (C) => {
      const kernels = await make();
      trainingKernels.engineOf(kernels);
      const [M, eps] = [521, 1e-5];
      const x = noise(M * C, 1).map((v) => v + 3);
      const g = noise(M * C, 2);
      const given = vectors(C);
      const statistics = new Float32Array(2 * C);
      batchStatistics(statistics, x, M, C, eps);
      const sums = new Float32Array(2 * C);
      batchNormSums(sums, g, x, statistics, M, C);
      const y = new Float32Array(M * C);
      batchNorm(y, x, statistics, given.scale, given.shift, C);
      const gradient = new Float32Array(M * C);
      batchNormGradient(gradient, g, x, statistics, sums, given.scale, M, C);
      const run = (op: string, numbers: number[], out: Float32Array, inputs: Float32Array[]) => {
        const kernel: OperatorStep['kernel'] = (own, [a, b, c, d], v) => {
          if (op === 'batchStatistics') batchStatistics(own, a!, M, C, eps);
          else if (op === 'batchNorm') batchNorm(own, a!, b!, v!.scale, v!.shift, C);
          else if (op === 'batchNormSums') batchNormSums(own, a!, b!, c!, M, C);
          else batchNormGradient(own, a!, b!, c!, d!, v!.scale, M, C);
        };
        const own = new Float32Array(out.length);
        const hasVectors = op === 'batchNorm' || op === 'batchNormGradient';
        const step: OperatorStep = {
          ...{ op, inputs: inputs.map((_, i) => i + 1), out: 0, numbers, kernel, shape: '' },
          ...(hasVectors && { weights: 'bn' }),
        };
        runStep(kernels, step, [own, ...inputs], undefined, hasVectors ? given : undefined);
        expect(distance(own, out).largest).toBeLessThan(1e-5);
      };
      run('batchStatistics', [M, C, eps], statistics, [x]);
      run('batchNorm', [M, C], y, [x, statistics]);
      run('batchNormSums', [M, C], sums, [g, x, statistics]);
      run('batchNormGradient', [M, C], gradient, [g, x, statistics, sums]);
    });
  });
});
