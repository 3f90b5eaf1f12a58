/**
 * The SIMD backend: what ../wasm-kernels.ts calls. An operator's kernel is exported by the operator's name,
 * and is called with the addresses of out, inputs and vectors, then with the numbers of the step.
 */

export { activate } from './activation';
export { add, affine, concat, mul } from './columns';
export { conv2dDepthwise } from './conv2d-depthwise';
export { conv2dGemm } from './conv2d-gemm';
export { conv2dSparse } from './conv2d-sparse';
export { conv2dWinograd } from './conv2d-winograd';
export { normalizeGaussian, sumUpsampled } from './maps';
export { maxPool } from './max-pool';
export { globalMean, meanPool } from './mean-pool';
export { packPanel, widenPanel } from './precision';
export { smoe } from './smoe';

/** Where memory is free: beyond what the module itself keeps there. */
export function heapBase(): usize {
  return __heap_base;
}
