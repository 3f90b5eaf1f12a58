/** `fastcam models`: which models can be loaded, and which fit in memory. */

import type { Backend } from '../kernels/index.js';
import { EXIT, type Streams } from './streams.js';

/** The options as commander hands them over. */
export interface ModelsFlags {
  /** Memory in bytes. */
  readonly fit?: number;
  readonly backend: Backend;
  readonly json?: boolean;
}

/** Sides of the inputs that `--fit` shows. */
const SIZES = [128, 224, 384];

/** @returns the exit code */
export async function modelsCommand(flags: ModelsFlags, streams: Streams): Promise<number> {
  const { fit, backend, json } = flags;
  const [{ fitNetworks, listModels }, { formatFit, formatModels }] = await Promise.all([
    import('../node/model-list.js'),
    import('./models-table.js'),
  ]);
  if (fit === undefined) {
    const list = await listModels();
    streams.stdout.write(json ? `${JSON.stringify(list)}\n` : formatModels(list));
  } else {
    const memory = await fitNetworks(fit, SIZES, backend);
    streams.stdout.write(json ? `${JSON.stringify(memory)}\n` : formatFit(memory));
  }
  return EXIT.ok;
}
