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
 * Makes a backend; its `name` says which. `auto` takes `js` only where the engine has no WebAssembly SIMD, and
 * then `fallback` of the result says so. The same engine always gives the same backend.
 *
 * @throws {ShapeError} for another name
 * @throws {UnsupportedError} for a backend by name that the engine cannot run, and for any but `js` where the
 * engine may not compile WebAssembly
 */
export function makeKernels(backend: Backend = 'auto'): Promise<Kernels> {
  return makeKernelsFrom(loadModule, backend);
}

/** `makeKernels` over modules from elsewhere. */
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
 * @param module a compiled build of it, or the name of one; default: the faster that the engine can run
 * @throws {UnsupportedError} where the engine cannot run the build, or may not compile it
 */
export function wasmKernels(
  module?: WasmModule | WasmBuild,
  options?: WasmOptions,
): Promise<Kernels> {
  return wasmKernelsFrom(loadModule, module, options);
}
