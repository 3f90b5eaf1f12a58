/** Prints what each method costs beside saliency, and the paper's claim. */

import { type MethodsCost, PAPER_BACKWARD_PASSES } from '../node/method-cost.js';
import { makeTable } from './table.js';

/** Ends with a new line. */
export function formatMethodsCost(cost: MethodsCost, machine: string): string {
  const { saliency, methods, backward, saliencyShare } = cost;
  const { model, backend, size, rounds, network } = saliency;
  const table = makeTable(
    ['beyond one forward pass', 'passes', 'ms', '÷ forward', '÷ saliency'],
    1,
  );
  const share = (ratio: number): string => ratio.toFixed(ratio < 0.1 ? 4 : 2);
  table.push(['SMOE Scale', 0, (saliencyShare * network.ms).toFixed(2), share(saliencyShare), 1]);
  for (const { title, passes, ms, ratio, timesSaliency, isTimed } of methods) {
    const name = isTimed ? title : `${title} *`;
    table.push([name, passes, ms.toFixed(2), share(ratio), times(timesSaliency)]);
  }
  return (
    `${model} at ${size} × ${size}, backend ${backend}, medians of ${rounds} passes; ${machine}\n` +
    `Forward pass ${network.ms.toFixed(2)} ms\n${table.toString()}\n` +
    '* counted: passes × (forward + backward); without * one backward pass was timed in turns with the forward pass.\n' +
    `${claim(cost).toString()}\n` +
    `Memory of the backward pass beside the weights: ${(backward.bytes / 1e6).toFixed(1)} MB\n`
  );
}

/** A class activation map may cost less than saliency. */
function times(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 1 : 0);
}

/** The ratios that the paper's §4.1 states, and those that this project wants. */
function claim({ backward, saliencyShare, timesSaliency }: MethodsCost) {
  const table = makeTable(['', 'here', 'paper, §4.1'], 1);
  const range = ([low, high]: readonly [number, number]): string => `${low} to ${high}`;
  table.push(
    ['backward ÷ forward', backward.ratio.toFixed(2), ''],
    ['saliency ÷ forward', `${(100 * saliencyShare).toFixed(2)} %`, ''],
    ['gradient ÷ saliency', timesSaliency.one.toFixed(0), range(PAPER_BACKWARD_PASSES.one)],
    [
      '15 × gradient ÷ saliency',
      timesSaliency.fifteen.toFixed(0),
      range(PAPER_BACKWARD_PASSES.fifteen),
    ],
  );
  return table;
}
