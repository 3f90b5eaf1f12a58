/** `fastcam/threads` on workerd, which has no threads: the same function, one thread. */

import type { Kernels } from './kernels/step.js';
import { onOneThread, resolvedOptions, type ThreadedOptions } from './kernels/threads/options.js';
import { makeKernels as makeSingle } from './kernels/workerd.js';

export type { ThreadedOptions };

/** See threads/index.ts. */
export async function makeKernels(options: ThreadedOptions = {}): Promise<Kernels> {
  const { backend, threads } = resolvedOptions(options);
  const kernels = await makeSingle(backend);
  return threads === 1 ? kernels : onOneThread(kernels, 'workerd has no threads');
}
