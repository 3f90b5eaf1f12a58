/**
 * What the threads of a team agree on. They share one linear memory. In it there is a control block, by which they share
 * out the calls of a job, and the jobs: lists of calls.
 *
 * Each thread takes a call by counting LEFT down, runs it, and counts DONE up. A thread that wakes up late finds nothing
 * left, and nobody waits for it.
 */

/** Indices of words of the control block. Each has a cache line of its own. LEFT is negative when the threads are to end. */
export const LEFT = 0;
export const DONE = 16;
/** Calls of the job. */
export const COUNT = 32;
/** Where the job begins, in doubles. */
export const JOB = 48;
/** Threads that sleep until LEFT changes. */
export const SLEEPING = 64;
/** Not 0: a call has failed. */
export const FAILED = 80;
export const CONTROL_WORDS = 96;

/**
 * How often a thread looks for a job, or for the end of one, before it sleeps: some 100 microseconds, by which one thread
 * may be later than another. Waking a thread takes about as long.
 */
export const LOOKS = 100_000;

/**
 * The doubles of a call: the index of its function, the number of its arguments, the arguments. Doubles hold addresses,
 * counts and floats.
 */
export const CALL_DOUBLES = 24;

/** The functions of the modules that a job may call. The first take the address of a task: each thread has its own. */
export const FUNCTIONS = [
  'depthwise',
  'gemm',
  'sparse',
  'winograd',
  'activate',
  'add',
  'affine',
  'concat',
  'maxPool',
  'meanPool',
  'mul',
  'smoe',
] as const;
export const TASK_FUNCTIONS = 4;

export type CallFunction = (typeof FUNCTIONS)[number];

/** Runs calls of the job as long as there are any. */
export function takeCalls(words: Int32Array, run: (index: number) => void): void {
  for (;;) {
    const left = Atomics.load(words, LEFT);
    if (left <= 0) return;
    if (Atomics.compareExchange(words, LEFT, left, left - 1) !== left) continue;
    run(left - 1);
    if (Atomics.add(words, DONE, 1) + 1 === Atomics.load(words, COUNT)) {
      Atomics.notify(words, DONE);
    }
  }
}
