/** `fastcam/kernels` on workerd: index.ts, with the backends of workerd.ts. */

export * from './index.js';
// Named exports win over starred ones.
export { makeKernels, wasmKernels } from './workerd.js';
