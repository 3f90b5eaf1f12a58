/** The SIMD backend on several threads. */

import { type Backend, makeKernels } from '../backend.js';
import type { Kernels } from '../step.js';
import { alignUp } from '../wasm/linear-memory.js';
import { buildsByPreference, engineOf, kernelsOn } from '../wasm/wasm-kernels.js';
import { bytesOf, loadModule } from '../wasm/wasm-modules.js';
import type { WasmMemory, WasmModule } from '../wasm/webassembly.js';
import { onOneThread, resolvedOptions, type ThreadedOptions } from './options.js';
import { CONTROL_WORDS } from './protocol.js';
import { sharedMemory, withSharedMemory } from './shared-memory.js';
import { spawn } from './spawn.js';
import { TASK_STRIDE, ThreadTeam } from './team.js';

/** Bytes of a thread's own memory: `LOCAL_BYTES` of ../wasm/assembly/local.ts. */
const LOCAL_BYTES = 4096;

/**
 * Makes a backend, like `makeKernels` of `fastcam`, that may use several threads. Where the engine has none, it uses
 * one: `threads` of the result is the number, `fallback` the reason. The threads sleep between two passes. They end with
 * `dispose`, with the process, and some time after nothing refers to the kernels any more.
 *
 * @throws {ShapeError} for another backend, or a number of threads that is no whole number from 1 on
 * @throws {UnsupportedError} as `makeKernels` of `fastcam`
 */
export async function makeKernelsWithThreads(options: ThreadedOptions = {}): Promise<Kernels> {
  const { backend, threads } = resolvedOptions(options);
  if (threads === 1) return makeKernels(backend);
  const kernels = backend === 'js' ? undefined : await threadedKernels(backend, threads);
  if (kernels && !('reason' in kernels)) return kernels;
  const reason = kernels?.reason ?? 'plain JavaScript has no threads';
  return onOneThread(await makeKernels(backend), reason);
}

/** @returns the reason if there is only one thread; `undefined` if the engine has no WebAssembly SIMD */
async function threadedKernels(
  backend: Exclude<Backend, 'js'>,
  threads: number,
): Promise<Kernels | { readonly reason: string } | undefined> {
  const memory = sharedMemory();
  if ('reason' in memory) return memory;
  for (const name of backend === 'auto' ? buildsByPreference() : [backend]) {
    const module = await loadModule(name, withSharedMemory(bytesOf(name)));
    if (!module) continue;
    try {
      return await teamKernels(name, module, memory, threads);
    } catch (cause) {
      return { reason: `a worker did not start (${(cause as Error).message})` };
    }
  }
  return undefined;
}

async function teamKernels(
  name: string,
  module: WasmModule,
  memory: WasmMemory,
  size: number,
): Promise<Kernels> {
  const engine = engineOf(name, module, memory);
  const others = size - 1;
  const control = engine.memory.allocate(alignUp(4 * CONTROL_WORDS) + others * LOCAL_BYTES);
  const words = engine.memory.words(control, CONTROL_WORDS).fill(0);
  // Set below, when there are kernels.
  let onLoss = () => {};
  const starting = Array.from({ length: others }, (_, i) => {
    const local = control + alignUp(4 * CONTROL_WORDS) + i * LOCAL_BYTES;
    const start = { module, memory, control, local, thread: i + 1, taskBytes: TASK_STRIDE };
    return spawn(start, () => onLoss());
  });
  const started = await Promise.allSettled(starting);
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed) {
    for (const thread of running) thread.end();
    throw failed.reason;
  }
  const team = new ThreadTeam(engine, words, running, () => onLoss());
  const kernels = Object.assign(kernelsOn(name, { ...engine, team }), { threads: size });
  forgotten.register(kernels, team);
  // The threads must not keep the kernels alive.
  const made = new WeakRef(kernels);
  onLoss = () => {
    team.end();
    const now = { threads: 1, fallback: 'one thread: another one has ended' };
    Object.assign(made.deref() ?? {}, now);
  };
  return kernels;
}

/** Ends the threads of kernels that nobody has disposed or uses any more. */
const forgotten = new FinalizationRegistry<ThreadTeam>((team) => team.end());
