import fc from 'fast-check';
import ops from 'ndarray-ops';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { lovi, loviColors, loviLegend } from '../../src/viz/lovi.js';
import { type SaliencyMap, toNdArray } from '../../src/viz/ndarray.js';
import { upsampleBilinear } from '../../src/viz/upsample.js';
import { loadGolden } from '../goldens.js';
import { asNdarray, largestDifference, map, stretched, unitMap } from './arbitraries.js';

const golden = loadGolden('combine');

/** LOVI of one pixel with these γ, first scale to last. */
function pixel(gammas: readonly number[]): number[] {
  const out = new Float32Array(3);
  loviColors(
    out,
    gammas.map((gamma) => map([1, 1], [gamma])),
    [1, 1],
  );
  return [...out];
}

describe.each(['nonsquare', 'odd'])('golden %s', (name) => {
  test('of an enlarged stack is within 1e-6 of the authors’ code, whose order is BGR', () => {
    const { data: expected, shape } = golden.get(`${name}.lovi_bgr`)!;
    const [H, W] = shape as [number, number, number];
    const maps = [0, 1, 2, 3, 4].map((i) => {
      const stored = golden.get(`${name}.map${i}`)!;
      return toNdArray(stored.data as Float32Array, [...stored.shape]);
    });
    const out = new Float32Array(3 * H * W);
    loviColors(out, stretched(maps, [H, W]), [H, W]);
    // The authors' code holds its HSV picture in float32: hue in degrees is rounded by 300·2⁻²⁵, which
    // is 1.5e-7 of the 60° over which a channel rises, in each of three operations on it.
    const bgr = out.map((_, i) => out[i - (i % 3) + 2 - (i % 3)]!);
    expect(largestDifference(bgr, expected)).toBeLessThanOrEqual(1e-6);
  });
});

describe('loviColors', () => {
  const stacks = fc
    .integer({ min: 2, max: 6 })
    .chain((n) => fc.array(unitMap(5), { minLength: n, maxLength: n }));

  test('are Eq. 4–7 by ndarray-ops: value, saturation and hue, within 1e-6', () => {
    const size: [number, number] = [6, 7];
    fc.assert(
      fc.property(stacks, (maps) => {
        const out = new Float32Array(3 * 42);
        loviColors(out, maps, size);
        const { hue, saturation, value } = hsvByOps(maps, size);
        for (let i = 0; i < 42; i++) {
          const rgb = [...out.subarray(3 * i, 3 * i + 3)];
          const max = Math.max(...rgb);
          expect(Math.abs(max - value.data[i]!)).toBeLessThanOrEqual(2 ** -24);
          const chroma = saturation.data[i]! * value.data[i]!;
          expect(Math.abs(max - Math.min(...rgb) - chroma)).toBeLessThanOrEqual(1e-6);
          // A hue is worth its digits only where there is colour.
          if (chroma > 0.01) {
            expect(Math.abs(hueOf(rgb) - hue.data[i]!) * chroma).toBeLessThanOrEqual(60 * 1e-6);
          }
        }
      }),
    );
  });

  test('are black where all maps are 0', () => {
    expect(pixel([0, 0, 0, 0, 0])).toEqual([0, 0, 0]);
    fc.assert(
      fc.property(stacks, (maps) => {
        const zero = maps.map(({ shape, data }) => toNdArray(new Float32Array(data.length), shape));
        const out = new Float32Array(3 * 20).fill(9);
        loviColors(out, zero, [4, 5]);
        expect(out.every((value) => value === 0)).toBe(true);
      }),
    );
  });

  test('are pure hues if only one scale is not 0: 300°, 225°, 150°, 75° and 0° for five scales', () => {
    expect(pixel([1, 0, 0, 0, 0])).toEqual([1, 0, 1]);
    expect(pixel([0, 1, 0, 0, 0])).toEqual([0, 0.25, 1]);
    expect(pixel([0, 0, 1, 0, 0])).toEqual([0, 1, 0.5]);
    expect(pixel([0, 0, 0, 1, 0])).toEqual([0.75, 1, 0]);
    expect(pixel([0, 0, 0, 0, 1])).toEqual([1, 0, 0]);
  });

  test('are grey, as bright as γ, where all scales are equal', () => {
    const unit = fc.float({ min: 2 ** -20, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, fc.integer({ min: 2, max: 9 }), (gamma, n) => {
        for (const channel of pixel(new Array<number>(n).fill(gamma))) {
          expect(Math.abs(channel - gamma)).toBeLessThanOrEqual(2 ** -24);
        }
      }),
    );
  });

  test('of one map alone are red, as bright as γ', () => {
    expect(pixel([0.5])).toEqual([0.5, 0, 0]);
  });

  test('stay in [0, 1], and values outside of it are clamped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 1 }),
        (gammas) => {
          const color = pixel(gammas);
          expect(color.every((channel) => channel >= 0 && channel <= 1)).toBe(true);
          expect(color).toEqual(pixel(gammas.map((gamma) => Math.min(1, Math.max(0, gamma)))));
        },
      ),
    );
  });

  test('double with their maps, to the bit: a common factor does not change hue and saturation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 0.5, noNaN: true }), { minLength: 1 }),
        (gammas) => {
          fc.pre(gammas.every((gamma) => gamma === 0 || gamma > 2 ** -100));
          expect(pixel(gammas.map((gamma) => 2 * gamma))).toEqual(pixel(gammas).map((c) => 2 * c));
        },
      ),
    );
  });

  test('are NaN outside of the region', () => {
    const stack = [map([1, 2], [0, 0.5]), map([1, 1], [0.25])];
    const region = { x: 1, y: 0, width: 2, height: 1 };
    const out = new Float32Array(12);
    loviColors(out, stack, [1, 4], region);
    expect([...out.subarray(0, 3), ...out.subarray(9)].every(Number.isNaN)).toBe(true);
    const alone = new Float32Array(6);
    loviColors(alone, stack, [1, 2]);
    expect(out.subarray(3, 9)).toEqual(alone);
  });

  test('arguments that do not fit are refused', () => {
    const one = map([1, 1], [1]);
    expect(() => loviColors(new Float32Array(4), [one], [1, 1])).toThrow(
      'loviColors: out expected length 3 for [1, 1, 3], got 4',
    );
    expect(() => loviColors(new Float32Array(3), [], [1, 1])).toThrow(ShapeError);
  });
});

