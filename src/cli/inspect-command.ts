/** `fastcam inspect`: what a file of weights is. */

import type { InspectOptions } from '../node/inspect.js';
import type { ModelFlags, OutputFlags } from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface InspectFlags
  extends OutputFlags,
    Pick<ModelFlags, 'strideOn' | 'maxPool' | 'activation' | 'backend'> {
  readonly size?: number;
  readonly layers?: boolean;
}

/** @returns the exit code */
export async function inspectCommand(
  model: string,
  { size, strideOn, maxPool, activation, backend, layers = false, json }: InspectFlags,
  streams: Streams,
): Promise<number> {
  const [{ inspectModel }, { formatInspection }] = await Promise.all([
    import('../node/inspect.js'),
    import('./inspection-table.js'),
  ]);
  const options: InspectOptions = {
    backend,
    ...(size !== undefined && { size }),
    ...(strideOn !== undefined && { strideOn }),
    ...(maxPool !== undefined && { maxPool }),
    ...(activation !== undefined && { activation }),
  };
  const inspection = await inspectModel(model, options);
  streams.stdout.write(
    json ? `${JSON.stringify(inspection)}\n` : formatInspection(inspection, layers),
  );
  return EXIT.ok;
}
