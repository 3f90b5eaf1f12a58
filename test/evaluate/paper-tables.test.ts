/**
 * The tables that the paper prints, against the accuracies in its appendix: which of its figures follow.
 * docs/evidence.md lists those that do not.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { quartileShares, rankByScore } from '../../src/evaluate/ranking.js';
import { differenceScore, informationScore, type MaskAccuracies } from '../../src/viz/index.js';

interface Accuracies {
  readonly kar: readonly number[];
  readonly roar: readonly number[];
}
type DataSet = (typeof DATA_SETS)[number];
type Score = keyof typeof SCORES;
type ByStatistic<T> = Readonly<Record<string, T>>;
interface PaperTables {
  readonly table1_scores: ByStatistic<Record<Score, Record<DataSet | 'average', number>>>;
  readonly table2_kar_roar: ByStatistic<{ kar: number; roar: number; sum: number }>;
  readonly table7_cumulative_quartiles: { methods: ByStatistic<Record<Score, number[]>> };
  readonly appendix_accuracy_by_scale: Record<DataSet, ByStatistic<Accuracies>>;
  readonly appendix_accuracy_by_percent: { methods: ByStatistic<Accuracies> };
}

const url = new URL('../goldens/paper-tables.json', import.meta.url);
const PAPER: PaperTables = JSON.parse(readFileSync(url, 'utf8'));

const DATA_SETS = ['ImageNet', 'Places', 'COWC'] as const;
const SCORES = { difference: differenceScore, information: informationScore };

/** The statistics by their names in Tables 1 and 7, with those in the appendix. */
const IN_APPENDIX: Readonly<Record<string, string>> = {
  'SMOE Scale': 'SMOE Scale',
  'Standard Dev': 'STD',
  'Trunc Normal Ent': 'Trunc Normal Ent',
  'Shannon Ent': 'Shannon Ent',
  'Trunc Normal Std': 'Trunc Normal Std',
  'Trunc Normal Mean': 'Trunc Normal Mean',
  'Normal Mean': 'Mean',
  'Log Normal Ent': 'Log Normal ENT',
  'Log Normal Mean': 'Log Normal Mean',
};
const STATISTICS = Object.keys(IN_APPENDIX);

/**
 * An accuracy is printed to .01 %, so it is up to 5e-5 off; D has twenty of them. A score is printed to .01,
 * so it is up to .005 off.
 */
const ROUNDING = 0.005 + 20 * 5e-5;

const fractions = (percents: readonly number[]): number[] => percents.map((p) => p / 100);

/** A statistic's accuracies at some scales (0 to 4), with those of random masks. */
function accuraciesOf(statistic: string, dataSet: DataSet, scales = [0, 1, 2, 3, 4]) {
  const rows = PAPER.appendix_accuracy_by_scale[dataSet];
  const at = (list: readonly number[]) => fractions(scales.map((scale) => list[scale]!));
  const [own, random] = [rows[IN_APPENDIX[statistic]!]!, rows.Random!];
  return {
    kar: at(own.kar),
    roar: at(own.roar),
    karRandom: at(random.kar),
    roarRandom: at(random.roar),
  } satisfies MaskAccuracies;
}

/** The score of each statistic in each of the fifteen pairs of data set and scale. */
const scoresByScale = (score: Score): number[][] =>
  STATISTICS.map((statistic) =>
    DATA_SETS.flatMap((dataSet) =>
      [0, 1, 2, 3, 4].map((scale) => SCORES[score](accuraciesOf(statistic, dataSet, [scale]))),
    ),
  );

/** The statistics from the highest score to the lowest, by the mean over the three data sets. */
function order(score: Score): string[] {
  const sum = (statistic: string): number =>
    DATA_SETS.reduce((s, set) => s + SCORES[score](accuraciesOf(statistic, set)), 0);
  return [...STATISTICS].sort((a, b) => sum(b) - sum(a));
}

/** ImageNet's D as printed, and as it follows from the appendix. */
const OTHER_DIFFERENCES: readonly (readonly [string, number, number])[] = [
  ['Shannon Ent', 1.61, 1.55],
  ['Trunc Normal Ent', 1.56, 1.551],
  ['Trunc Normal Std', 1.51, 1.552],
  ['Trunc Normal Mean', 1.38, 1.502],
  ['Log Normal Ent', 1.16, 1.364],
  ['Log Normal Mean', 1.46, 1.086],
];
const isOther = (statistic: string, dataSet: DataSet): boolean =>
  dataSet === 'ImageNet' && OTHER_DIFFERENCES.some(([name]) => name === statistic);

