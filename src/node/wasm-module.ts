/** WebAssembly modules of packages, compiled on first use and kept. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type WasmModule, webAssembly } from '../kernels/wasm/webassembly.js';

const modules = new Map<string, Promise<WasmModule>>();

/**
 * @param specifier of the file: `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`. The packages themselves would load it
 * with `fetch` from its URL, which Node does not support for files.
 */
export function wasmModule(specifier: string): Promise<WasmModule> {
  let module = modules.get(specifier);
  if (module === undefined) {
    module = compile(specifier);
    modules.set(specifier, module);
  }
  return module;
}

async function compile(specifier: string): Promise<WasmModule> {
  // A CommonJS bundle has no URL: packages are searched for in the start folder of the program.
  const own: string | undefined = import.meta.url;
  const { resolve } = createRequire(own ?? join(process.cwd(), 'index.js'));
  return webAssembly!.compile(await readFile(resolve(specifier)));
}
