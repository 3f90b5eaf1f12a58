/**
 * Where the compiled modules come from: bytes embedded in JavaScript. Every engine can load them, and nearly
 * every engine may compile them. Cloudflare's workers may not compile at request time; ../workerd.ts has compiled
 * modules for them. The import is static, so that a bundler makes one file, which also works in a worker or a script
 * without `import()`. A bundle that only uses plain JavaScript leaves it out.
 */

import { decodeBytes } from './byte-text.js';
import { PIECES } from './embedded.js';
import { forbidden, type WasmModule, webAssembly } from './webassembly.js';

/** The two builds: with fused multiply–add, and without. */
export type WasmBuild = 'relaxed' | 'simd';

/** Finds the module of a build; `undefined` if the engine cannot run it. */
export type ModuleLoader = (build: WasmBuild) => Promise<WasmModule | undefined>;

/**
 * Compiles a build.
 *
 * @param bytes of its module, if they are not the usual ones
 * @returns `undefined` if the engine lacks WebAssembly or the instructions of that build
 * @throws {UnsupportedError} if it has them but may not compile: in a page whose policy lacks
 * 'wasm-unsafe-eval', or in a worker that serves a request
 */
export async function loadModule(
  build: WasmBuild,
  bytes: Uint8Array = bytesOf(build),
): Promise<WasmModule | undefined> {
  if (!webAssembly?.validate(bytes)) return undefined;
  try {
    return await webAssembly.compile(bytes);
  } catch (cause) {
    throw forbidden(build, cause);
  }
}

/** The bytes of a build. */
export function bytesOf(build: WasmBuild): Uint8Array {
  return decodeBytes(PIECES.map((piece) => piece[build]).join(''));
}
