import { describe, expect, it } from 'vitest';
import { layerWeights, maxPoolReference, maxPoolShape } from '../../src/kernels/index.js';
import { BACKENDS, runStep, seededFloats } from './backends.js';

describe.each(BACKENDS)('pooling and the classifier on $name', async ({ make }) => {
  const kernels = await make();
  it.each([
    { N: 1, H: 1, W: 1, C: 1, kernel: 3, stride: 2, padding: 1 },
    { N: 2, H: 7, W: 10, C: 5, kernel: 3, stride: 2, padding: 1 },
    { N: 1, H: 8, W: 8, C: 64, kernel: 3, stride: 2, padding: 1 },
    { N: 1, H: 5, W: 9, C: 3, kernel: 2, stride: 1, padding: 0 },
  ])('maxPool equals the formula exactly: %o', (parameters) => {
    const shape = maxPoolShape(parameters);
    const x = seededFloats(shape.N * shape.H * shape.W * shape.C, 3);
    const expected = new Float32Array(shape.N * shape.Hout * shape.Wout * shape.C);
    maxPoolReference(expected, x, shape);
    const out = new Float32Array(expected.length);
    runStep(kernels, { op: 'maxPool', shape, x: 0, out: 1 }, [x, out]);
    expect([...out]).toEqual([...expected]);
  });

  it('maxPool carries a NaN to every window that holds it, wherever it stands there', () => {
    const shape = maxPoolShape({ N: 1, H: 1, W: 5, C: 1, kernel: 3, stride: 1, padding: 1 });
    const out = new Float32Array(5);
    const x = new Float32Array([1, 2, Number.NaN, 3, 4]);
    runStep(kernels, { op: 'maxPool', shape, x: 0, out: 1 }, [x, out]);
    expect([...out]).toEqual([2, Number.NaN, Number.NaN, Number.NaN, 4]);
  });

  it('globalAveragePool is within one rounding of the mean', () => {
    for (const [N, pixels, C] of [
      [1, 1, 1],
      [2, 49, 33],
      [1, 6, 128],
    ] as const) {
      const x = seededFloats(N * pixels * C, 5);
      const out = new Float32Array(N * C);
      runStep(kernels, { op: 'globalAveragePool', N, pixels, C, x: 0, out: 1 }, [x, out]);
      for (let n = 0; n < N; n++) {
        for (let c = 0; c < C; c++) {
          let sum = 0;
          for (let p = 0; p < pixels; p++) sum += x[(n * pixels + p) * C + c]!;
          expect(Math.abs(out[n * C + c]! - sum / pixels)).toBeLessThanOrEqual(pixels * 2 ** -24);
        }
      }
    }
  });

  it('linear is within (Cin+2)·2⁻²⁴·Σ|terms| of the formula, and its rows come back as given', () => {
    for (const [N, Cin, Cout] of [
      [1, 1, 1],
      [2, 67, 13],
      [3, 64, 8],
    ] as const) {
      const x = seededFloats(N * Cin, 1);
      const weight = seededFloats(Cout * Cin, 2);
      const bias = seededFloats(Cout, 3);
      const out = new Float32Array(N * Cout);
      const step = { op: 'linear', weights: 'w', N, Cin, Cout, x: 0, out: 1 } as const;
      runStep(kernels, step, [x, out], layerWeights(weight, bias));
      for (let n = 0; n < N; n++) {
        for (let oc = 0; oc < Cout; oc++) {
          let sum = bias[oc]!;
          let terms = Math.abs(sum);
          for (let ic = 0; ic < Cin; ic++) {
            const term = x[n * Cin + ic]! * weight[oc * Cin + ic]!;
            sum += term;
            terms += Math.abs(term);
          }
          const bound = (Cin + 2) * 2 ** -24 * terms;
          expect(Math.abs(out[n * Cout + oc]! - sum)).toBeLessThanOrEqual(bound);
        }
      }
      const row = new Float32Array(Cin);
      kernels.packLinear(Cin, Cout, layerWeights(weight, bias)).row(row, Cout - 1);
      expect([...row]).toEqual([...weight.slice((Cout - 1) * Cin)]);
    }
  });

  it('refuses a classifier whose lengths do not fit', () => {
    const three = new Float32Array(3);
    expect(() => kernels.packLinear(2, 2, layerWeights(three, three))).toThrow(
      'linear: weight expected length 4 for [2, 2], got 3',
    );
  });
});
