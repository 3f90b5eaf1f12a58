/** `fastcam/onnx` on workerd: onnx.ts, with the backends of kernels/workerd.ts. */

// Named exports take precedence over `export *`.
export { makeKernels, wasmKernels } from './kernels/workerd.js';
export * from './onnx.js';
