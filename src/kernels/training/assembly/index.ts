/**
 * Kernels of training, in WebAssembly. Like those of the backward pass (../../gradient/assembly), they work on the memory
 * of the SIMD backend, and are exported by the names of their steps. The references are in the files of the same names one
 * folder up.
 */

export { batchNorm, batchNormGradient, batchNormSums, batchStatistics } from './batch-norm';
export { weightGradient } from './weight-gradient';
