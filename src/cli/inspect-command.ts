/** `fastcam inspect`: what a file of weights is. */

import {
  asUsage,
  type ModelFlags,
  type OutputFlags,
  type WeightsFlags,
  weightsOf,
} from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface InspectFlags extends OutputFlags, WeightsFlags, Pick<ModelFlags, 'backend'> {
  readonly size?: number;
  readonly layers?: boolean;
}

/** @returns the exit code */
export async function inspectCommand(
  model: string,
  { size, backend, layers = false, json, ...flags }: InspectFlags,
  streams: Streams,
): Promise<number> {
  const [{ inspectModel }, { formatInspection }] = await Promise.all([
    import('../node/inspect.js'),
    import('./inspection-table.js'),
  ]);
  const inspection = await asUsage(
    inspectModel(model, {
      backend,
      ...(size !== undefined && { size }),
      ...weightsOf(flags),
    }),
  );
  streams.stdout.write(
    json ? `${JSON.stringify(inspection)}\n` : formatInspection(inspection, layers),
  );
  return EXIT.ok;
}
