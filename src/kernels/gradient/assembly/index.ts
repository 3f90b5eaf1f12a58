/**
 * Kernels of the backward pass, in WebAssembly. The module works on the memory of the SIMD backend, and has no data of
 * its own. An operator's kernel is exported by the name of its step; its arguments are the addresses of out and
 * inputs, then the numbers of the step. The references are in the files of the same names one folder up.
 */

export { activationGradient, clipGradient } from './activation';
export { col2im } from './col2im';
export { factorGradient, globalMeanGradient } from './columns';
export { addProducts } from './linear';
export { maxPoolGradient } from './pool';
export { split } from './split';
export { transposePanel } from './transposed-weights';
