/** The map kernels of the SIMD backend do what fastcam/viz does, bit for bit, or leave it alone. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wasmKernels } from '../../src/kernels/index.js';
import { combinedMap, normalizedMap } from '../../src/methods/index.js';
import {
  combineMaps,
  normalizeGaussian,
  type Region,
  type SaliencyMap,
  toNdArray,
} from '../../src/viz/index.js';

const extent = fc.integer({ min: 1, max: 40 });
const value = fc.float({ min: -10, max: 10 });

/** Maps with a NaN here and there. */
const map = fc
  .tuple(
    extent,
    extent.filter((w) => w > 1),
  )
  .chain(([h, w]) => {
    const values = fc.array(value, { minLength: h * w, maxLength: h * w });
    return values.map((data) => toNdArray(Float32Array.from(data), [h, w]));
  });

const offset = fc.double({ min: -9, max: 9, noNaN: true });
const length = fc.double({ min: 0.5, max: 90, noNaN: true });
const region = fc.record({ x: offset, y: offset, width: length, height: length });

describe.each(['simd', 'relaxed'] as const)('map kernels of %s', async (build) => {
  const backend = await wasmKernels(build);
  const { normalizeGaussian: normalize, sumUpsampled } = backend.maps!;

  it('combine any maps, over any region, with the same bits as combineMaps', () => {
    const scales = fc.array(fc.tuple(map, fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 6,
    });
    const size = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 90 }));
    fc.assert(
      fc.property(scales, size, fc.option(region, { nil: undefined }), (weighted, size, region) => {
        const maps = weighted.map(([map]) => map);
        const weights = weighted.map(([, weight]) => weight + 1e-3);
        const combined = new Float32Array(size[0] * size[1]);
        const whole = { x: 0, y: 0, width: size[1], height: size[0] };
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const shares = weights.map((weight) => weight / total);
        expect(sumUpsampled(combined, size, maps, shares, region ?? whole)).toBe(true);
        expect(combined).toEqual(combineMaps(maps, size, weights, region).data);
      }),
    );
  });

  it('normalise any map with the same bits as normalizeGaussian', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(value, fc.constantFrom(3, NaN)), { maxLength: 300 }),
        (list) => {
          const x = Float32Array.from(list);
          const expected = new Float32Array(x.length);
          normalizeGaussian(expected, x);
          const out = new Float32Array(x.length);
          expect(normalize(out, x)).toBe(true);
          expect(out).toEqual(expected);
          // In place, too.
          expect(normalize(x, x)).toBe(true);
          expect(x).toEqual(expected);
        },
      ),
    );
  });

  it.each<[string, number[]]>([
    ['a constant map', new Array(9).fill(0.1)],
    ['one pixel', [7]],
    ['nothing but NaN', [NaN, NaN]],
    ['an infinite value', [1, 2, Infinity]],
    ['a narrow distribution about a large mean', [1e7, 1e7 + 1, 1e7 + 2]],
  ])('normalise %s as normalizeGaussian does', (_, list) => {
    const x = Float32Array.from(list);
    const [expected, out] = [new Float32Array(x.length), new Float32Array(x.length)];
    normalizeGaussian(expected, x);
    expect(normalize(out, x)).toBe(true);
    expect(out).toEqual(expected);
  });

  it('leave maps with an outlier beyond eight standard deviations to normalizeGaussian, which uses erfc', () => {
    const x = new Float32Array(100).map((_, i) => (i === 50 ? -1000 : i % 7));
    const untouched = new Float32Array(100).fill(9);
    expect(normalize(untouched, x)).toBe(false);
    expect(untouched.every((v) => v === 9)).toBe(true);
    const out = normalizedMap(backend, x, [1, 100]).data;
    expect(out[50]).toBeGreaterThan(0);
    expect(out[50]).toBeLessThan(1e-15);
  });

  it.each<[string, SaliencyMap, [number, number]]>([
    ['a map of one column', toNdArray(new Float32Array(3), [3, 1]), [6, 6]],
    ['a map that is not row by row', { ...grid(2, 3), stride: [1, 2] }, [6, 6]],
    ['a picture too wide for the scratch', grid(2, 2), [1, 20_000]],
    ['a map too large for the scratch', grid(400, 400), [10, 10]],
  ])('leave %s to combineMaps', (_, map, size) => {
    const out = new Float32Array(size[0] * size[1]).fill(9);
    const region: Region = { x: 0, y: 0, width: size[1], height: size[0] };
    expect(sumUpsampled(out, size, [map], [1], region)).toBe(false);
    expect(out.every((v) => v === 9)).toBe(true);
    const combined = combinedMap(backend, [map], size, 'equal', region);
    expect(combined).toEqual(combineMaps([map], size));
  });

  it('leave a map too large for the scratch to normalizeGaussian', () => {
    const x = new Float32Array(140_000);
    expect(normalize(x, x)).toBe(false);
  });
});

function grid(h: number, w: number): SaliencyMap {
  return toNdArray(
    new Float32Array(h * w).map((_, i) => i),
    [h, w],
  );
}
