/** The SIMD backend: what ../wasm-kernels.ts calls. A linear layer is a 1×1 convolution of one pixel. */

export { conv2dGemm } from './conv2d-gemm';
export { conv2dSparse } from './conv2d-sparse';
export { conv2dWinograd } from './conv2d-winograd';
export { globalAveragePool } from './global-average-pool';
export { normalizeGaussian, sumUpsampled } from './maps';
export { maxPool } from './max-pool';
export { packPanel, widenPanel } from './precision';

/** Where memory is free: beyond what the module itself keeps there. */
export function heapBase(): usize {
  return __heap_base;
}
