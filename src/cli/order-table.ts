/** Prints how the statistics rank a picture's pixels: a column for each scale. */

import { STATISTIC_NAMES } from '../kernels/index.js';
import type { OrderAgreement, OrderReport } from '../node/index.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

const METRICS: readonly [name: string, format: (agreement: OrderAgreement) => string][] = [
  ['Kendall’s τ', ({ tau }) => tau.toFixed(3)],
  ['Spearman’s ρ', ({ rho }) => rho.toFixed(3)],
  ['top 10 % in common', ({ topOverlap }) => `${(100 * topOverlap).toFixed(0)} %`],
  ['same maximum', ({ sameMaximum }) => (sameMaximum ? 'yes' : 'no')],
];

/** Ends with a new line. */
export function formatOrder({ input, model, scales, order }: OrderReport): string {
  const [H, W] = input.networkInput as [number, number];
  const heads = scales.map(({ name, shape: [h, w] }) => `${name}\n${w} × ${h}`);
  const table = makeTable(['SMOE Scale against', '', ...heads], 2);
  for (const { statistic, scales: agreements } of order) {
    for (const [m, [metric, format]] of METRICS.entries()) {
      const name = m === 0 ? STATISTIC_NAMES[statistic] : '';
      table.push([name, metric, ...agreements.map(format)]);
    }
  }
  return (
    `${printable(input.path)}: ${input.width} × ${input.height}, seen by the ` +
    `${printable(model.name)} model at ${W} × ${H}, backend ${model.backend}\n${table.toString()}\n`
  );
}
