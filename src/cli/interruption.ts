/** Ctrl-C: what is under way is given up, and what is written stays whole. */

import { setTimeout } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Longer than the system takes to end a process. */
const DEATH_MS = 1000;

/** The first Ctrl-C aborts `signal`; the second ends the process as ever. */
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

  /** To be called when all is put in order. Where there was a Ctrl-C, the process ends by it, as shells expect. */
  async end(): Promise<void> {
    for (const { name, listener } of this.#listeners) process.off(name, listener);
    if (!this.signal.aborted) return;
    process.kill(process.pid, this.signal.reason as NodeJS.Signals);
    await setTimeout(DEATH_MS);
  }
}
