/** Measures where the right answer is known: a network that looks at one region, and maps without meaning. */

import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import {
  boxOnMap,
  ClassProbe,
  confidenceChange,
  deletionEnds,
  insertionEnds,
  linearImputation,
  localization,
  meanOf,
  meansOf,
  methodMap,
  orderTable,
  pixelCurve,
  pixelOrder,
  road,
  spearmanRho,
  topOverlap,
  unitMap,
  withoutPixels,
} from '../../src/evaluate/index.js';
import { goldenNetwork, loaded, numbers, regionNetwork } from './small-networks.js';

const SIDE = 8;
/** The network looks at the middle 4×4 pixels of 8×8. */
const region = Float32Array.from({ length: SIDE * SIDE }, (_, p) => {
  const [y, x] = [Math.floor(p / SIDE), p % SIDE];
  return x >= 2 && x < 6 && y >= 2 && y < 6 ? 1 : 0;
});
const opposite = region.map((value) => 1 - value);
const constant = new Float32Array(SIDE * SIDE).fill(0.3);
const unseen = new Float32Array(SIDE * SIDE).fill(Number.NaN);
const ones = { data: new Float32Array(SIDE * SIDE).fill(1), H: SIDE, W: SIDE };
const net = loaded(regionNetwork(region));
const probe = new ClassProbe(net, ones, 0);
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

describe('a network that looks at one region', () => {
  it('gives the probability that its logits say, and knows its class', () => {
    expect(probe.whole.probability).toBeCloseTo(sigmoid(4), 6);
    expect(probe.whole.isTop).toBe(true);
    expect(new ClassProbe(net, ones).target).toBe(0);
    expect(new ClassProbe(net, ones, 1).whole.isTop).toBe(false);
    expect(() => new ClassProbe(net, ones, 2)).toThrow(ShapeError);
  });

  it('has the gradient as its map', () => {
    const map = methodMap(net, ones, 'gradient', { target: 0, seed: 0 });
    expect(map).toEqual(region.map((value) => value / 2));
  });

  it('loses its class with the region: the deletion curve is the sigmoid of what is left', () => {
    const { shares, probabilities } = pixelCurve(probe, deletionEnds(ones), pixelOrder(region), 16);
    for (const [k, share] of shares.entries()) {
      const left = Math.max(0, 1 - share * 4);
      expect(probabilities[k]).toBeCloseTo(sigmoid(8 * left - 4), 5);
    }
  });

  const anyMap = fc
    .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 })
    .map((values) => Float32Array.from(values));
  test.prop([anyMap])('no map deletes or inserts better than the true one', (map) => {
    const area = (ends: ReturnType<typeof deletionEnds>, of: Float32Array) =>
      pixelCurve(probe, ends, pixelOrder(of), 8).area;
    const deletion = deletionEnds(ones);
    expect(area(deletion, map)).toBeGreaterThanOrEqual(area(deletion, region) - 1e-6);
    const insertion = { start: deletion.end, end: ones.data };
    expect(area(insertion, map)).toBeLessThanOrEqual(area(insertion, region) + 1e-6);
  });

  it('is not disturbed by ROAD where nothing but the picture’s one color is filled in', () => {
    const scores = road(probe, pixelOrder(region), { shares: [0.25, 0.5], noise: [0], seed: 1 });
    for (const { probability } of [...scores.morf, ...scores.lerf]) {
      expect(probability).toBeCloseTo(sigmoid(4), 4);
    }
    expect(scores.score).toBeCloseTo(0, 4);
  });

  it('is hidden by ROAD’s most relevant quarter, and kept by its least relevant three', () => {
    const bright = { ...ones, data: region };
    const own = new ClassProbe(net, bright, 0);
    const { morf, lerf, score } = road(own, pixelOrder(region), {
      ...{ shares: [0.25, 0.75], noise: [0], seed: 1 },
    });
    // What lies around is black, and fills the hole; the other way round white fills everything.
    expect(morf[0]!.probability).toBeCloseTo(sigmoid(-4), 4);
    expect(lerf[1]!.probability).toBeCloseTo(sigmoid(4), 4);
    expect(morf[0]!.isTop).toBe(false);
    expect(score).toBeGreaterThan(0.2);
  });

  it('keeps all its confidence behind the true map, and loses it behind the opposite', () => {
    expect(confidenceChange(probe, region, [0])).toEqual({ drop: 0, increase: 0 });
    const { drop } = confidenceChange(probe, opposite, [0]);
    expect(drop).toBeCloseTo(1 - sigmoid(-4) / sigmoid(4), 5);
  });

  it('gains confidence if what speaks against the class is dark', () => {
    const against = new ClassProbe(net, { ...ones, data: region.map((v) => 2 * v - 1) }, 1);
    expect(confidenceChange(against, opposite, [0]).increase).toBe(1);
  });
});

