/** Every measure against numpy and PyTorch in double precision: test/goldens/evaluate.py. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ClassProbe,
  confidenceChange,
  deletionEnds,
  insertionEnds,
  linearImputation,
  pixelCurve,
  pixelOrder,
  road,
  spearmanRho,
} from '../../src/evaluate/index.js';
import { distance } from '../compare.js';
import { goldenNetwork, loaded, numbers } from './small-networks.js';

interface Golden {
  readonly probabilities: number[];
  readonly imputed: number[];
  readonly spearman: number;
  readonly maps: {
    readonly deletion: { readonly probabilities: number[]; readonly area: number };
    readonly insertion: { readonly probabilities: number[]; readonly area: number };
    readonly road: { readonly morf: number[]; readonly lerf: number[]; readonly score: number };
    readonly drop: { readonly drop: number; readonly increase: number };
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../goldens/evaluate.json', import.meta.url), 'utf8'),
) as Golden;

const [H, W, C] = [12, 10, 3];
const data = Float32Array.from(numbers(1, H * W * C), (u) => u * 2 - 1);
const maps = [
  Float32Array.from(numbers(4, H * W)),
  Float32Array.from(numbers(5, H * W), (u) => Math.floor(u * 5) / 5),
];
const net = loaded(goldenNetwork());
const probe = new ClassProbe(net, { data, H, W }, 2);
/** Some float32 roundings of probabilities below 1. */
const BOUND = 2e-6;

describe('measures are those of numpy and PyTorch', () => {
  it('imputation: the dense system within 1e-4 of the largest value', () => {
    const removed = Uint8Array.from(numbers(6, H * W), (u, p) => {
      const [y, x] = [Math.floor(p / W), p % W];
      return u < 0.5 || (y >= 2 && y < 8 && x >= 3 && x < 9) ? 1 : 0;
    });
    const out = new Float32Array(data.length);
    linearImputation(out, data, removed, [H, W, C]);
    expect(distance(out, golden.imputed).largest).toBeLessThan(1e-4);
    const again = data.slice();
    linearImputation(again, again, removed, [H, W, C]);
    expect(again).toEqual(out);
  });

  it('Spearman of a map with ties', () => {
    expect(spearmanRho(maps[0]!, maps[1]!)).toBeCloseTo(golden.spearman, 12);
  });

  it.each([0, 1])('insertion, deletion, ROAD and drop of map %i, fine and with ties', (m) => {
    const map = maps[m]!;
    const expected = golden.maps[m]!;
    const order = pixelOrder(map);
    expect(probe.whole.probability).toBeCloseTo(golden.probabilities[2]!, 6);
    for (const [name, ends] of [
      ['deletion', deletionEnds(probe.input)],
      ['insertion', insertionEnds(probe.input)],
    ] as const) {
      const { area, probabilities } = pixelCurve(probe, ends, order, 6);
      expect(distance(probabilities, expected[name].probabilities).largest).toBeLessThan(BOUND);
      expect(Math.abs(area - expected[name].area)).toBeLessThan(BOUND);
    }
    const noiseless = { shares: [0.1, 0.5, 0.9], noise: [0], seed: 0 };
    const { morf, lerf, score } = road(probe, order, noiseless);
    const of = (scores: typeof morf) => scores.map(({ probability }) => probability);
    expect(distance(of(morf), expected.road.morf).largest).toBeLessThan(1e-4);
    expect(distance(of(lerf), expected.road.lerf).largest).toBeLessThan(1e-4);
    expect(Math.abs(score - expected.road.score)).toBeLessThan(1e-4);
    const black = [0.4, 0.5, 0.6].map((mean, c) => -mean / [0.2, 0.25, 0.3][c]!);
    const { drop, increase } = confidenceChange(probe, map, black);
    expect(Math.abs(drop - expected.drop.drop)).toBeLessThan(BOUND);
    expect(increase).toBe(expected.drop.increase);
  });
});
