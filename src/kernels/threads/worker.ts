/**
 * The program of a thread. scripts/build-wasm.mjs makes one script of it (embedded.ts), because a bundler moves files.
 */

import { type WasmMemory, type WasmModule, webAssembly } from '../wasm/webassembly.js';
import {
  CALL_DOUBLES,
  CONTROL_WORDS,
  DONE,
  FAILED,
  FUNCTIONS,
  JOB,
  LEFT,
  LOOKS,
  SLEEPING,
  TASK_FUNCTIONS,
  takeCalls,
} from './protocol.js';

/** The first message to a thread. */
export interface ThreadStart {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** Address of the control block. */
  readonly control: number;
  /** Address of the thread's own memory: see ../wasm/assembly/local.ts. */
  readonly local: number;
  /** Its number; 0 is the thread that makes the jobs. */
  readonly thread: number;
  /** Bytes from the task of one thread to that of the next. */
  readonly taskBytes: number;
}

interface Port {
  onmessage: ((event: { readonly data: ThreadStart }) => void) | null;
  postMessage(message: string): void;
}

const { process } = globalThis as {
  process?: { getBuiltinModule?(name: string): { parentPort: Port | null } };
};
const port =
  process?.getBuiltinModule?.('node:worker_threads').parentPort ?? (globalThis as unknown as Port);

port.onmessage = ({ data }) => {
  const run = callsOf(data);
  const words = new Int32Array(data.memory.buffer, data.control, CONTROL_WORDS);
  port.postMessage('ready');
  try {
    while (Atomics.load(words, LEFT) >= 0) {
      takeCalls(words, run);
      for (let i = 0; i < LOOKS && Atomics.load(words, LEFT) === 0; i++);
      Atomics.add(words, SLEEPING, 1);
      Atomics.wait(words, LEFT, 0);
      Atomics.sub(words, SLEEPING, 1);
    }
  } catch (error) {
    Atomics.store(words, FAILED, 1);
    Atomics.notify(words, DONE);
    throw error;
  }
};

/** What runs call `index` of the current job. */
function callsOf({ module, memory, control, local, thread, taskBytes }: ThreadStart) {
  const instance = new webAssembly!.Instance(module, { env: { memory } });
  const exports = instance.exports as Record<string, (...words: number[]) => void>;
  exports.setLocal!(local);
  const functions = FUNCTIONS.map((name) => exports[name]!);
  const words = new Int32Array(memory.buffer, control, CONTROL_WORDS);
  let doubles = new Float64Array(memory.buffer);
  const lists = Array.from({ length: CALL_DOUBLES }, (_, i) => new Array<number>(i).fill(0));
  return (index: number): void => {
    const at = Atomics.load(words, JOB) + index * CALL_DOUBLES;
    // The memory may have grown.
    if (at >= doubles.length) doubles = new Float64Array(memory.buffer);
    const name = doubles[at]!;
    if (name < TASK_FUNCTIONS) {
      functions[name]!(doubles[at + 2]! + thread * taskBytes);
      return;
    }
    const list = lists[doubles[at + 1]!]!;
    for (let i = 0; i < list.length; i++) list[i] = doubles[at + 2 + i]!;
    functions[name]!(...list);
  };
}
