/**
 * Many pictures at the same time: each thread decodes, explains, draws and compresses a picture, with its own network.
 * Weights are packed into the memory of the thread's engine. Threads do not share it, so memory grows with their
 * number.
 */

import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';
import { FormatError, ShapeError, UnsupportedError } from '../errors.js';
import type { ModelOptions } from './model-file.js';
import { TooManyPixelsError } from './pictures/header.js';
import type { PoolAnswer, PoolResult, PoolTask } from './pool-worker.js';

export type { PoolResult } from './pool-worker.js';

export interface PoolOptions {
  /** Number of threads; default the number of cores. */
  readonly size?: number;
  /** The network of every thread; default the bundled one. */
  readonly model?: ModelOptions;
  /** Pictures that may wait for a thread; default any number. More are refused with `PoolBusyError`. */
  readonly maxQueue?: number;
}

export type PoolExplainOptions = PoolTask['options'] & {
  /** Gives up. If a thread is working on the picture, it ends, and a new thread replaces it. */
  readonly signal?: AbortSignal;
};

/** Too many pictures are waiting. */
export class PoolBusyError extends Error {
  override readonly name: string = 'PoolBusyError';
}

export interface Pool {
  /** Threads. */
  readonly size: number;
  /**
   * Explains a picture in a free thread, or as soon as one is free.
   *
   * @param input a path, or the bytes of a file, which are copied. A path that ends in `.safetensors` is a tensor
   * file, and may hold several pictures: see `explainAll`
   * @throws {PoolBusyError} when more than `maxQueue` are waiting
   * @throws the errors of `explainFile`, and the abort reason of `signal`
   */
  explain(input: PoolTask['input'] | Uint8Array, options?: PoolExplainOptions): Promise<PoolResult>;
  /** The same for a file that may contain several pictures. */
  explainAll(
    input: PoolTask['input'] | Uint8Array,
    options?: PoolExplainOptions,
  ): Promise<readonly PoolResult[]>;
  /** Ends the threads and gives up their current work. */
  close(): Promise<void>;
}

/** Threads with a network each. */
export interface Threads {
  /** Runs a function of pool-worker.ts in a free thread, or as soon as one is free. @throws its errors */
  run<T>(name: 'default' | 'evaluate', task: unknown, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/**
 * Starts threads, and waits until the first has its network. The others load theirs meanwhile.
 *
 * @throws the errors of `openModel`
 */
export async function startThreads(size: number, model: ModelOptions): Promise<Threads> {
  const threads = new Tinypool({
    filename: workerUrl(),
    minThreads: size,
    maxThreads: size,
    workerData: model,
    // A thread that waits for its next picture may still close files and free memory.
    useAtomics: false,
  });
  const starting = Array.from({ length: size }, () => threads.run(undefined, { name: 'ready' }));
  // Load errors of the other threads appear when they get a picture.
  for (const start of starting) start.catch(() => {});
  try {
    await answered(starting[0]!);
  } catch (error) {
    await threads.destroy();
    throw error;
  }
  return {
    run: (name, task, signal) => answered(threads.run(task, { name, ...(signal && { signal }) })),
    close: () => threads.destroy(),
  };
}

/** Starts the threads of a pool. @throws as `startThreads` */
export async function makePool(options: PoolOptions = {}): Promise<Pool> {
  const {
    size = availableParallelism(),
    model = {},
    maxQueue = Number.POSITIVE_INFINITY,
  } = options;
  if (!(Number.isInteger(size) && size >= 1)) {
    throw new ShapeError(`makePool: size expected a whole number ≥ 1, got ${size}`);
  }
  const threads = await startThreads(size, model);
  let underWay = 0;
  const explainAll: Pool['explainAll'] = async (input, { signal, ...options } = {}) => {
    signal?.throwIfAborted();
    if (underWay >= size + maxQueue)
      throw new PoolBusyError(`${underWay} pictures are in work already: try again later`);
    const named = input instanceof Uint8Array ? { name: 'picture', bytes: input } : input;
    const task: PoolTask = { input: named, options };
    underWay++;
    try {
      return await threads.run<readonly PoolResult[]>('default', task, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      underWay--;
    }
  };
  return {
    size,
    explainAll,
    explain: async (input, options) => (await explainAll(input, options))[0]!,
    close: () => threads.close(),
  };
}

/** The compiled file, for `src` and `dist` alike: Node 20 cannot run TypeScript. */
function workerUrl(): string {
  return new URL('../../dist/node/pool-worker.js', import.meta.url).href;
}

const ERRORS = { FormatError, ShapeError, TooManyPixelsError, UnsupportedError };

async function answered<T>(running: Promise<PoolAnswer<T>>): Promise<T> {
  const answer = await running;
  if ('results' in answer) return answer.results;
  const { name, message, stack } = answer.failure;
  const Kind = ERRORS[name as keyof typeof ERRORS] ?? Error;
  const error: Error = new Kind(message);
  if (!(name in ERRORS)) error.name = name;
  if (stack !== undefined) error.stack = stack;
  throw error;
}
