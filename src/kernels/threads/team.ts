/**
 * Threads that share the work of every step. The thread that runs the network makes a job of each step, takes part in it,
 * and waits until the last call is done.
 */

import { limitsOf } from '../activation.js';
import { WEIGHT_BYTES } from '../precision.js';
import { isConv2d, type Step } from '../step.js';
import { activationWords } from '../wasm/activation.js';
import {
  blockOf,
  type Conv2dPointers,
  type Conv2dTask,
  NR,
  type ScratchBytes,
  TASK_BYTES,
  writeTask,
} from '../wasm/conv2d.js';
import { ALIGNMENT, alignUp, type LinearMemory } from '../wasm/linear-memory.js';
import type { Binder, Engine, Team } from '../wasm/wasm-kernels.js';
import {
  CALL_DOUBLES,
  type CallFunction,
  COUNT,
  DONE,
  FAILED,
  FUNCTIONS,
  JOB,
  LEFT,
  LOOKS,
  SLEEPING,
  takeCalls,
} from './protocol.js';
import { type ConvolutionPart, convolutionParts, operatorParts } from './split.js';

const CALL_BYTES = 8 * CALL_DOUBLES;

/** From the task of one thread to that of the next: whole doubles. */
export const TASK_STRIDE: number = 8 * Math.ceil(TASK_BYTES / 8);

/** How often it looks while it sleeps. */
const LOOK_MS = 100;

/** A thread that needs so much longer than this one for its part of a step has ended. */
const PATIENCE_MS = 10_000;

/** A thread of a team. */
export interface Thread {
  end(): void;
}

/** Calls that write different elements. */
interface Job {
  /** Where they are written in the shared memory, in doubles. */
  readonly at: number;
  readonly count: number;
  /** The same for this thread: runs call `index`. */
  call(index: number): void;
}

export class ThreadTeam implements Team {
  readonly size: number;
  readonly #engine: Engine;
  readonly #words: Int32Array;
  readonly #threads: readonly Thread[];
  readonly #patienceMs: number;
  readonly #canSleep: boolean;
  readonly #onLoss: () => void;
  #isAlone = false;

  /**
   * @param words the control block
   * @param onLoss called when a thread has ended in the middle of its work
   */
  constructor(
    engine: Engine,
    words: Int32Array,
    threads: readonly Thread[],
    onLoss: () => void,
    patienceMs: number = PATIENCE_MS,
  ) {
    this.size = threads.length + 1;
    this.#engine = engine;
    this.#words = words;
    this.#threads = threads;
    this.#onLoss = onLoss;
    this.#patienceMs = patienceMs;
    this.#canSleep = mayWait(words);
  }

  programBytes(steps: readonly Step[], scratchBytes: number): number {
    const { size } = this;
    // Each convolution has one job, and perhaps two others that finish its pixels.
    const convolution = 3 * CALL_BYTES + size * TASK_STRIDE;
    const perStep = steps.map((step) => {
      if (!isConv2d(step)) return size * CALL_BYTES;
      return size * Math.min(step.shape.N, size) * convolution;
    });
    return perStep.reduce((sum, bytes) => sum + bytes, ALIGNMENT + (size - 1) * scratchBytes);
  }

