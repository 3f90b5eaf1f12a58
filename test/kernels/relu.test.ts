import { describe, expect, it } from 'vitest';
import { relu } from '../../src/kernels/index.js';
import { BACKENDS, runStep } from './backends.js';

describe.each(BACKENDS)('relu on $name', async ({ make }) => {
  const kernels = await make();

  it.each([0, 1])('takes away what is below 0, NaN stays, into buffer %i', (out) => {
    const x = Float32Array.of(-1, -1e-40, 0, 1e-40, 2, Infinity, -Infinity, Number.NaN);
    const buffers = [x, new Float32Array(x.length)];
    runStep(kernels, { op: 'relu', N: 1, pixels: 4, C: 2, x: 0, out }, buffers);
    const expected = Float32Array.of(0, 0, 0, 1e-40, 2, Infinity, 0, Number.NaN);
    expect(buffers[out]).toEqual(expected);
  });
});

describe('relu', () => {
  it('refuses an output of another length', () => {
    expect(() => relu(new Float32Array(3), new Float32Array(4))).toThrow(
      'relu: out expected length 4, got 3',
    );
  });
});
