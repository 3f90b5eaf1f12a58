/** `fastcam` on workerd: index.ts, with the backends of kernels/workerd.ts. */

export * from './index.js';
// Named exports win over starred ones.
export { makeKernels, wasmKernels } from './kernels/workerd.js';
