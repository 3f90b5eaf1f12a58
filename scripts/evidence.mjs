// Draws docs/images/evidence-*.svg from the results in docs/evidence, and prints the tables of docs/evidence.md. The results are
// made by `fastcam kar-roar`, with the commands that docs/evidence.md names. Needs the build, vega and vega-lite.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { summarizeInput, summarizeScales } from '../dist/evaluate/kar-roar/summary.js';
import { lineChart } from '../dist/node/charts.js';
import { RANKINGS } from '../dist/node/kar-roar/kar-roar.js';
import { meansOf, titleOf } from '../dist/node/kar-roar/summary.js';

const results = fileURLToPath(new URL('../docs/evidence/', import.meta.url));
const images = fileURLToPath(new URL('../docs/images/', import.meta.url));
const MODES = {
  kar: 'KAR: the most salient pixels are kept',
  roar: 'ROAR: the most salient pixels are removed',
};

function runsOf(at) {
  return readdirSync(results)
    .filter((name) => name.startsWith(`${at}-seed-`))
    .map((name) => JSON.parse(readFileSync(results + name, 'utf8')));
}

/** A chart of accuracies: a line for each name, random masks dashed. */
async function drawAccuracies(file, { complete, errors, places }, mode, xLabel, xs) {
  const series = [...complete].map(([name, accuracies]) => ({
    name: titleOf(name),
    isDashed: name === 'random',
    points: accuracies[mode].map((accuracy, i) => ({
      x: xs ? xs[i] : i,
      y: 100 * accuracy,
      error: 100 * errors.get(name)[mode][i],
    })),
  }));
  const svg = await lineChart({
    ...{ title: MODES[mode], xLabel, yLabel: 'accuracy, %', series },
    ...(!xs && { xNames: places }),
  });
  writeFileSync(`${images}evidence-${file}-${mode}.svg`, svg);
}

function row(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

function percent(x) {
  return (100 * x).toFixed(1);
}

async function scales() {
  const runs = runsOf('scales');
  if (runs.length === 0) return;
  const means = meansOf(runs);
  const { complete, errors, places } = means;
  for (const mode of ['kar', 'roar']) {
    await drawAccuracies('scales', means, mode, 'end of the scale');
  }
  console.log('\nAccuracy in %, KAR / ROAR, means of the seeds:\n');
  row(['', ...places]);
  row(['---', ...places.map(() => '---')]);
  for (const [name, { kar, roar }] of complete) {
    row([titleOf(name), ...kar.map((one, i) => `${percent(one)} / ${percent(roar[i])}`)]);
  }
  const spread = [...errors.values()].flatMap(({ kar, roar }) => [...kar, ...roar]);
  const squares = spread.reduce((sum, error) => sum + runs.length * error ** 2, 0);
  const typical = Math.sqrt(squares / spread.length);
  console.log(`\nStandard deviation between seeds, over all experiments: ${percent(typical)} %`);
  const random = complete.get('random');
  const isOfPaper = ([name]) => RANKINGS.includes(name);
  const nine = summarizeScales(new Map([...complete].filter(isOfPaper)), random);
  const rest = [...complete].filter((entry) => entry[0] !== 'random' && !isOfPaper(entry));
  const byScore = (all) => [...all].sort(([, a], [, b]) => b.difference - a.difference);
  const summaries = [...byScore(nine), ...byScore(summarizeScales(new Map(rest), random))];
  console.log('\nScores, and in how many percent of the scales one of the nine ranks so high:\n');
  row(['', 'D', 'I', 'D of each scale', 'top 25, 50, 75 % by D', 'by I']);
  row(['---', '---', '---', '---', '---', '---']);
  for (const [name, own] of summaries) {
    const shares = [own.byDifference, own.byInformation].map(({ top25, top50, top75 }) =>
      nine.has(name) ? [top25, top50, top75].map(Math.round).join(', ') : '',
    );
    const each = own.differences.map((d) => d.toFixed(2)).join(' ');
    row([titleOf(name), own.difference.toFixed(2), own.information.toFixed(2), each, ...shares]);
  }
  for (const [key, title] of [
    ['differences', 'Difference score D by scale'],
    ['informations', 'Information score I by scale'],
  ]) {
    const series = [...nine].map(([name, own]) => ({
      name: titleOf(name),
      points: own[key].map((y, x) => ({ x, y })),
    }));
    const chart = { title, xLabel: 'end of the scale', yLabel: 'score', xNames: places, series };
    writeFileSync(`${images}evidence-scales-${key}.svg`, await lineChart(chart));
  }
}

async function input() {
  const runs = runsOf('input');
  if (runs.length === 0) return;
  const means = meansOf(runs);
  const xs = means.places.map((share) => 100 * Number(share));
  for (const mode of ['kar', 'roar']) {
    const what = mode === 'kar' ? 'kept' : 'removed';
    await drawAccuracies('input', means, mode, `pixels ${what}, %`, xs);
  }
  console.log('\nAt the input:\n');
  row(['', 'KAR', 'ROAR', 'sum', ...means.places.map((share) => `${100 * share} %: KAR / ROAR`)]);
  row(['---', '---', '---', '---', ...means.places.map(() => '---')]);
  for (const [name, own] of means.complete) {
    const { kar, roar, sum } = summarizeInput(own);
    const each = own.kar.map((one, i) => `${percent(one)} / ${percent(own.roar[i])}`);
    row([titleOf(name), kar.toFixed(2), roar.toFixed(2), sum.toFixed(2), ...each]);
  }
}

await scales();
await input();
