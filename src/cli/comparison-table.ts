/** Prints a comparison of methods: a row for each. */

import type { Comparison } from '../node/comparison.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** Ends with a new line. */
export function formatComparison(report: Comparison): string {
  const { input, model, target, forward, weightBytes, methods, files } = report;
  const [H, W] = input.networkInput as [number, number];
  const table = makeTable(['', 'ms', '× forward', 'backward passes', 'MB'], 1);
  table.push(['forward pass', forward.ms.toFixed(1), '1.00', 0, megabytes(forward.bytes)]);
  for (const { title, cost } of methods) {
    if (!cost) continue;
    const { ms, ratio, passes, bytes } = cost;
    table.push([title, ms.toFixed(1), ratio.toFixed(2), passes, megabytes(bytes)]);
  }
  return (
    `${printable(input.path)}: ${input.width} × ${input.height}, seen by the ` +
    `${printable(model.name)} model at ${W} × ${H}, backend ${model.backend}\n` +
    `Explained class: ${printable(target.label)} (${target.index}), ${(100 * target.probability).toFixed(1)} %\n` +
    `${table.toString()}\nMemory is counted beside ${megabytes(weightBytes)} MB of weights.\n` +
    `Written:\n${files.map((file) => `  ${printable(file)}\n`).join('')}`
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
