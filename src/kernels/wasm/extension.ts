/**
 * Modules that put their kernels beside those of the SIMD backend, on its memory: one for the backward pass, one for
 * training. So a program that does not use them does not contain them. Where the engine may not compile one, the portable
 * kernels run on that memory.
 */

import { UnsupportedError } from '../../errors.js';
import type { Kernels } from '../step.js';
import { withSharedMemory } from '../threads/shared-memory.js';
import { decodeBytes } from './byte-text.js';
import type { Engine } from './wasm-kernels.js';
import { type WasmMemory, type WasmModule, webAssembly } from './webassembly.js';

export class Extension {
  readonly #text: string;
  readonly #extended = new WeakSet<object>();
  #compiled: WasmModule | undefined;
  /** The same, for a memory that threads share. */
  #shared: WasmModule | undefined;

  /** @param text the module's bytes as text (byte-text.ts) */
  constructor(text: string) {
    this.#text = text;
  }

  /** Sets the compiled module, for engines that compile only while a program starts (../workerd.ts). */
  set module(module: WasmModule) {
    this.#compiled = module;
  }

  /**
   * The engine of these kernels, extended once; `undefined` for the portable backend.
   *
   * @throws {UnsupportedError} for other kernels
   */
  engineOf(kernels: Kernels): Engine | undefined {
    if (kernels.name === 'js') return undefined;
    if (!('engine' in kernels)) {
      throw new UnsupportedError(`gradients: not with kernels ${kernels.name}: use makeKernels()`);
    }
    const engine = kernels.engine as Engine;
    if (this.#extended.has(engine)) return engine;
    this.#extended.add(engine);
    const { memory } = engine.exports as unknown as { memory: WasmMemory };
    try {
      const { exports } = new webAssembly!.Instance(this.#moduleFor(engine), { env: { memory } });
      engine.exports = { ...engine.exports, ...exports };
    } catch {
      // Forbidden by a page's policy, or while a worker serves a request.
    }
    return engine;
  }

  #moduleFor({ team }: Engine): WasmModule {
    const compile = (bytes: Uint8Array) => new webAssembly!.Module(bytes);
    if (team) {
      this.#shared ??= compile(withSharedMemory(decodeBytes(this.#text)));
      return this.#shared;
    }
    this.#compiled ??= compile(decodeBytes(this.#text));
    return this.#compiled;
  }
}
