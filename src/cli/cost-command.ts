/** `fastcam cost`: the paper's Table 6 for any network and size, with the time measured here. */

import type { Backend } from '../kernels/index.js';
import type { CostOptions } from '../node/index.js';
import { describeMachine } from './machine.js';
import type { MeasureFlags, OutputFlags } from './options.js';
import { startProgress } from './progress.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface CostFlags extends Omit<MeasureFlags, 'backend'>, OutputFlags {
  readonly backend: readonly Backend[];
  readonly methods?: boolean;
}

/** @returns the exit code */
export async function costCommand(flags: CostFlags, streams: Streams): Promise<number> {
  const { arch, size, rounds, backend: backends, methods } = flags;
  const machine = describeMachine();
  for (const backend of backends) {
    const options = {
      backend,
      rounds,
      ...(arch !== undefined && { architecture: arch }),
      ...(size !== undefined && { size }),
    };
    const { facts, text } = await (methods ? methodsCost : saliencyCost)(options, streams, machine);
    streams.stdout.write(flags.json ? `${JSON.stringify({ machine, ...facts })}\n` : text);
  }
  return EXIT.ok;
}

/** What is printed, for programs and for people. */
interface Printed {
  readonly facts: object;
  readonly text: string;
}

async function saliencyCost(
  options: CostOptions,
  _streams: Streams,
  machine: string,
): Promise<Printed> {
  const [{ measureCost }, { formatCost }] = await Promise.all([
    import('../node/measured-cost.js'),
    import('./cost-table.js'),
  ]);
  const cost = await measureCost(options);
  return { facts: cost, text: formatCost(cost, machine) };
}

async function methodsCost(
  options: CostOptions,
  { stderr }: Streams,
  machine: string,
): Promise<Printed> {
  const [{ measureMethods, MEASUREMENTS }, { formatMethodsCost }] = await Promise.all([
    import('../node/method-cost.js'),
    import('./method-cost-table.js'),
  ]);
  const progress = await startProgress(MEASUREMENTS, stderr);
  try {
    const cost = await measureMethods(options, progress.update);
    return { facts: cost, text: formatMethodsCost(cost, machine) };
  } finally {
    progress.stop();
  }
}