  bind(ptr: number, scratch: ScratchBytes, scratchBytes: number): Binder {
    return new TeamBinder(this, this.#engine, ptr, scratch, scratchBytes);
  }

  /** Runs the calls of a job on all threads. @throws {Error} if a thread ended in the middle of it */
  run({ at, count, call }: Job): void {
    if (this.#isAlone) {
      for (let i = 0; i < count; i++) call(i);
      return;
    }
    const words = this.#words;
    Atomics.store(words, JOB, at);
    Atomics.store(words, COUNT, count);
    Atomics.store(words, DONE, 0);
    Atomics.store(words, LEFT, count);
    if (Atomics.load(words, SLEEPING) > 0) Atomics.notify(words, LEFT);
    takeCalls(words, call);
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, DONE) === count) return;
    this.#wait(count);
  }

  /** Waits for calls that take long. */
  #wait(count: number): void {
    const words = this.#words;
    let waitedMs = 0;
    let last = Date.now();
    for (;;) {
      const done = Atomics.load(words, DONE);
      if (done === count) return;
      // A machine that was asleep for a while has not waited.
      const now = Date.now();
      waitedMs += Math.min(now - last, LOOK_MS);
      last = now;
      if (waitedMs > this.#patienceMs || Atomics.load(words, FAILED)) {
        this.end();
        this.#onLoss();
        throw new Error(
          'threads: a thread has ended in the middle of its work: run again, on one thread',
        );
      }
      if (this.#canSleep) Atomics.wait(words, DONE, done, LOOK_MS);
    }
  }

  end(): void {
    this.#isAlone = true;
    Atomics.store(this.#words, LEFT, -1);
    Atomics.notify(this.#words, LEFT);
    for (const thread of this.#threads) thread.end();
  }
}

/** Whether this thread may sleep: the main thread of a page may not. */
function mayWait(words: Int32Array): boolean {
  try {
    Atomics.wait(words, FAILED, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Writes the jobs of a program into its region: first the scratch of the other threads, then tasks and calls. */
class TeamBinder implements Binder {
  readonly #team: ThreadTeam;
  readonly #exports: Record<string, (...words: number[]) => void>;
  readonly #memory: LinearMemory;
  /** Addresses of the scratch of each thread. */
  readonly #scratch: readonly ScratchBytes[];
  #end: number;

  constructor(
    team: ThreadTeam,
    { exports, memory }: Engine,
    ptr: number,
    scratch: ScratchBytes,
    scratchBytes: number,
  ) {
    this.#team = team;
    this.#exports = exports as unknown as Record<string, (...words: number[]) => void>;
    this.#memory = memory;
    const begin = alignUp(ptr);
    this.#scratch = Array.from({ length: team.size }, (_, thread) =>
      thread === 0 ? scratch : moved(scratch, begin + (thread - 1) * scratchBytes - scratch.rows),
    );
    this.#end = begin + (team.size - 1) * scratchBytes;
  }

  conv2d(task: Conv2dTask): (() => void) | undefined {
    const team = this.#team;
    const { shape, algorithm, activation, pointers } = task;
    const parts = convolutionParts(shape, algorithm, team.size);
    if (parts.length === 1) return undefined;
    const { N, Hout, Wout, Cout } = shape;
    // If a pixel's channels are split, what needs all of them comes afterwards.
    const isByChannels = parts[0]!.columns < Cout;
    const curve = isByChannels && activation && !limitsOf(activation) ? activation : undefined;
    const { out, smoe } = pointers;
    const common: Conv2dTask = {
      ...task,
      activation: curve ? undefined : activation,
      pointers: { ...pointers, smoe: isByChannels ? 0 : smoe },
    };
    const job = this.#job(
      parts.map((part) => [algorithm, [this.#writeTasks(partOf(common, part))]] as const),
    );
    const M = N * Hout * Wout;
    const curved = curve && this.#call('activate', [out, out, M * Cout, ...activationWords(curve)]);
    const measured = isByChannels && smoe && this.#call('smoe', [smoe, out, M, Cout]);
    return () => {
      team.run(job);
      if (curved) curved();
      if (measured) measured();
    };
  }

  operator(name: string, words: readonly number[]): (() => void) | undefined {
    const parts = operatorParts(name, words, this.#team.size);
    if (!parts) return undefined;
    const job = this.#job(parts.map((part) => [name as CallFunction, part] as const));
    return () => this.#team.run(job);
  }

  /** An operator, on one thread if it is not worth more. */
  #call(name: CallFunction, words: readonly number[]): () => void {
    const call = this.#exports[name]!;
    return this.operator(name, words) ?? (() => call(...words));
  }

  /** A task for each thread, with its scratch. @returns the address of the first */
  #writeTasks(task: Conv2dTask): number {
    const block = Math.min(task.block, blockOf(task.shape, task.algorithm));
    const tasks = this.#scratch.map((scratch) => {
      const ptr = this.#take(TASK_STRIDE);
      writeTask(this.#memory, ptr, { ...task, block }, scratch);
      return ptr;
    });
    return tasks[0]!;
  }

  #job(calls: readonly (readonly [CallFunction, readonly number[]])[]): Job {
    const ptr = this.#take(0);
    for (const [name, words] of calls) {
      const index = FUNCTIONS.indexOf(name);
      const call = this.#take(CALL_BYTES);
      this.#memory.doubles(call, CALL_DOUBLES).set([index, words.length, ...words]);
    }
    const own = calls.map(([name, words]) => {
      const call = this.#exports[name]!;
      return () => call(...words);
    });
    return { at: ptr / 8, count: calls.length, call: (index) => own[index]!() };
  }

  /** The next bytes of the region. */
  #take(bytes: number): number {
    this.#end += bytes;
    return this.#end - bytes;
  }
}

/** All addresses, moved by so many bytes. */
function moved(scratch: ScratchBytes, bytes: number): ScratchBytes {
  const addresses = Object.entries(scratch).map(([use, ptr]) => [use, ptr + bytes]);
  return Object.fromEntries(addresses) as ScratchBytes;
}

/** The task of a part: its shape, weights and addresses. */
function partOf(task: Conv2dTask, { n, N, oy, rows, oc, columns }: ConvolutionPart): Conv2dTask {
  const { shape, weights, pointers } = task;
  const { H, W, Cin, Cout, kH, kW, strideY, padY, Hout, Wout } = shape;
  const pixels = (n * Hout + oy) * Wout;
  const out = 4 * (pixels * Cout + oc);
  // Without padding the input begins later; with it, padding is less, or negative.
  const iy = oy * strideY;
  const top = padY === 0 ? iy : 0;
  const panel = oc / NR;
  const panelBytes = NR * WEIGHT_BYTES[weights.precision] * kH * kW * (Cin / shape.groups);
  return {
    ...task,
    columns,
    shape: { ...shape, N, Hout: rows, H: H - top, padY: padY === 0 ? 0 : padY - iy },
    weights: {
      ...weights,
      ptr: weights.ptr + panel * panelBytes,
      biasPtr: weights.biasPtr + 4 * oc,
      columnScalesPtr: weights.columnScalesPtr + 4 * oc,
    },
    pointers: shifted(pointers, 4 * (n * H + top) * W * Cin, out, 4 * pixels),
  };
}

/** Addresses of a part. 0 stays: it stands for none. */
function shifted(
  { x, out, residual, smoe }: Conv2dPointers,
  xBytes: number,
  outBytes: number,
  smoeBytes: number,
): Conv2dPointers {
  return {
    x: x + xBytes,
    out: out + outBytes,
    residual: residual && residual + outBytes,
    smoe: smoe && smoe + smoeBytes,
  };
}