describe('Table 1', () => {
  const cells = STATISTICS.flatMap((statistic) =>
    DATA_SETS.map((dataSet) => [statistic, dataSet] as const),
  );

  it('all 27 information scores follow from the appendix', () => {
    for (const [statistic, dataSet] of cells) {
      const printed = PAPER.table1_scores[statistic]!.information[dataSet];
      const I = informationScore(accuraciesOf(statistic, dataSet));
      expect(Math.abs(I - printed), `${statistic}, ${dataSet}`).toBeLessThanOrEqual(ROUNDING);
    }
  });

  it('21 of the 27 difference scores follow', () => {
    const following = cells.filter(([statistic, dataSet]) => !isOther(statistic, dataSet));
    expect(following).toHaveLength(21);
    for (const [statistic, dataSet] of following) {
      const printed = PAPER.table1_scores[statistic]!.difference[dataSet];
      const D = differenceScore(accuraciesOf(statistic, dataSet));
      expect(Math.abs(D - printed), `${statistic}, ${dataSet}`).toBeLessThanOrEqual(ROUNDING);
    }
  });

  it.each(OTHER_DIFFERENCES)('ImageNet’s D of %s is printed as %f, but is %f', (name, D, ours) => {
    expect(PAPER.table1_scores[name]!.difference.ImageNet).toBe(D);
    expect(differenceScore(accuraciesOf(name, 'ImageNet'))).toBeCloseTo(ours, 3);
    expect(Math.abs(D - ours)).toBeGreaterThan(ROUNDING);
  });

  it.each([
    ['Log Normal Ent', 'Log Normal Mean'],
    ['Trunc Normal Mean', 'Log Normal Ent'],
    ['Trunc Normal Std', 'Trunc Normal Mean'],
    ['Trunc Normal Ent', 'Trunc Normal Std'],
  ])('the printed D of %s follows with the ROAR of %s, the row before it', (name, before) => {
    const own = accuraciesOf(name, 'ImageNet');
    const D = differenceScore({ ...own, roar: accuraciesOf(before, 'ImageNet').roar });
    const printed = PAPER.table1_scores[name]!.difference.ImageNet;
    expect(Math.abs(D - printed)).toBeLessThanOrEqual(ROUNDING);
  });

  it('the averages are those of the three printed scores', () => {
    for (const scores of Object.values(PAPER.table1_scores)) {
      for (const { average, ...printed } of Object.values(scores)) {
        const mean = DATA_SETS.reduce((sum, dataSet) => sum + printed[dataSet], 0) / 3;
        // Three scores rounded to .01, and the average again.
        expect(Math.abs(mean - average)).toBeLessThanOrEqual(0.01 + 1e-12);
      }
    }
  });

  it('D and I of the appendix rank the statistics alike; the printed D ranks two pairs otherwise', () => {
    const printed = [...STATISTICS].sort(
      (a, b) =>
        PAPER.table1_scores[b]!.difference.average - PAPER.table1_scores[a]!.difference.average,
    );
    expect(order('difference')).toEqual(order('information'));
    expect(order('difference')).toEqual([
      ...['SMOE Scale', 'Standard Dev', 'Trunc Normal Ent', 'Trunc Normal Std', 'Shannon Ent'],
      ...['Trunc Normal Mean', 'Log Normal Ent', 'Normal Mean', 'Log Normal Mean'],
    ]);
    expect(printed).toEqual([
      ...['SMOE Scale', 'Standard Dev', 'Trunc Normal Ent', 'Shannon Ent', 'Trunc Normal Std'],
      ...['Trunc Normal Mean', 'Normal Mean', 'Log Normal Ent', 'Log Normal Mean'],
    ]);
  });
});

