/** `fastcam cost`: the paper's Table 6 for any network and size, with the time measured here. */

import { describeMachine } from './machine.js';
import type { MeasureFlags, OutputFlags } from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface CostFlags extends MeasureFlags, OutputFlags {}

/** @returns the exit code */
export async function costCommand(flags: CostFlags, streams: Streams): Promise<number> {
  const { arch, size, backend, rounds, json } = flags;
  const [{ measureCost }, { formatCost }] = await Promise.all([
    import('../node/measured-cost.js'),
    import('./cost-table.js'),
  ]);
  const cost = await measureCost({
    backend,
    rounds,
    ...(arch !== undefined && { architecture: arch }),
    ...(size !== undefined && { size }),
  });
  const machine = describeMachine();
  streams.stdout.write(
    json ? `${JSON.stringify({ machine, ...cost })}\n` : formatCost(cost, machine),
  );
  return EXIT.ok;
}
