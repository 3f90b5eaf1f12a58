/** What may be asked for, and what is said if it cannot be had. */

import { expectWhole } from '../../errors.js';
import type { Backend } from '../backend.js';
import type { Kernels } from '../step.js';

export interface ThreadedOptions {
  /** Default `auto`. */
  readonly backend?: Backend;
  /** How many threads work on a step, this one included; default 1. The results have the same bits. */
  readonly threads?: number;
}

/** Options with their defaults. @throws {ShapeError} for a number of threads that is no whole number from 1 on */
export function resolvedOptions({
  backend = 'auto',
  threads = 1,
}: ThreadedOptions): Required<ThreadedOptions> {
  expectWhole('kernels', { threads });
  return { backend, threads };
}

/** Kernels that say why they have one thread. */
export function onOneThread(kernels: Kernels, reason: string): Kernels {
  return Object.assign(kernels, { fallback: kernels.fallback ?? `one thread: ${reason}` });
}
