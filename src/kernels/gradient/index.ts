/** What the backward pass adds to the kernels: the gradients of operators, and rearranged weights. */

import type { Kernels } from '../step.js';
import { Extension } from '../wasm/extension.js';
import { MODULE } from './embedded.js';
import { jsTransposed, jsTransposedBytes } from './transposed-js.js';
import { wasmTransposed, wasmTransposedBytes } from './transposed-wasm.js';
import type { TransposedLayer, TransposedScratch } from './transposed-weights.js';

export * from './activation.js';
export { arithmeticGradient, factorGradient, type Operand } from './arithmetic.js';
export * from './col2im.js';
export * from './gather.js';
export * from './lrn.js';
export * from './normalize.js';
export * from './pool.js';
export * from './reduce.js';
export * from './resize.js';
export * from './softmax.js';
export * from './split.js';
export {
  type Arrangement,
  type LinearWeights,
  linearGradient,
  renewWeights,
  type TransposedLayer,
  type TransposedScratch,
  type TransposedWeights,
  transposedShape,
} from './transposed-weights.js';
export * from './unary.js';

/** The kernels of the backward pass for the SIMD backend (assembly/). */
export const gradientKernels: Extension = new Extension(MODULE);

/** Allocates scratch that is large enough for each of the layers. @throws {UnsupportedError} for unknown kernels */
export function transposedScratch(
  kernels: Kernels,
  layers: readonly TransposedLayer[],
): TransposedScratch {
  const engine = gradientKernels.engineOf(kernels);
  return engine ? wasmTransposed(engine, layers) : jsTransposed(layers);
}

/** Bytes that `transposedScratch` allocates. */
export function transposedBytes(kernels: Kernels, layers: readonly TransposedLayer[]): number {
  return gradientKernels.engineOf(kernels)
    ? wasmTransposedBytes(layers)
    : jsTransposedBytes(layers);
}
