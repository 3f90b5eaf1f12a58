/** `fastcam/kernels`: operators on flat arrays, and the backends. */

export { BACKENDS, type Backend, makeKernels, wasmKernels } from './backend.js';
export * from './operators.js';
export type { WasmOptions } from './wasm/wasm-kernels.js';
export type { WasmBuild } from './wasm/wasm-modules.js';
export type { WasmModule } from './wasm/webassembly.js';
