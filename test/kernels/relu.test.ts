import { describe, expect, it } from 'vitest';
import { relu } from '../../src/kernels/index.js';

describe('relu', () => {
  it.each([false, true])('sets negative values to 0 and keeps NaN, in place: %s', (inPlace) => {
    const x = Float32Array.of(-1, -1e-40, 0, 1e-40, 2, Infinity, -Infinity, Number.NaN);
    const out = inPlace ? x : new Float32Array(x.length);
    relu(out, x);
    expect(out).toEqual(Float32Array.of(0, 0, 0, 1e-40, 2, Infinity, 0, Number.NaN));
  });

  it('refuses an output of another length', () => {
    expect(() => relu(new Float32Array(3), new Float32Array(4))).toThrow(
      'relu: out expected length 4, got 3',
    );
  });
});