describe('Table 7', () => {
  /** Of the printed percentages, how many our shares give. */
  function following(score: Score): number {
    const printed = STATISTICS.map(
      (name) => PAPER.table7_cumulative_quartiles.methods[name]![score],
    );
    return quartileShares(scoresByScale(score)).reduce((count, { top25, top50, top75 }, s) => {
      const same = [top25, top50, top75].filter((p, i) => Math.abs(p - printed[s]![i]!) <= 0.005);
      return count + same.length;
    }, 0);
  }

  it('all 27 quartiles of I follow from the appendix', () => {
    expect(following('information')).toBe(27);
  });

  it('10 of the 27 quartiles of D follow; of fifteen combinations the appendix gives these', () => {
    expect(following('difference')).toBe(10);
    const counts = quartileShares(scoresByScale('difference')).map(({ top25, top50, top75 }) =>
      [top25, top50, top75].map((percent) => Math.round(0.15 * percent)),
    );
    expect(Object.fromEntries(counts.map((row, s) => [STATISTICS[s], row]))).toEqual({
      'SMOE Scale': [8, 13, 15],
      'Standard Dev': [6, 8, 11],
      'Trunc Normal Ent': [4, 10, 13],
      'Shannon Ent': [4, 5, 11],
      'Trunc Normal Std': [4, 7, 11],
      'Trunc Normal Mean': [4, 10, 13],
      'Normal Mean': [5, 8, 10],
      'Log Normal Ent': [7, 9, 15],
      'Log Normal Mean': [3, 5, 6],
    });
  });

  it('all quartiles of D can follow if only ImageNet’s accuracies were others', () => {
    // What Places and COWC do not account for is what five scales of ImageNet can have.
    const rest = rankByScore(scoresByScale('difference').map((row) => row.slice(5))).map(
      (ranks, s) =>
        PAPER.table7_cumulative_quartiles.methods[STATISTICS[s]!]!.difference.map((percent, q) => {
          const last = [3, 5, 7][q]!;
          return Math.round(0.15 * percent) - ranks.filter((rank) => rank <= last).length;
        }),
    );
    for (const counts of rest) {
      expect([...counts].sort((a, b) => a - b)).toEqual(counts);
      expect(counts[0]).toBeGreaterThanOrEqual(0);
      expect(counts[2]).toBeLessThanOrEqual(5);
    }
    const sum = (q: number) => rest.reduce((total, counts) => total + counts[q]!, 0);
    expect([0, 1, 2].map(sum)).toEqual([15, 25, 35]);
  });
});

describe('the failure cases of Table 1’s statistics, from the appendix', () => {
  /** Names of the statistics that some score fails nowhere. */
  const without = (fails: (ranks: readonly number[], scores: readonly number[]) => boolean) => {
    const never = (score: Score): string[] => {
      const scores = scoresByScale(score);
      const ranks = rankByScore(scores);
      return STATISTICS.filter((_, s) => !fails(ranks[s]!, scores[s]!));
    };
    return { D: never('difference'), I: never('information') };
  };

  it('SMOE Scale and the log-normal entropy are never among the last two of nine', () => {
    const last = without((ranks) => ranks.some((rank) => rank > 7));
    expect(last.D).toEqual(['SMOE Scale', 'Log Normal Ent']);
    expect(last.I).toEqual(['SMOE Scale', 'Log Normal Ent']);
  });

  it('the mean and both log-normal statistics are sometimes worse than a random mask', () => {
    const better = STATISTICS.filter(
      (name) => !['Normal Mean', 'Log Normal Ent', 'Log Normal Mean'].includes(name),
    );
    expect(without((_, scores) => scores.some((score) => score < 0)).D).toEqual(better);
  });

  it('SMOE Scale alone is never worse than random by D and never among the last two', () => {
    const { D } = without(
      (ranks, scores) => ranks.some((rank) => rank > 7) || scores.some((score) => score < 0),
    );
    expect(D).toEqual(['SMOE Scale']);
  });

  it('the worst rank of SMOE Scale is 6 of nine by D and 7 by I', () => {
    const worst = (score: Score) =>
      Math.max(...rankByScore(scoresByScale(score))[STATISTICS.indexOf('SMOE Scale')]!);
    expect([worst('difference'), worst('information')]).toEqual([6, 7]);
  });

  it('each statistic has a KAR below a random mask’s somewhere, but no ROAR above it', () => {
    const fails = (scales: readonly number[], names: readonly string[]) => {
      const cells = names.flatMap((name) =>
        DATA_SETS.map((dataSet) => accuraciesOf(name, dataSet, [...scales])),
      );
      return {
        kar: cells.flatMap((a) => a.kar.filter((value, i) => value < a.karRandom[i]!)).length,
        roar: cells.flatMap((a) => a.roar.filter((value, i) => value > a.roarRandom[i]!)).length,
      };
    };
    const all = [0, 1, 2, 3, 4];
    expect(STATISTICS.map((name) => fails(all, [name]).kar)).toEqual([8, 7, 8, 7, 8, 7, 8, 7, 7]);
    expect(all.map((scale) => fails([scale], STATISTICS).kar)).toEqual([26, 19, 11, 11, 0]);
    expect(fails(all, STATISTICS).roar).toBe(0);
  });
});

