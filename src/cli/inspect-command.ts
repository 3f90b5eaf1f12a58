/** `fastcam inspect`: what a file of weights is. */

import {
  type ModelFlags,
  type OutputFlags,
  type RecognitionFlags,
  recognition,
} from './options.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface InspectFlags extends OutputFlags, RecognitionFlags, Pick<ModelFlags, 'backend'> {
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
  const inspection = await inspectModel(model, {
    backend,
    ...(size !== undefined && { size }),
    ...recognition(flags),
  });
  streams.stdout.write(
    json ? `${JSON.stringify(inspection)}\n` : formatInspection(inspection, layers),
  );
  return EXIT.ok;
}
