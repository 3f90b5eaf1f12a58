/** `fastcam` on workerd: index.ts, with the backends of kernels/workerd.ts. */

export * from './index.js';
// Named exports take precedence over `export *`.
export { makeKernels, wasmKernels } from './kernels/workerd.js';
