import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { kendallTau, sameMaximum, spearmanRho, topOverlap } from '../../src/evaluate/map-order.js';

/** Two maps of as many pixels: few different values, or any; some not seen. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, -0, 0.25, 0.5, 1, -2) },
  { weight: 2, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const tieHeavy = fc.array(fc.tuple(value, value), { maxLength: 60 });
const distinct = fc.array(fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })), {
  maxLength: 60,
});
const twoMaps = fc
  .oneof(tieHeavy, distinct)
  .map((pixels): [Float64Array, Float64Array] => [
    Float64Array.from(pixels, ([a]) => a),
    Float64Array.from(pixels, ([, b]) => b),
  ]);

/** Pixels seen in both maps. */
function seen(a: Float64Array, b: Float64Array): [a: number, b: number][] {
  return Array.from(a, (v, i): [number, number] => [v, b[i]!]).filter(
    (pair) => !pair.some(Number.isNaN),
  );
}

const isConstant = (values: readonly number[]): boolean => values.every((v) => v === values[0]);

/** −1, 0 or 1; unlike the sign of a difference it knows ∞ − ∞. */
const order = (x: number, y: number): number => (x < y ? -1 : x > y ? 1 : 0);

/** The definition, pair by pair. */
function tauReference(a: Float64Array, b: Float64Array): number {
  const pixels = seen(a, b);
  let sum = 0;
  let untiedInA = 0;
  let untiedInB = 0;
  for (let i = 0; i < pixels.length; i++) {
    for (let j = 0; j < i; j++) {
      const inA = order(pixels[i]![0], pixels[j]![0]);
      const inB = order(pixels[i]![1], pixels[j]![1]);
      sum += inA * inB;
      untiedInA += inA * inA;
      untiedInB += inB * inB;
    }
  }
  return sum / Math.sqrt(untiedInA * untiedInB);
}

/** Pearson's correlation of ranks that are counted one by one. */
function rhoReference(a: Float64Array, b: Float64Array): number {
  const pixels = seen(a, b);
  const n = pixels.length;
  const ranks = [0, 1].map((side) =>
    pixels.map((p) => {
      const less = pixels.filter((q) => q[side]! < p[side]!).length;
      const equal = pixels.filter((q) => q[side] === p[side]).length;
      return less + (equal + 1) / 2 - (n + 1) / 2;
    }),
  );
  const dot = (x: number[], y: number[]): number => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  const [ra, rb] = ranks as [number[], number[]];
  return dot(ra, rb) / Math.sqrt(dot(ra, ra) * dot(rb, rb));
}

describe.each([
  { name: 'kendallTau', metric: kendallTau, reference: tauReference },
  { name: 'spearmanRho', metric: spearmanRho, reference: rhoReference },
])('$name', ({ metric, reference }) => {
  it('is within 1e-14 of its definition in O(n²), also with ties and unseen pixels', () => {
    fc.assert(
      fc.property(twoMaps, ([a, b]) => {
        const pixels = seen(a, b);
        fc.pre(!isConstant(pixels.map((p) => p[0])) && !isConstant(pixels.map((p) => p[1])));
        expect(Math.abs(metric(a, b) - reference(a, b))).toBeLessThanOrEqual(1e-14);
      }),
      { numRuns: 1000 },
    );
  });

  it('is symmetric, within −1…1, and exactly 1 of a map and itself', () => {
    fc.assert(
      fc.property(twoMaps, ([a, b]) => {
        expect(metric(b, a)).toBe(metric(a, b));
        expect(Math.abs(metric(a, b))).toBeLessThanOrEqual(1);
        expect(metric(a, a)).toBe(1);
      }),
    );
  });

  it('does not change under a strictly increasing function, and changes its sign under a decreasing one', () => {
    fc.assert(
      fc.property(tieHeavy, (pixels) => {
        const a = Float64Array.from(pixels, ([v]) => v);
        const b = Float64Array.from(pixels, ([, v]) => v);
        // A power of two is exact, so that no two values become one.
        expect(
          metric(
            a.map((v) => 8 * v),
            b,
          ),
        ).toBe(metric(a, b));
        const turned = metric(
          a,
          b.map((v) => -v),
        );
        const values = seen(a, b);
        const [constantA, constantB] = [0, 1].map((side) =>
          isConstant(values.map((p) => p[side]!)),
        );
        const expected = constantA && constantB ? 1 : -metric(a, b);
        expect(turned + 0).toBeCloseTo(expected + 0, 14);
      }),
    );
  });

  it('is 1 if both maps are constant, 0 if one is; fewer than two pixels count as constant', () => {
    const [flat, other, varied] = [
      [2, 2, 2],
      [5, 5, 5],
      [1, 2, 3],
    ].map((v) => Float32Array.from(v)) as [Float32Array, Float32Array, Float32Array];
    expect(metric(flat, other)).toBe(1);
    expect(metric(flat, varied)).toBe(0);
    expect(metric(varied, flat)).toBe(0);
    expect(metric(new Float32Array(0), new Float32Array(0))).toBe(1);
    expect(metric(Float32Array.of(NaN, 1), Float32Array.of(3, 2))).toBe(1);
  });
});