describe('Table 2', () => {
  /** The rows by their names in Table 2, with those in the appendix. */
  const ROWS: Readonly<Record<string, string>> = {
    'Integrated Grad [26]': 'Integrated Grad.',
    'Gradient [22]': 'Gradient',
    'Guided Backprop [25]': 'Guided Backprop',
    'GradCAM++ [2]': 'GradCAM++',
    'Trunc Normal Ent + Layer Weights [1,1,1,1,1]': 'Trunc Normal Ent + Weights [1,…,1]',
    'SMOE Scale + Layer Weights [1,1,1,1,1]': 'SMOE Scale + Layer Weights [1,…,1]',
    'SMOE Scale + Layer Weights [1,2,3,4,5]': 'SMOE Scale + Layer Weights [1,…,5]',
    'Normal Std + Prior Layer Weights': 'Normal Std + Prior L. Weights',
    'Trunc Normal Ent + Prior Layer Weights': 'Trunc Normal Ent + Prior L. Weights',
    'SMOE Scale + Prior Layer Weights': 'SMOE Scale + Prior Layer Weights',
    'Integrated Grad -w- SmoothGrad Sq.': 'Integrated Grad. -w- SmoothGrad Sq.',
    'Guided Backprop -w- SmoothGrad Sq.': 'Guided Backprop -w- SmoothGrad Sq.',
    'Gradient -w- SmoothGrad Sq.': 'Gradient -w- SmoothGrad Sq.',
    'SMOE Scale + Prior Wts. -w- GradCAM++': 'SMOE Scale -w- GradCAM++',
  };
  const total = (percents: readonly number[]): number =>
    fractions(percents).reduce((sum, fraction) => sum + fraction, 0);

  /** KAR, ROAR and their sum of a row, from the appendix. */
  function computed(name: string) {
    const { kar, roar } = PAPER.appendix_accuracy_by_percent.methods[ROWS[name]!]!;
    return { kar: total(kar), roar: -total(roar), sum: total(kar) - total(roar) };
  }

  /** Sums whose printed values do not follow, with what the appendix gives. */
  const OTHER_SUMS = { 'Integrated Grad [26]': 0.0395, 'Guided Backprop [25]': 0.0277 };

  it('KAR, ROAR and 12 of the 14 sums follow from the appendix', () => {
    expect(Object.keys(ROWS)).toEqual(Object.keys(PAPER.table2_kar_roar));
    for (const [name, printed] of Object.entries(PAPER.table2_kar_roar)) {
      const ours = computed(name);
      for (const key of ['kar', 'roar', 'sum'] as const) {
        if (key === 'sum' && name in OTHER_SUMS) continue;
        expect(Math.abs(ours[key] - printed[key]), `${name}, ${key}`).toBeLessThan(ROUNDING);
      }
    }
  });

  it('the sums of integrated gradients and guided backpropagation are printed in exchange', () => {
    const printed = Object.keys(OTHER_SUMS).map((name) => PAPER.table2_kar_roar[name]!.sum);
    const ours = Object.keys(OTHER_SUMS).map((name) => computed(name).sum);
    ours.forEach((sum, i) => {
      expect(sum).toBeCloseTo(Object.values(OTHER_SUMS)[i]!, 4);
    });
    expect(printed).toEqual(ours.map((sum) => Number(sum.toFixed(2))).reverse());
  });

  it('SMOE Scale × Grad-CAM++ has the largest sum and the largest KAR, but not the best ROAR', () => {
    const best = (key: 'kar' | 'roar' | 'sum') =>
      Object.keys(ROWS).reduce((a, b) => (computed(b)[key] > computed(a)[key] ? b : a));
    expect(best('sum')).toBe('SMOE Scale + Prior Wts. -w- GradCAM++');
    expect(best('kar')).toBe('SMOE Scale + Prior Wts. -w- GradCAM++');
    expect(best('roar')).toBe('Gradient -w- SmoothGrad Sq.');
  });
});
