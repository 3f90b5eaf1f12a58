/**
 * Where the compiled modules come from: bytes embedded in JavaScript, which every engine can load and
 * nearly every one may compile. Cloudflare's workers may not at request time: ../workerd.ts has
 * modules for them that are compiled already. The import is static: a bundler makes one file of it, as a worker or
 * a script without `import()` wants it, and a bundle that uses plain JavaScript alone leaves it out.
 */

import { decodeBytes } from './byte-text.js';
import { PIECES } from './embedded.js';
import { forbidden, type WasmModule, webAssembly } from './webassembly.js';

/** The two builds: with fused multiply–add, and without. */
export type WasmBuild = 'relaxed' | 'simd';

/** Finds the module of a build; `undefined` where the engine cannot run it. */
export type ModuleLoader = (build: WasmBuild) => Promise<WasmModule | undefined>;

/**
 * Compiles a build.
 *
 * @returns `undefined` where the engine lacks WebAssembly or the instructions of that build
 * @throws {UnsupportedError} where it has them but may not compile: in a page whose policy lacks
 * 'wasm-unsafe-eval', in a worker that serves a request
 */
export async function loadModule(build: WasmBuild): Promise<WasmModule | undefined> {
  if (!webAssembly) return undefined;
  const bytes = decodeBytes(PIECES.map((piece) => piece[build]).join(''));
  if (!webAssembly.validate(bytes)) return undefined;
  try {
    return await webAssembly.compile(bytes);
  } catch (cause) {
    throw forbidden(build, cause);
  }
}