describe('a single logit', () => {
  const single = loaded(regionNetwork(region, 1));
  it('has the probability of the side on which the picture is', () => {
    const above = new ClassProbe(single, ones);
    expect(above.whole.probability).toBeCloseTo(sigmoid(4), 6);
    const dark = { ...ones, data: new Float32Array(64) };
    const below = new ClassProbe(single, dark);
    expect(below.whole.probability).toBeCloseTo(sigmoid(4), 6);
    const [changed] = below.scores([ones.data]);
    expect(changed!.probability).toBeCloseTo(sigmoid(-4), 6);
    expect(changed!.isTop).toBe(false);
  });
});

describe('maps without differences, and pixels that were not seen', () => {
  it('are ordered by index, with unseen pixels last', () => {
    expect(pixelOrder(Float32Array.of(1, Number.NaN, 3, 1, Number.NaN, -0, 0))).toEqual(
      Uint32Array.of(2, 0, 3, 5, 6, 1, 4),
    );
    expect(pixelOrder(unseen)).toEqual(Uint32Array.from({ length: 64 }, (_, i) => i));
  });

  it('weigh every pixel alike if constant, and none that was not seen', () => {
    expect(unitMap(constant)).toEqual(new Float64Array(64).fill(1));
    expect(unitMap(unseen)).toEqual(new Float64Array(64));
    expect(unitMap(Float32Array.of(2, Number.NaN, 6, 4))).toEqual(Float64Array.of(0, 0, 1, 0.5));
    // Squares of small gradients.
    expect(unitMap(Float32Array.of(1e-20, 3e-20, 2e-20))[2]).toBeCloseTo(0.5, 5);
  });

  it('drop nothing if constant', () => {
    expect(confidenceChange(probe, constant, [-2])).toEqual({ drop: 0, increase: 0 });
  });

  it('lose everything if nothing was seen', () => {
    expect(confidenceChange(probe, unseen, [0]).drop).toBeCloseTo(1 - sigmoid(-4) / sigmoid(4), 5);
  });
});

describe('localisation', () => {
  const box = { x0: 2, y0: 2, x1: 6, y1: 6 };
  const at = (x: number, y: number) =>
    Float32Array.from({ length: 64 }, (_, p) => +(p === y * 8 + x));

  it('is perfect for the map of the box itself, and 0 for its opposite', () => {
    expect(localization(region, [8, 8], [box], 0)).toEqual({ pointing: 1, energy: 1 });
    expect(localization(opposite, [8, 8], [box], 0)).toEqual({ pointing: 0, energy: 0 });
  });

  it('hits within the tolerance of a box, measured from the pixel’s centre', () => {
    expect(localization(at(6, 3), [8, 8], [box], 0.49)!.pointing).toBe(0);
    expect(localization(at(6, 3), [8, 8], [box], 0.5)!.pointing).toBe(1);
    expect(localization(at(6, 6), [8, 8], [box], 0.7)!.pointing).toBe(0);
    expect(localization(at(6, 6), [8, 8], [box], 0.71)!.pointing).toBe(1);
    expect(localization(at(0, 0), [8, 8], [box, { x0: 0, y0: 0, x1: 1, y1: 1 }], 0)!.pointing).toBe(
      1,
    );
  });

  it('is chance for a constant map, and undefined if nothing was seen', () => {
    expect(localization(constant, [8, 8], [box], 0)).toEqual({ pointing: 0.25, energy: 0.25 });
    expect(localization(unseen, [8, 8], [box], 0)).toBeUndefined();
  });

  it('has boxes with both corners inside, cut to what the network saw', () => {
    const whole = { x: 0, y: 0, width: 4, height: 4 };
    expect(boxOnMap({ x0: 1, y0: 1, x1: 2, y1: 2 }, whole, [8, 8])).toEqual(box);
    const middle = { x: 2, y: 2, width: 4, height: 4 };
    expect(boxOnMap({ x0: 0, y0: 0, x1: 3, y1: 2 }, middle, [4, 4])).toEqual({
      ...{ x0: 0, y0: 0, x1: 2, y1: 1 },
    });
    expect(boxOnMap({ x0: 0, y0: 0, x1: 1, y1: 9 }, middle, [4, 4])).toBeUndefined();
  });
});

