/** Prints the results of KAR and ROAR, as in Tables 1, 2 and 7 of the paper. */

import { type Accuracies, summarizeInput, summarizeScales } from '../evaluate/kar-roar/summary.js';
import type { KarRoarRun } from '../node/kar-roar/experiments.js';
import { meansOf, titleOf } from '../node/kar-roar/summary.js';
import { makeTable } from './table.js';

/** Ends with a new line. */
export function formatKarRoar(runs: readonly KarRoarRun[]): string {
  const [{ settings }] = runs as [KarRoarRun];
  const { classes, training, validation, epochs, batch, learningRate, accuracy } = settings;
  const seeds = runs.map(({ seed }) => seed).join(', ');
  const head =
    `${settings.model} model, ${classes} classes: ${training} pictures for training, ${validation} for validation, ` +
    `epochs ${epochs}, batches of ${batch}, learning rate ${learningRate}; seeds ${seeds}.\n` +
    `Accuracy without masks, before any training: ${percent(accuracy)} %.\n`;
  const { complete, places } = meansOf(runs);
  return head + (settings.at === 'scales' ? scaleTables(complete, places) : inputTable(complete));
}

function scaleTables(all: ReadonlyMap<string, Accuracies>, places: readonly string[]): string {
  const columns = places.flatMap((place) => [`${place} KAR`, 'ROAR']);
  const table = makeTable(
    ['', ...columns, 'D', 'I', 'D: top 25, 50, 75 %', 'I: top 25, 50, 75 %'],
    1,
  );
  const random = all.get('random');
  const others = new Map([...all].filter(([name]) => name !== 'random'));
  const summaries = random && others.size > 0 ? summarizeScales(others, random) : new Map();
  for (const [name, own] of all) {
    const { kar, roar } = own;
    const accuracies = places.flatMap((_, i) => [percent(kar[i]!), percent(roar[i]!)]);
    const summary = summaries.get(name);
    const shares = summary
      ? [summary.byDifference, summary.byInformation].map(
          ({ top25, top50, top75 }) => `${[top25, top50, top75].map(Math.round).join(', ')}`,
        )
      : ['', ''];
    const scores = summary
      ? [summary.difference.toFixed(2), summary.information.toFixed(2)]
      : ['', ''];
    table.push([titleOf(name), ...accuracies, ...scores, ...shares]);
  }
  return `${table.toString()}\n`;
}

function inputTable(all: ReadonlyMap<string, Accuracies>): string {
  const table = makeTable(['', 'KAR', 'ROAR', 'sum'], 1);
  for (const [name, own] of all) {
    const { kar, roar, sum } = summarizeInput(own);
    table.push([titleOf(name), kar.toFixed(2), roar.toFixed(2), sum.toFixed(2)]);
  }
  return `${table.toString()}\n`;
}

function percent(accuracy: number): string {
  return (100 * accuracy).toFixed(1);
}