describe('lovi', () => {
  test('is loviColors in rounded bytes, opaque', () => {
    fc.assert(
      fc.property(fc.array(unitMap(4), { minLength: 1, maxLength: 5 }), (maps) => {
        const { data, width, height } = lovi(maps, [5, 4]);
        const colors = new Float32Array(60);
        loviColors(colors, maps, [5, 4]);
        expect([width, height, data.length]).toEqual([4, 5, 80]);
        for (let i = 0; i < 20; i++) {
          expect(data[4 * i + 3]).toBe(255);
          for (let channel = 0; channel < 3; channel++) {
            const exact = 255 * colors[3 * i + channel]!;
            expect(Math.abs(data[4 * i + channel]! - exact)).toBeLessThanOrEqual(0.5001);
          }
        }
      }),
    );
  });

  test('is grey of two shades outside of the region', () => {
    const region = { x: 0, y: 0, width: 1, height: 1 };
    const { data } = lovi([map([1, 1], [1])], [20, 20], region);
    const greys = new Set<string>();
    for (let i = 4; i < data.length; i += 4) greys.add([...data.subarray(i, i + 4)].join());
    expect([...greys].sort()).toEqual(['112,112,112,255', '144,144,144,255']);
  });
});

describe('loviLegend', () => {
  test('has the colour of each scale alone in its upper half, and white at the bottom', () => {
    for (const n of [2, 3, 5, 7]) {
      const { data, width, height } = loviLegend(n, 10 * n, 9);
      expect([width, height]).toEqual([10 * n, 9]);
      for (let l = 0; l < n; l++) {
        const alone = pixel(Array.from({ length: n }, (_, i) => (i === l ? 1 : 0)));
        for (const x of [10 * l, 10 * l + 9]) {
          for (const y of [0, 4]) {
            const pure = [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
            const exact = alone.map((channel) => 255 * channel);
            expect(largestDifference(pure, exact)).toBeLessThanOrEqual(0.5001);
          }
          const bottom = 4 * (8 * width + x);
          expect([...data.subarray(bottom, bottom + 4)]).toEqual([255, 255, 255, 255]);
        }
      }
    }
  });

  test('follows LOVI’s formula in between: there the other scales are one quarter', () => {
    const { data, width } = loviLegend(4, 4, 5);
    for (let l = 0; l < 4; l++) {
      const quarter = pixel(Array.from({ length: 4 }, (_, i) => (i === l ? 1 : 0.25)));
      for (let channel = 0; channel < 3; channel++) {
        const byte = data[4 * (3 * width + l) + channel]!;
        expect(Math.abs(byte - 255 * quarter[channel]!)).toBeLessThanOrEqual(0.5001);
      }
    }
  });

  test('refuses no scales and no pixels', () => {
    expect(() => loviLegend(0, 5, 5)).toThrow(ShapeError);
    expect(() => loviLegend(5, 0, 5)).toThrow(ShapeError);
  });
});

/** Hue (degrees), saturation and value of Eq. 4–7, by whole-array operations. */
function hsvByOps(maps: readonly SaliencyMap[], size: [number, number]) {
  const n = maps.length;
  const fresh = () => toNdArray(new Float64Array(size[0] * size[1]), [...size]);
  const [sum, hue, value] = [fresh(), fresh(), fresh()];
  const [saturation, gamma] = [fresh(), fresh()];
  maps.forEach((source, l) => {
    const up = toNdArray(new Float32Array(size[0] * size[1]), [...size]);
    upsampleBilinear(up.data, size, source);
    ops.muls(asNdarray(gamma), asNdarray(up), 1);
    ops.addeq(asNdarray(sum), asNdarray(gamma));
    ops.maxeq(asNdarray(value), asNdarray(gamma));
    ops.mulseq(asNdarray(gamma), 300 * (1 - l / (n - 1)));
    ops.addeq(asNdarray(hue), asNdarray(gamma));
  });
  ops.diveq(asNdarray(hue), asNdarray(sum));
  ops.div(asNdarray(saturation), asNdarray(sum), asNdarray(value));
  ops.divseq(asNdarray(saturation), n);
  ops.subseq(asNdarray(saturation), 1 / n);
  ops.divseq(asNdarray(saturation), -(1 - 1 / n));
  ops.addseq(asNdarray(saturation), 1);
  // 0/0 where all maps are 0.
  for (let i = 0; i < sum.data.length; i++) if (sum.data[i] === 0) saturation.data[i] = 0;
  return { hue, saturation, value };
}

/** The hue of an RGB colour, in degrees, by the usual six cases. */
function hueOf([r, g, b]: number[]): number {
  const max = Math.max(r!, g!, b!);
  const chroma = max - Math.min(r!, g!, b!);
  if (max === r) return (60 * ((g! - b!) / chroma) + 360) % 360;
  return max === g ? 60 * ((b! - r!) / chroma) + 120 : 60 * ((r! - g!) / chroma) + 240;
}
