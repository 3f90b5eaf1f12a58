/**
 * The SIMD backend: the functions that ../wasm-kernels.ts calls. An operator's kernel is exported by the operator's
 * name. Its arguments are the addresses of out, inputs and vectors, then the numbers of the step. A convolution is
 * exported by the name of its algorithm, and takes the address of a task.
 */

export { activate } from './activation';
export { add, affine, concat, mul } from './columns';
export { conv2dDepthwise as depthwise } from './conv2d-depthwise';
export { conv2dGemm as gemm } from './conv2d-gemm';
export { conv2dSparse as sparse } from './conv2d-sparse';
export { conv2dWinograd as winograd } from './conv2d-winograd';
export { setLocal } from './local';
export { normalizeGaussian, sumUpsampled } from './maps';
export { maxPool } from './max-pool';
export { globalMean, meanPool } from './mean-pool';
export { packPanel, widenPanel } from './precision';
export { smoe } from './smoe';

/** The first free address: the module's own data is before it. */
export function heapBase(): usize {
  return __heap_base;
}
