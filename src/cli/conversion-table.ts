/** Prints a conversion: how the weights of each layer changed. */

import type { Conversion } from '../node/index.js';
import { describeArchitecture } from '../node/report.js';
import { megabytes } from './byte-size.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

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
  warnings,
}: Conversion): string {
  const title =
    `${printable(input)}: ${describeArchitecture(architecture)}; ` +
    `${(weights / 1e6).toFixed(2)} M weights as ${precision}, ${megabytes(bytes, 2)} MB of ${megabytes(sourceBytes, 2)} MB`;
  const written = files.map((file) => `  ${printable(file)}\n`).join('');
  const warned = warnings.map((line) => `Warning: ${printable(line)}\n`).join('');
  return `${title}\n${lossTable(layers)}\n${warned}Written:\n${written}`;
}

function lossTable(layers: Conversion['layers']): string {
  const changed = layers.filter(({ largestError }) => largestError > 0);
  if (changed.length === 0) return 'No weight changes.';
  const head = ['layer', 'weights', 'largest', 'largest error', 'mean error', 'relative error'];
  const table = makeTable(head, 1);
  for (const { layer, weights, largest, largestError, meanError, relativeError } of changed) {
    table.push([
      layer,
      weights,
      largest.toFixed(3),
      largestError.toExponential(1),
      meanError.toExponential(1),
      `${(100 * relativeError).toFixed(2)} %`,
    ]);
  }
  const kept = layers.length - changed.length;
  const relative = 'The relative error of a layer is √(Σ error² / Σ weight²)';
  return `${table}\nErrors are against float32. ${relative}. ${kept} other layers keep every bit.`;
}
