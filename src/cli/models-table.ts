/** What a person is told about models: where they come from, and what they take in memory. */

import Table from 'cli-table3';
import type { MemoryFit, ModelList } from '../node/model-list.js';
import { printable } from './streams.js';

type Align = 'left' | 'right';

/** Ends with a new line. */
export function formatModels({ cache, models, files }: ModelList): string {
  const columns: [string, Align][] = [
    ['model', 'left'],
    ['short', 'left'],
    ['MB', 'right'],
    ['from', 'left'],
    ['licence', 'left'],
    ['here', 'left'],
  ];
  const rows = models.map(({ name, alias = '', bytes, url, licence, path }) => [
    ...[name, alias, megabytes(bytes), url ? new URL(url).host : 'this package', licence],
    path === undefined ? 'no' : 'yes',
  ]);
  const others = files.map(({ path, bytes }) => `  ${printable(path)}, ${megabytes(bytes)} MB\n`);
  return (
    `${table(columns, rows)}\n` +
    `The cache: ${printable(cache)}\n` +
    (others.length > 0 ? `Also in it:\n${others.join('')}` : '') +
    'To download one: fastcam fetch NAME; to use it: --model NAME. Any other file: --model FILE\n'
  );
}

/** Ends with a new line. */
export function formatFit({ budgetBytes, backend, networks }: MemoryFit): string {
  const sizes = networks[0]!.inputs.map(({ size }): [string, Align] => [`at ${size}`, 'right']);
  const columns: [string, Align][] = [
    ['network', 'left'],
    ['weights as', 'left'],
    ['weights', 'right'],
    ...sizes,
    ['largest', 'right'],
  ];
  const rows = networks.map(({ network, precision, weightBytes, inputs, largest }) => [
    ...[network, precision, megabytes(weightBytes)],
    ...inputs.map(({ totalBytes, fits }) =>
      fits ? megabytes(totalBytes) : `(${megabytes(totalBytes)})`,
    ),
    largest > 0 ? String(largest) : 'none',
  ]);
  return (
    `MB of weights, activations, working memory and the picture’s maps, backend ${backend}\n` +
    `${table(columns, rows)}\n` +
    `In brackets: more than ${megabytes(budgetBytes)} MB. The largest square input that fits is in pixels.\n` +
    'While weights are loaded a layer of their file comes on top, and the engine is not counted.\n' +
    'A file is kept as it is stored: convert --precision stores it so, --precision keeps it so.\n'
  );
}

function table(columns: readonly [string, Align][], rows: readonly string[][]): string {
  const made = new Table({
    head: columns.map(([name]) => name),
    colAligns: columns.map(([, align]) => align),
    // No colors: the table is as often read in a log as in a terminal.
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows);
  return made.toString();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
