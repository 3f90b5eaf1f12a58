/** Which pixels KAR and ROAR keep. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keptPixels, maskColumns, randomMap } from '../../../src/evaluate/kar-roar/masks.js';

interface Masked {
  readonly size: readonly [H: number, W: number];
  readonly map: Float32Array;
  readonly fraction: number;
}

describe('keptPixels', () => {
  const maps = fc.integer({ min: 1, max: 12 }).chain((H) =>
    fc.integer({ min: 1, max: 12 }).chain((W) =>
      fc.record({
        size: fc.constant([H, W] as const),
        map: fc
          .array(fc.constantFrom(0, 0.25, 1, 3, Number.NaN, Number.NEGATIVE_INFINITY), {
            minLength: H * W,
            maxLength: H * W,
          })
          .map((values) => Float32Array.from(values)),
        fraction: fc.constantFrom(0, 0.025, 0.1, 0.5, 0.9, 1),
      }),
    ),
  );

  it('keeps at least one pixel, and none that is less salient than one that it leaves', () => {
    const check = ({ size, map, fraction }: Masked): void => {
      const order = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
      for (const mode of ['kar', 'roar'] as const) {
        const mask = keptPixels(map, size, mode, fraction);
        const kept = [...map.keys()].filter((i) => mask[i] === 1).map((i) => order(map[i]!));
        const left = [...map.keys()].filter((i) => mask[i] === 0).map((i) => order(map[i]!));
        expect(kept.length).toBeGreaterThan(0);
        if (fraction === 1) expect(left).toEqual([]);
        if (left.length === 0) continue;
        if (mode === 'kar') expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.max(...left));
        else expect(Math.max(...kept)).toBeLessThanOrEqual(Math.min(...left));
      }
    };
    fc.assert(fc.property(maps, check));
  });

  it('keeps 2.5 % and 10 % of the pixels of the scales of a ResNet', () => {
    const counts = [112, 56, 28, 14, 7].map((side) =>
      (['kar', 'roar'] as const).map((mode) => {
        const map = randomMap(side * side, 1, 0);
        const mask = keptPixels(map, [side, side], mode, mode === 'kar' ? 0.025 : 0.1);
        return mask.reduce((sum, one) => sum + one, 0);
      }),
    );
    expect(counts).toEqual([
      [313, 1254],
      [78, 313],
      [19, 78],
      [4, 19],
      [1, 4],
    ]);
  });
});

describe('randomMap', () => {
  it('depends on the seed and the picture alone', () => {
    expect(randomMap(9, 1, 2)).toEqual(randomMap(9, 1, 2));
    expect(randomMap(9, 1, 2)).not.toEqual(randomMap(9, 1, 3));
    expect(randomMap(9, 1, 2)).not.toEqual(randomMap(9, 2, 2));
  });
});

describe('maskColumns', () => {
  it('clears whole columns', () => {
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    maskColumns(x, Uint8Array.of(1, 0, 1));
    expect([...x]).toEqual([1, 2, 0, 0, 5, 6]);
  });
});
