/** `fastcam/kernels` on workerd: index.ts, with the backends of workerd.ts. */

export * from './index.js';
// Named exports take precedence over `export *`.
export { makeKernels, wasmKernels } from './workerd.js';
