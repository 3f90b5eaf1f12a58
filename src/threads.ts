/** `fastcam/threads`: the SIMD backend on several threads. `fastcam` alone does not contain it. */

export { makeKernelsWithThreads as makeKernels } from './kernels/threads/index.js';
export type { ThreadedOptions } from './kernels/threads/options.js';
