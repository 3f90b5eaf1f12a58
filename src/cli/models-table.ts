/** Prints models: where they come from, and how much memory they take. */

import type { MemoryFit, ModelList } from '../node/model-list.js';
import { megabytes } from './byte-size.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** Ends with a new line. */
export function formatModels({ cache, models, files }: ModelList): string {
  const head = ['model', 'short', 'MB', 'from', 'licence', 'here'];
  const rows = models.map(({ name, alias = '', bytes, url, licence, path }) => [
    ...[name, alias, megabytes(bytes), url ? new URL(url).host : 'this package', licence],
    path === undefined ? 'no' : 'yes',
  ]);
  const others = files.map(({ path, bytes }) => `  ${printable(path)}, ${megabytes(bytes)} MB\n`);
  return (
    `${table(head, (column) => column !== 2, rows)}\n` +
    `The cache: ${printable(cache)}\n` +
    (others.length > 0 ? `Also in it:\n${others.join('')}` : '') +
    'To download one: fastcam fetch NAME; to use it: --model NAME. Any other file: --model FILE\n'
  );
}

/** Ends with a new line. */
export function formatFit({ budgetBytes, backend, networks }: MemoryFit): string {
  const sizes = networks[0]!.inputs.map(({ size }) => `at ${size}`);
  const head = ['network', 'weights as', 'weights', ...sizes, 'largest'];
  const rows = networks.map(({ network, precision, weightBytes, inputs, largest }) => [
    ...[network, precision, megabytes(weightBytes)],
    ...inputs.map(({ totalBytes, fits }) =>
      fits ? megabytes(totalBytes) : `(${megabytes(totalBytes)})`,
    ),
    largest > 0 ? String(largest) : 'none',
  ]);
  return (
    `MB of weights, activations, working memory and the picture’s maps, backend ${backend}\n` +
    `${table(head, 2, rows)}\n` +
    `In brackets: more than ${megabytes(budgetBytes)} MB. The largest square input that fits is in pixels.\n` +
    'Loading needs one more layer of the file. The JavaScript engine is not counted.\n' +
    'Weights keep the precision of the file. To change it: convert --precision in the file, --precision in memory.\n'
  );
}

function table(
  head: readonly string[],
  isText: Parameters<typeof makeTable>[1],
  rows: readonly string[][],
): string {
  const made = makeTable(head, isText);
  made.push(...rows);
  return made.toString();
}
