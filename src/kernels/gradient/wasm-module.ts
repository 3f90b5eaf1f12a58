/**
 * The kernels of the backward pass for the SIMD backend: a module of their own, on the memory of the backend, so that
 * a program without gradients does not contain them. Where the engine may not compile it, the portable kernels run on
 * that memory, with the same results.
 */

import { withSharedMemory } from '../threads/shared-memory.js';
import { decodeBytes } from '../wasm/byte-text.js';
import type { Engine } from '../wasm/wasm-kernels.js';
import { type WasmMemory, type WasmModule, webAssembly } from '../wasm/webassembly.js';
import { MODULE } from './embedded.js';

const extended = new WeakSet<object>();

let compiled: WasmModule | undefined;
/** The same, for a memory that threads share. */
let shared: WasmModule | undefined;

/** Sets the compiled module, for engines that compile only while a program starts (../workerd.ts). */
export function setGradientModule(module: WasmModule): void {
  compiled = module;
}

/** Puts the kernels beside the backend's own, once. */
export function extendEngine(engine: Engine): void {
  if (extended.has(engine)) return;
  extended.add(engine);
  const { memory } = engine.exports as unknown as { memory: WasmMemory };
  try {
    const { exports } = new webAssembly!.Instance(moduleFor(engine), { env: { memory } });
    engine.exports = { ...engine.exports, ...exports };
  } catch {
    // Forbidden by a page's policy, or while a worker serves a request.
  }
}

function moduleFor({ team }: Engine): WasmModule {
  const compile = (bytes: Uint8Array) => new webAssembly!.Module(bytes);
  if (team) {
    shared ??= compile(withSharedMemory(decodeBytes(MODULE)));
    return shared;
  }
  compiled ??= compile(decodeBytes(MODULE));
  return compiled;
}
