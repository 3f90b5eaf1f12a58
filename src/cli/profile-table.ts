/** Prints a profile: the totals, and a table of the layers. */

import type { LayerProfile, Profile, Rate } from '../node/profile.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** What was profiled, and where. */
export interface ProfileSubject {
  readonly model: string;
  readonly backend: string;
  readonly machine: string;
}

/** Ends with a new line. */
export function formatTotals(
  { model, backend, machine }: ProfileSubject,
  { size, rounds, microkernelGmacPerSecond, network, saliencyMs }: Omit<Profile, 'layers'>,
): string {
  const { macs, ms, gmacPerSecond, ofMicrokernel } = network;
  return (
    `${printable(model)} at ${size} × ${size}, backend ${backend}, medians of ${rounds} passes; ${machine}\n` +
    `Network ${ms.toFixed(1)} ms, saliency ${saliencyMs.toFixed(1)} ms; ` +
    `${(macs / 1e9).toFixed(2)} GMAC, ${gmacPerSecond.toFixed(2)} GMAC/s: ` +
    `${percent(ofMicrokernel, 0)} of the microkernel's ${microkernelGmacPerSecond.toFixed(2)}\n`
  );
}

/** Ends with a new line. */
export function formatLayers(layers: readonly LayerProfile[]): string {
  const table = makeTable(
    ['layer', 'shape', 'algorithm', 'ms', 'share', 'GMAC/s', 'of the microkernel'],
    3,
  );
  for (const layer of layers) {
    const { name, shape, algorithm = '', ms, share } = layer;
    table.push([
      ...[name, shape, algorithm, ms.toFixed(3), percent(share, 1)],
      ...(layer.macs > 0 ? rateCells(layer) : ['', '']),
    ]);
  }
  return (
    `${table.toString()}\n` +
    'MACs are those of direct convolution. Winograd’s algorithm and zeros need fewer: more than 100 % is possible.\n'
  );
}

function rateCells({ gmacPerSecond, ofMicrokernel }: Rate): string[] {
  return [gmacPerSecond.toFixed(2), percent(ofMicrokernel, 0)];
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)} %`;
}
