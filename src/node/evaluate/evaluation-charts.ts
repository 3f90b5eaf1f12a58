/** The charts of an evaluation. */

import type { Mean } from '../../evaluate/index.js';
import { barChart, type ChartSeries, type LineChart, lineChart } from '../charts.js';
import {
  type ByMethod,
  type Evaluation,
  SCORE_NAMES,
  SCORES,
  type ScoreName,
} from './evaluation.js';

export interface DrawnChart {
  /** Name of the file. */
  readonly name: string;
  readonly svg: string;
}

/**
 * A line chart for each curve, and bars for each score that was measured.
 *
 * @throws {UnsupportedError} if the package for charts is not installed
 */
export async function evaluationCharts(evaluation: Evaluation): Promise<DrawnChart[]> {
  const charts: DrawnChart[] = [];
  for (const [name, chart] of lineCharts(evaluation)) {
    if (chart.series.length > 0) charts.push({ name, svg: await lineChart(chart) });
  }
  for (const score of SCORE_NAMES) {
    const svg = await bars(evaluation, score);
    if (svg !== undefined) charts.push({ name: `bars-${score}.svg`, svg });
  }
  return charts;
}

function lineCharts(evaluation: Evaluation): [name: string, chart: LineChart][] {
  const { curves, randomization } = evaluation;
  const { shares, roadShares } = curves;
  const subtitle = about(evaluation);
  const series = (means: ByMethod<readonly Mean[]>, x: readonly number[]) =>
    seriesOf(evaluation, means, x);
  const probability = 'probability of the class';
  const charts: [string, LineChart][] = [
    [
      'insertion.svg',
      {
        ...{ title: 'Insertion: a large area is good', subtitle, yLabel: probability },
        ...{ xLabel: 'share of the pixels that are sharp, the most salient first' },
        series: series(curves.insertion, shares),
      },
    ],
    [
      'deletion.svg',
      {
        ...{ title: 'Deletion: a small area is good', subtitle, yLabel: probability },
        ...{ xLabel: 'share of the pixels that are deleted, the most salient first' },
        series: series(curves.deletion, shares),
      },
    ],
    [
      'road-morf.svg',
      {
        ...{ title: 'ROAD, most relevant first: low is good', subtitle, yLabel: probability },
        ...{ xLabel: 'share of the pixels that are filled in' },
        series: series(curves.morf, roadShares),
      },
    ],
    [
      'road-lerf.svg',
      {
        ...{ title: 'ROAD, least relevant first: high is good', subtitle, yLabel: probability },
        ...{ xLabel: 'share of the pixels that are filled in' },
        series: series(curves.lerf, roadShares),
      },
    ],
  ];
  if (!randomization) return charts;
  const xNames = ['trained', ...randomization.depths];
  charts.push([
    'randomization.svg',
    {
      ...{ title: 'Random weights: a map that stays alike does not explain the network', xNames },
      subtitle: about({ ...evaluation, pictures: randomization.pictures }),
      ...{
        xLabel: 'random from the logits down to',
        yLabel: 'Spearman’s ρ to the trained network',
      },
      series: series(
        Object.fromEntries(
          Object.entries(randomization.rho).map(([name, means]) => [
            name,
            [{ mean: 1, n: randomization.pictures }, ...means],
          ]),
        ),
        [...xNames.keys()],
      ),
    },
  ]);
  return charts;
}

/** Bands of many lines would hide one another, so that only bars show errors. */
function seriesOf(
  { methods }: Evaluation,
  means: ByMethod<readonly Mean[]>,
  x: readonly number[],
): ChartSeries[] {
  return methods.flatMap(({ name, title, isFloor }) => {
    const own = means[name];
    if (!own) return [];
    const points = own.map(({ mean }, i) => ({ x: x[i]!, y: mean }));
    return [{ name: title, isDashed: isFloor, points }];
  });
}

async function bars(evaluation: Evaluation, score: ScoreName): Promise<string | undefined> {
  const { title, label, isLargeGood } = SCORES[score];
  const found = evaluation.methods.flatMap(({ title: name, isFloor, scores }) => {
    const mean = scores[score];
    if (!mean) return [];
    const { mean: value, error } = mean;
    return [{ name, value, isGrey: isFloor, ...(error !== undefined && { error }) }];
  });
  if (found.length === 0) return undefined;
  // The best at the top.
  found.sort((a, b) => (isLargeGood ? b.value - a.value : a.value - b.value));
  return barChart({
    title: `${title}: ${isLargeGood ? 'large' : 'small'} is good`,
    subtitle: `${about(evaluation)}; lines show the standard error`,
    ...{ xLabel: label, bars: found },
  });
}

function about({ pictures, model }: Pick<Evaluation, 'pictures' | 'model'>): string {
  return `${pictures} picture${pictures === 1 ? '' : 's'}, ${model.name} model`;
}