describe('kendallTau', () => {
  it('is 1 − 4·swaps/(n(n−1)) exactly for the maps of a picture, n = 130 000', () => {
    const n = 130_000;
    const rising = Float32Array.from({ length: n }, (_, i) => i);
    const halvesSwapped = rising.map((i) => (i + n / 2) % n);
    expect(kendallTau(rising, halvesSwapped)).toBe((n * (n - 1) - (4 * n * n) / 4) / (n * (n - 1)));
    expect(kendallTau(rising, rising.slice().reverse())).toBe(-1);
  });
});

describe('topOverlap', () => {
  const share = fc.integer({ min: 1, max: 100 });

  /** The definition: the ⌈share·n⌉ first of a stable sort. */
  function overlapReference(a: Float64Array, b: Float64Array, percent: number): number {
    const pixels = seen(a, b);
    const count = Math.ceil((pixels.length * percent) / 100);
    const top = (side: 0 | 1): Set<[number, number]> =>
      new Set([...pixels].sort((p, q) => order(q[side], p[side])).slice(0, count));
    const [inA, inB] = [top(0), top(1)];
    return count === 0 ? 1 : [...inA].filter((pixel) => inB.has(pixel)).length / count;
  }

  it('is the share of the top ⌈share·n⌉ in common, ties by index', () => {
    fc.assert(
      fc.property(twoMaps, share, ([a, b], percent) => {
        expect(topOverlap(a, b, percent / 100)).toBe(overlapReference(a, b, percent));
      }),
      { numRuns: 1000 },
    );
  });

  it('is symmetric, 1 of a map and itself, and 1 for all pixels', () => {
    fc.assert(
      fc.property(twoMaps, share, ([a, b], percent) => {
        expect(topOverlap(b, a, percent / 100)).toBe(topOverlap(a, b, percent / 100));
        expect(topOverlap(a, a, percent / 100)).toBe(1);
        expect(topOverlap(a, b, 1)).toBe(1);
      }),
    );
  });

  it('a map and its reverse have nothing in common up to a half', () => {
    const a = Float32Array.of(1, 2, 3, 4);
    expect(topOverlap(a, a.slice().reverse(), 0.5)).toBe(0);
    expect(topOverlap(a, a.slice().reverse(), 0.75)).toBe(2 / 3);
    expect(topOverlap(a, a.slice().reverse(), 1e-9)).toBe(0);
  });

  it('refuses a share that is not above 0 and up to 1', () => {
    for (const bad of [0, -0.1, 1.1, NaN]) {
      expect(() => topOverlap(new Float32Array(1), new Float32Array(1), bad)).toThrow(
        `topOverlap: share expected above 0 and up to 1, got ${bad}`,
      );
    }
  });
});

describe('sameMaximum', () => {
  it('is whether the first of the largest values is at the same pixel', () => {
    fc.assert(
      fc.property(twoMaps, ([a, b]) => {
        const pixels = seen(a, b);
        const first = (side: 0 | 1): number => {
          const values = pixels.map((p) => p[side]);
          return values.indexOf(Math.max(...values) + 0);
        };
        expect(sameMaximum(a, b)).toBe(first(0) === first(1));
        expect(sameMaximum(a, a)).toBe(true);
      }),
    );
  });

  it('leaves out pixels that either map has not seen', () => {
    expect(sameMaximum(Float32Array.of(9, 1, 2), Float32Array.of(NaN, 5, 6))).toBe(true);
    expect(sameMaximum(Float32Array.of(9, 1, 2), Float32Array.of(1, 5, 6))).toBe(false);
    expect(sameMaximum(new Float32Array(0), new Float32Array(0))).toBe(true);
  });
});

it('maps of different lengths are refused', () => {
  const [a, b] = [new Float32Array(2), new Float32Array(3)];
  for (const metric of [kendallTau, spearmanRho, sameMaximum]) {
    expect(() => metric(a, b)).toThrow(ShapeError);
    expect(() => metric(a, b)).toThrow(`${metric.name}: b expected length 2, got 3`);
  }
  expect(() => topOverlap(a, b, 0.5)).toThrow('topOverlap: b expected length 2, got 3');
});
