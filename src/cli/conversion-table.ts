/** What a person is told about a conversion: what became of the weights, layer by layer. */

import Table from 'cli-table3';
import type { Conversion } from '../node/index.js';
import { describeArchitecture } from '../node/report.js';
import { printable } from './streams.js';

/** Ends with a new line. */
export function formatConversion({
  input,
  files,
  architecture,
  precision,
  weights,
  sourceBytes,
  bytes,
  layers,
}: Conversion): string {
  const title =
    `${printable(input)}: ${describeArchitecture(architecture)}; ` +
    `${(weights / 1e6).toFixed(2)} M weights as ${precision}, ${megabytes(bytes)} of ${megabytes(sourceBytes)}`;
  const written = files.map((file) => `  ${printable(file)}\n`).join('');
  return `${title}\n${lossTable(layers)}\nWritten:\n${written}`;
}

function lossTable(layers: Conversion['layers']): string {
  const changed = layers.filter(({ largestError }) => largestError > 0);
  if (changed.length === 0) return 'No weight changes.';
  const table = new Table({
    head: ['layer', 'weights', 'largest', 'largest error', 'mean error'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    // No colors: the table is as often read in a log as in a terminal.
    style: { head: [], border: [], compact: true },
  });
  for (const { layer, weights, largest, largestError, meanError } of changed) {
    table.push([
      layer,
      weights,
      largest.toFixed(3),
      largestError.toExponential(1),
      meanError.toExponential(1),
    ]);
  }
  const kept = layers.length - changed.length;
  return `${table}\nErrors are absolute, against float32. ${kept} other layers keep every bit.`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
