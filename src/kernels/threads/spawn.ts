/**
 * Starts threads: of node:worker_threads in Node, Deno and Bun, which end with the process; elsewhere web workers. The
 * program of a thread is text in this package, so that no bundler has to find a file.
 */

import { WORKER } from './embedded.js';
import type { Thread } from './team.js';
import type { ThreadStart } from './worker.js';

/** The events of both kinds of workers. */
interface Handlers {
  /** The thread has its module. */
  onReady(): void;
  /** It did not start, or it ended. */
  onEnd(cause: unknown): void;
}

interface NodeWorker {
  on(event: string, handler: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref(): void;
}

interface WebWorker {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Runtime {
  readonly process?: {
    getBuiltinModule?(name: string): {
      readonly Worker: new (source: string, options: object) => NodeWorker;
    };
  };
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob: new (parts: string[], options: object) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
}

/**
 * Starts a thread.
 *
 * @param onLoss called if it ends by itself later
 * @throws what the engine gives as the reason why it did not start
 */
export function spawn(
  start: ThreadStart,
  onLoss: () => void,
  source: string = WORKER,
): Promise<Thread> {
  return new Promise((resolve, reject) => {
    let isReady = false;
    let isOver = false;
    const thread = startWorker(source, {
      onReady() {
        isReady = true;
        resolve(ending);
      },
      onEnd(cause) {
        if (isOver) return;
        isOver = true;
        if (isReady) onLoss();
        else reject(cause);
      },
    });
    const ending = {
      end() {
        isOver = true;
        thread.end();
      },
    };
    thread.postMessage(start);
  });
}

function startWorker(
  source: string,
  { onReady, onEnd }: Handlers,
): Thread & { postMessage(message: unknown): void } {
  const runtime = globalThis as unknown as Runtime;
  const { getBuiltinModule } = runtime.process ?? {};
  if (getBuiltinModule) {
    const { Worker } = getBuiltinModule('node:worker_threads');
    // Without the options of the process, which may load programs first.
    const worker = new Worker(source, { eval: true, execArgv: [] });
    worker.on('message', () => {
      // Until now the process has to wait for it.
      worker.unref();
      onReady();
    });
    worker.on('error', onEnd);
    worker.on('exit', () => onEnd(new Error('it ended')));
    return {
      postMessage: (message) => worker.postMessage(message),
      end: () => void worker.terminate(),
    };
  }
  if (!runtime.Worker) throw new Error('the runtime has no workers');
  const url = runtime.URL.createObjectURL(new runtime.Blob([source], { type: 'text/javascript' }));
  const worker = new runtime.Worker(url);
  worker.onmessage = () => {
    runtime.URL.revokeObjectURL(url);
    onReady();
  };
  worker.onerror = ({ message }) => onEnd(new Error(message ?? 'its script may not run'));
  return {
    postMessage: (message) => worker.postMessage(message),
    end: () => worker.terminate(),
  };
}