describe('imputation', () => {
  it('fills a plane exactly, however large the hole, and keeps what is known', () => {
    const [H, W] = [37, 50];
    const plane = Float32Array.from({ length: H * W }, (_, p) => (p % W) - 2 * Math.floor(p / W));
    const removed = Uint8Array.from(plane, (_, p) => {
      const [x, y] = [p % W, Math.floor(p / W)];
      return x > 0 && y > 0 && x < W - 1 && y < H - 1 ? 1 : 0;
    });
    const out = new Float32Array(H * W);
    linearImputation(out, plane, removed, [H, W, 1]);
    const error = Math.max(...out.map((value, p) => Math.abs(value - plane[p]!)));
    expect(error).toBeLessThan(0.01);
    expect(out.filter((_, p) => !removed[p])).toEqual(plane.filter((_, p) => !removed[p]));
  });

  const sizes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
  test.prop([sizes, fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true })])(
    'stays between the least and the largest known value, for every size and mask',
    ([H, W], seed, share) => {
      const x = Float32Array.from(numbers(seed, H * W));
      const removed = Uint8Array.from(numbers(seed + 1, H * W), (u) => (u < share ? 1 : 0));
      const out = new Float32Array(H * W);
      linearImputation(out, x, removed, [H, W, 1]);
      const known = [...x].filter((_, p) => !removed[p]);
      const [least, most] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 0];
      for (const value of out) {
        expect(value).toBeGreaterThanOrEqual(least - 1e-3);
        expect(value).toBeLessThanOrEqual(most + 1e-3);
      }
    },
  );

  it('gives removed pixels noise of the stated deviation, the same for the same seed', () => {
    const side = 64;
    const grey = { data: new Float32Array(side * side).fill(0.5), H: side, W: side };
    const top = pixelOrder(grey.data).subarray(0, 2048);
    const filled = withoutPixels(grey, top, { noise: [0.1], seed: 3 });
    expect(withoutPixels(grey, top, { noise: [0.1], seed: 3 })).toEqual(filled);
    expect(withoutPixels(grey, top, { noise: [0.1], seed: 4 })).not.toEqual(filled);
    const noise = [...filled.subarray(0, 2048)].map((value) => value - 0.5);
    const deviation = Math.sqrt(noise.reduce((sum, e) => sum + e * e, 0) / noise.length);
    // Of 2048 numbers it is within 1.6 % two times of three.
    expect(Math.abs(deviation - 0.1)).toBeLessThan(0.008);
    expect(filled.subarray(2048)).toEqual(grey.data.subarray(2048));
  });

  it('refuses arrays of other sizes, and shares that are none', () => {
    const x = new Float32Array(12);
    const call = () => linearImputation(x, x, new Uint8Array(5), [2, 2, 3]);
    expect(call).toThrow('removed expected length 4, got 5');
    for (const shares of [[], [0], [1], [Number.NaN]]) {
      const options = { shares, noise: [0], seed: 0 };
      expect(() => road(probe, pixelOrder(region), options)).toThrow(ShapeError);
    }
    expect(() => pixelCurve(probe, insertionEnds(ones), pixelOrder(region), 0)).toThrow(ShapeError);
  });
});

describe('agreement of several maps', () => {
  test.prop([fc.integer({ min: 1, max: 1e6 })])('is that of every pair', (seed) => {
    const maps = [0, 1, 2].map((m) => numbers(seed + m, 30).map((u) => Math.floor(u * 8)));
    const { rho, overlap } = orderTable(maps, 0.1);
    for (const [i, a] of maps.entries()) {
      for (const [j, b] of maps.entries()) {
        expect(rho[i]![j]).toBe(spearmanRho(a, b));
        expect(overlap[i]![j]).toBe(topOverlap(a, b, 0.1));
      }
    }
  });

  it('leaves out pixels that one of the maps has not seen, and refuses other lengths', () => {
    const [a, b, c] = [
      [1, 2, 3],
      [1, 2, 3],
      [9, Number.NaN, 0],
    ].map((v) => Float64Array.from(v));
    expect(orderTable([a!, b!, c!], 1).rho[0]).toEqual([1, 1, -1]);
    expect(() => orderTable([a!, b!, Float64Array.of(1)], 1)).toThrow('map 2 expected length 3');
    expect(() => orderTable([], 1)).toThrow(ShapeError);
  });
});

describe('maps that know nothing of the network', () => {
  const input = { data: new Float32Array(12 * 20 * 3), H: 12, W: 20 };
  const colors = loaded(goldenNetwork());
  const of = (name: string, seed = 1) => methodMap(colors, input, name, { target: 0, seed });
  it('are uniform numbers of the seed, and a Gaussian about the centre', () => {
    expect(of('random')).toEqual(of('random'));
    expect(spearmanRho(of('random'), of('random', 2))).toBeLessThan(0.2);
    const center = of('center');
    // A deviation from the centre along an edge of the picture, exp(−½).
    expect(center[5 * 20 + 15]! / center[5 * 20 + 10]!).toBeCloseTo(
      Math.exp((0.025 ** 2 - 0.275 ** 2) / 0.125),
      6,
    );
    expect(center).toEqual(center.slice().reverse());
  });
  it('are refused by other names', () => {
    expect(() => of('gradients')).toThrow('no method is called gradients');
  });
});

describe('means', () => {
  it('have the standard error of their values, and leave out what is missing', () => {
    expect(meanOf([1, undefined, 3, Number.NaN])).toEqual({ mean: 2, error: 1, n: 2 });
    expect(meanOf([5])).toEqual({ mean: 5, n: 1 });
    expect(meanOf([undefined])).toBeUndefined();
    expect(
      meansOf([
        [1, 2],
        [3, 2],
      ]),
    ).toEqual([
      { mean: 2, error: 1, n: 2 },
      { mean: 2, error: 0, n: 2 },
    ]);
    expect(meansOf([])).toEqual([]);
  });
});
