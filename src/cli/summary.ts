/** Prints one explanation: classes, times, files. */

import type { Report } from '../node/index.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/**
 * Ends with a new line.
 *
 * @param isFirst the first picture of a run: its times include the compilation of the code
 */
export function summarize(report: Report, isFirst: boolean): string {
  const { input, top, target, files } = report;
  const item = input.item === undefined ? '' : ` [${input.item}]`;
  const title = `${printable(input.path)}${item}: ${input.width} × ${input.height}, ${networkOf(report)}`;
  const table = makeTable([`top ${top.length}`, 'probability', 'class'], 1);
  for (const { label, probability, index } of top) {
    table.push([printable(label), `${(100 * probability).toFixed(1)} %`, index]);
  }
  const classes = top.length > 0 ? table.toString() : 'No classifier: only maps.';
  const explained =
    target === undefined || target.index === top[0]?.index
      ? ''
      : `Explained class: ${printable(target.label)} (${target.index})\n`;
  const written =
    files.length > 0 ? `Written:\n${files.map((file) => `  ${printable(file)}\n`).join('')}` : '';
  return `${title}\n${classes}\n${explained}${times(report, isFirst)}\n${written}`;
}

function networkOf({ input, model }: Report): string {
  const [H, W] = input.networkInput as [number, number];
  return `seen by the ${printable(model.name)} model at ${W} × ${H}`;
}

/** Shows no share of the network's time: the maps have more pixels than the network's input. */
function times({ ms, input, drawn }: Report, isFirst: boolean): string {
  const cold = isFirst
    ? '\nThe times of the first picture include the compilation of the code.'
    : '';
  const by = input.decoder === undefined ? '' : ` by ${input.decoder}`;
  return (
    `Network ${ms.network.toFixed(1)} ms, ` +
    `saliency ${ms.saliency.toFixed(1)} ms for a map of ${drawn.width} × ${drawn.height}; ` +
    `reading${by} ${(ms.decode + ms.preprocess).toFixed(0)} ms, pictures ${ms.pictures.toFixed(0)} ms${cold}`
  );
}
