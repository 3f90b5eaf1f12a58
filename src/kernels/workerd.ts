/**
 * The backends on Cloudflare's workerd, which compiles WebAssembly only while a worker starts: there
 * the import of a .wasm file gives the compiled module. The export condition `workerd` puts these
 * functions in the place of their namesakes, and leaves the embedded bytes out of the bundle.
 *
 * Both builds are imported, and a worker does not start when one of its modules does not compile.
 * workerd has relaxed SIMD, as V8 has from 11.4 (2023); for an older one bundle without the condition,
 * and hand `fastcam/simd.wasm` to `wasmKernels`.
 */

import { type Backend, makeKernelsFrom } from './backend.js';
import type { Kernels } from './step.js';
import relaxed from './wasm/relaxed.wasm';
import simd from './wasm/simd.wasm';
import { type WasmOptions, wasmKernelsFrom } from './wasm/wasm-kernels.js';
import type { ModuleLoader, WasmBuild } from './wasm/wasm-modules.js';
import type { WasmModule } from './wasm/webassembly.js';

const MODULES: Readonly<Record<WasmBuild, WasmModule>> = { relaxed, simd };
const load: ModuleLoader = async (build) => MODULES[build];

/** See backend.ts. */
export function makeKernels(backend: Backend = 'auto'): Promise<Kernels> {
  return makeKernelsFrom(load, backend);
}

/** See backend.ts. */
export function wasmKernels(
  module?: WasmModule | WasmBuild,
  options?: WasmOptions,
): Promise<Kernels> {
  return wasmKernelsFrom(load, module, options);
}
