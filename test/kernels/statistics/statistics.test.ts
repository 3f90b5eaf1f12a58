/** What holds for every statistic: goldens, edge columns, order of the channels, rounding, shapes. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATISTICS, type Statistic } from '../../../src/kernels/statistics/index.js';
import { loadGolden } from '../../goldens.js';
import { column, signedColumn, statisticOf } from './columns.js';

const NAMES = Object.keys(STATISTICS) as Statistic[];

/** The goldens' word for each; there is none for Rényi's and the normal entropy. */
const GOLDEN_KEYS: Partial<Record<Statistic, string>> = {
  smoe: 'smoe',
  gamma: 'gamma_scale',
  sd: 'std',
  mean: 'mean',
  max: 'max',
  'shannon-entropy': 'shannon_entropy',
  'log-normal-mean': 'log_normal_mean',
  'log-normal-entropy': 'log_normal_entropy',
  'truncated-normal-mean': 'trunc_normal_mean',
  'truncated-normal-sd': 'trunc_normal_std',
  'truncated-normal-entropy': 'trunc_normal_entropy',
};

const golden = loadGolden('statistics');
const sets = [...golden.keys()].filter((key) => key.endsWith('.x')).map((key) => key.slice(0, -2));
const cases = sets.flatMap((set) =>
  NAMES.filter((name) => golden.has(`${set}.${GOLDEN_KEYS[name]}`)).map((name) => ({ set, name })),
);

/** Columns [H·W, C] of a set that is stored as [C, H, W]. */
function columnsOf(set: string): { x: Float32Array; C: number } {
  const { data, shape } = golden.get(`${set}.x`)!;
  const [C, H, W] = shape as [number, number, number];
  const x = new Float32Array(data.length);
  for (let c = 0; c < C; c++) {
    for (let p = 0; p < H * W; p++) x[p * C + c] = data[c * H * W + p]!;
  }
  return { x, C };
}

describe('goldens', () => {
  it('there is one for every statistic except two, 66 arrays', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(NAMES.length - 2);
    expect(cases).toHaveLength(66);
  });

  it.each(cases)('$set: $name is within 1e-9 of the authors’ code or the formula', (c) => {
    const { x, C } = columnsOf(c.set);
    const expected = golden.get(`${c.set}.${GOLDEN_KEYS[c.name]}`)!.data;
    const out = new Float64Array(expected.length);
    STATISTICS[c.name].compute(out, x, C);
    for (let m = 0; m < out.length; m++) {
      // Constant columns: the reference leaves its own rounding, up to 2e-15.
      const slack = 1e-9 * Math.abs(expected[m]!) + 1e-14;
      expect(Math.abs(out[m]! - expected[m]!), `column ${m}`).toBeLessThanOrEqual(slack);
    }
  });
});

describe.each(NAMES)('%s', (name) => {
  const { compute, preActivation } = STATISTICS[name];
  const columns = preActivation ? signedColumn : column;

  it('is finite for every column of ordinary activations', () => {
    fc.assert(
      fc.property(columns, (x) => {
        expect(statisticOf(compute, x)).toSatisfy(Number.isFinite);
        const out = new Float32Array(1);
        compute(out, Float32Array.from(x), x.length);
        expect(out[0]).toSatisfy(Number.isFinite);
      }),
    );
  });

  it('is finite for constant and all-zero columns, C = 1 and float32’s whole range', () => {
    const signs = preActivation ? [1, -1] : [1];
    for (const C of [1, 2, 3, 64]) {
      for (const v of [0, 2 ** -149, 1e-7, 1, 3.4e38].flatMap((v) => signs.map((s) => s * v))) {
        expect(statisticOf(compute, new Array<number>(C).fill(v)), `${C}×${v}`).toSatisfy(
          Number.isFinite,
        );
        expect(
          statisticOf(compute, [v, ...new Array<number>(C).fill(0)]),
          `${v} and ${C}×0`,
        ).toSatisfy(Number.isFinite);
        expect(
          statisticOf(compute, [...new Array<number>(C).fill(1e30), v]),
          `${C}×1e30 and ${v}`,
        ).toSatisfy(Number.isFinite);
      }
    }
  });

  // An entropy of logarithms: ln z is rounded by 1e-15 and divided by an sd as small as 1e-7.
  const slack = name === 'log-normal-entropy' ? 1e-7 : 1e-11;
  it(`does not depend on the order of the channels, within ${slack} of the larger of 1 and the column`, () => {
    fc.assert(
      fc.property(columns, fc.infiniteStream(fc.nat()), (x, keys) => {
        const shuffled = x.map((v) => ({ v, key: keys.next().value! }));
        shuffled.sort((a, b) => a.key - b.key);
        const value = statisticOf(compute, x);
        const again = statisticOf(
          compute,
          shuffled.map(({ v }) => v),
        );
        const size = Math.max(1, Math.abs(value), ...x.map(Math.abs));
        expect(Math.abs(again - value)).toBeLessThanOrEqual(slack * size);
      }),
    );
  });

  it('a Float32Array gets the double rounded once', () => {
    fc.assert(
      fc.property(columns, (x) => {
        const floats = Float32Array.from(x);
        const [rounded, exact] = [new Float32Array(1), new Float64Array(1)];
        compute(rounded, floats, x.length);
        compute(exact, floats, x.length);
        expect(rounded[0]).toBe(Math.fround(exact[0]!));
      }),
    );
  });

  it('gives NaN only for the column with a NaN', () => {
    const x = Float64Array.of(1, 2, 4, NaN, 1, 2, 0.5, 0, 3);
    const out = new Float64Array(3);
    compute(out, x, 3);
    expect(out[0]).toBe(statisticOf(compute, x.subarray(0, 3)));
    expect(out[1]).toBeNaN();
    expect(out[2]).toBe(statisticOf(compute, x.subarray(6)));
  });

  it('refuses arrays that are not whole columns', () => {
    expect(() => compute(new Float64Array(2), new Float64Array(7), 3)).toThrow(
      /: x expected length 6 for 2 columns of 3, got 7$/,
    );
  });
});
