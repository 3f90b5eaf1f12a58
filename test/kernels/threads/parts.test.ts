import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conv2dShape } from '../../../src/kernels/index.js';
import { convolutionParts, ranges } from '../../../src/kernels/threads/split.js';

describe('ranges', () => {
  const parameters = fc.record({
    total: fc.integer({ min: 1, max: 500 }),
    parts: fc.integer({ min: 1, max: 9 }),
    unit: fc.integer({ min: 1, max: 40 }),
  });

  it('cover everything once, begin at whole units, and differ by one unit at most', () => {
    fc.assert(
      fc.property(parameters, ({ total, parts, unit }) => {
        const all = ranges(total, parts, unit);
        expect(all.length).toBeLessThanOrEqual(parts);
        let next = 0;
        for (const [begin, length] of all) {
          expect(begin).toBe(next);
          expect(begin % unit).toBe(0);
          expect(length).toBeGreaterThan(0);
          next += length;
        }
        expect(next).toBe(total);
        const units = all.map(([, length]) => Math.ceil(length / unit));
        expect(Math.max(...units) - Math.min(...units)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('convolutionParts', () => {
  const parameters = fc.record({
    N: fc.integer({ min: 1, max: 5 }),
    H: fc.integer({ min: 1, max: 40 }),
    W: fc.integer({ min: 1, max: 40 }),
    Cin: fc.constantFrom(16, 32, 64),
    Cout: fc.constantFrom(32, 48, 64, 80, 112, 208, 224, 256, 512),
    threads: fc.integer({ min: 1, max: 5 }),
    algorithm: fc.constantFrom('gemm', 'sparse', 'winograd' as const),
  });

  it('write each element once; parts for the sparse kernel have four or more panels, an even number', () => {
    fc.assert(
      fc.property(parameters, ({ threads, algorithm, ...extents }) => {
        const square = { kH: 3, kW: 3, groups: 1, strideY: 1, strideX: 1, padY: 1, padX: 1 };
        const shape = conv2dShape({ ...extents, ...square });
        const { N, Hout, Cout } = shape;
        const written = new Uint8Array(N * Hout * Cout);
        for (const part of convolutionParts(shape, algorithm, threads)) {
          if (algorithm === 'sparse')
            expect([part.columns >= 32, part.columns % 16]).toEqual([true, 0]);
          if (algorithm === 'winograd') expect(part.oy % 4).toBe(0);
          for (let n = part.n; n < part.n + part.N; n++) {
            for (let oy = part.oy; oy < part.oy + part.rows; oy++) {
              const line = (n * Hout + oy) * Cout;
              for (let oc = part.oc; oc < part.oc + part.columns; oc++) written[line + oc]!++;
            }
          }
        }
        expect(written.every((times) => times === 1)).toBe(true);
      }),
    );
  });
});
