/** Prints the cost of saliency: a row for each row of the paper's Table 6. */

import { PAPER_TABLE_6 } from '../cost.js';
import { type CostOfPart, type SaliencyCost, sumOf } from '../node/measured-cost.js';
import { makeTable } from './table.js';

/** Ends with a new line. */
export function formatCost(cost: SaliencyCost, machine: string): string {
  const { model, backend, size, rounds, network, smoe, normalize, combine, saliency } = cost;
  const table = makeTable(['', 'operations', 'ms', 'of the network'], 1);
  const push = (name: string, ops: string, ms: number): number =>
    table.push([name, ops, ms.toFixed(2), `${((100 * ms) / network.ms).toFixed(2)} %`]);
  const pushPart = (name: string, { ops, ms }: CostOfPart): number => push(name, count(ops), ms);
  push('network, without taps', `${count(network.macs)} MAC`, network.ms);
  for (const tap of smoe) pushPart(`SMOE Scale, ${tap.name} ${tap.shape.join(' × ')}`, tap);
  pushPart('SMOE Scale', sumOf(smoe));
  pushPart('normalize', normalize);
  pushPart('combine', combine);
  pushPart('saliency in all', saliency);
  const note = isPapers(cost) ? ', as in the paper’s Table 6' : '';
  return (
    `${model} at ${size} × ${size}, backend ${backend}, medians of ${rounds} passes; ${machine}\n` +
    `${table.toString()}\nMemory of the maps: ${count(cost.mapBytes)} bytes${note}\n`
  );
}

/** Whether all counts are equal to the paper's. */
function isPapers({ smoe, normalize, combine, mapBytes }: SaliencyCost): boolean {
  return (
    sumOf(smoe).ops === PAPER_TABLE_6.smoe &&
    normalize.ops === PAPER_TABLE_6.normalize &&
    combine.ops === PAPER_TABLE_6.combine &&
    mapBytes === PAPER_TABLE_6.mapBytes
  );
}

/** With commas between thousands. */
function count(value: number): string {
  return value.toLocaleString('en-US');
}
