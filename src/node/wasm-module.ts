/** WebAssembly modules of packages, compiled when first asked for and kept. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type WasmModule, webAssembly } from '../kernels/wasm/webassembly.js';

const { resolve } = createRequire(import.meta.url);
const modules = new Map<string, Promise<WasmModule>>();

/**
 * @param specifier of the file: `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`. The packages themselves would fetch it
 * from its URL, which Node does not do for files.
 */
export function wasmModule(specifier: string): Promise<WasmModule> {
  let module = modules.get(specifier);
  if (module === undefined) {
    module = readFile(resolve(specifier)).then((bytes) => webAssembly!.compile(bytes));
    modules.set(specifier, module);
  }
  return module;
}
