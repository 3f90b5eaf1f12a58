/** Ctrl-C: running work is stopped, and written files stay whole. */

import { setTimeout } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Longer than the system takes to end a process. */
const DEATH_MS = 1000;

/** The first Ctrl-C aborts `signal`; the second ends the process as usual. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #listeners = SIGNALS.map((name) => {
    const listener = (): void => this.#controller.abort(name);
    process.once(name, listener);
    return { name, listener };
  });

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Call this after the cleanup. After a Ctrl-C it ends the process by the same signal, as shells expect. */
  async end(): Promise<void> {
    for (const { name, listener } of this.#listeners) process.off(name, listener);
    if (!this.signal.aborted) return;
    process.kill(process.pid, this.signal.reason as NodeJS.Signals);
    await setTimeout(DEATH_MS);
  }
}
