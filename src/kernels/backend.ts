/** The backends by name. */

import { jsKernels } from './js/js-kernels.js';
import type { Kernels } from './step.js';
import { wasmKernels } from './wasm/wasm-kernels.js';

/** `auto` is the fastest that the engine can run: relaxed SIMD, else SIMD, else JavaScript. */
export type Backend = 'auto' | 'js' | 'simd' | 'relaxed';

/** Names of the backends, the default first. */
export const BACKENDS: readonly Backend[] = ['auto', 'js', 'simd', 'relaxed'];

/**
 * Makes a backend; its `name` says which.
 *
 * @throws {UnsupportedError} for a backend by name that the engine cannot run
 */
export function makeKernels(backend: Backend = 'auto'): Promise<Kernels> {
  return makeKernelsFrom(wasmKernels, backend);
}

/** `makeKernels` over a SIMD backend that has its modules from elsewhere. */
export async function makeKernelsFrom(
  makeWasm: typeof wasmKernels,
  backend: Backend,
): Promise<Kernels> {
  if (backend === 'js') return jsKernels();
  if (backend !== 'auto') return makeWasm(backend);
  try {
    return await makeWasm();
  } catch {
    return jsKernels();
  }
}
