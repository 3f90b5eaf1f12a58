/** The backends by name. */

import { oneOf } from '../errors.js';
import { jsKernels } from './js/js-kernels.js';
import type { Kernels } from './step.js';
import { firstKernels, type WasmOptions, wasmKernelsFrom } from './wasm/wasm-kernels.js';
import { loadModule, type ModuleLoader, type WasmBuild } from './wasm/wasm-modules.js';
import type { WasmModule } from './wasm/webassembly.js';

/** `auto` is the fastest that the engine can run: relaxed SIMD, SIMD or JavaScript. */
export type Backend = 'auto' | 'js' | 'simd' | 'relaxed';

/** Names of the backends, the default first. */
export const BACKENDS: readonly Backend[] = ['auto', 'js', 'simd', 'relaxed'];

/**
 * Makes a backend; its `name` says which. `auto` takes `js` only where the engine has no WebAssembly SIMD; then
 * the result's `fallback` gives the reason. The same engine always gives the same backend.
 *
 * @throws {ShapeError} for another name
 * @throws {UnsupportedError} if the engine cannot run the named backend, or if it may not compile WebAssembly
 * (never for `js`)
 */
export function makeKernels(backend: Backend = 'auto'): Promise<Kernels> {
  return makeKernelsFrom(loadModule, backend);
}

/** `makeKernels` with modules from another source. */
export async function makeKernelsFrom(load: ModuleLoader, backend: Backend): Promise<Kernels> {
  oneOf('backend', backend, BACKENDS);
  if (backend === 'js') return jsKernels();
  if (backend !== 'auto') return wasmKernelsFrom(load, backend);
  const kernels = await firstKernels(load);
  if (kernels) return kernels;
  const fallback = 'the engine has no WebAssembly SIMD';
  return Object.assign(jsKernels(), { fallback });
}

/**
 * Makes the SIMD backend.
 *
 * @param module a compiled build, or the name of a build; default: the fastest that the engine can run
 * @throws {UnsupportedError} where the engine cannot run the build, or may not compile it
 */
export function wasmKernels(
  module?: WasmModule | WasmBuild,
  options?: WasmOptions,
): Promise<Kernels> {
  return wasmKernelsFrom(loadModule, module, options);
}
