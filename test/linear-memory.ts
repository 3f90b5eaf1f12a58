/** The linear memory of a backend, which it keeps to itself. */

import { onTestFinished } from 'vitest';
import { type WasmMemory, webAssembly } from '../src/kernels/wasm/webassembly.js';

/** Watches the `WebAssembly.Memory` that is made next, until the test is over. */
export function watchLinearMemory(): { readonly byteLength: number } {
  let memory: WasmMemory | undefined;
  const api = webAssembly as { Memory: NonNullable<typeof webAssembly>['Memory'] };
  const { Memory } = api;
  onTestFinished(() => {
    api.Memory = Memory;
  });
  api.Memory = class extends Memory {
    constructor(descriptor: { initial: number }) {
      super(descriptor);
      memory = this;
      api.Memory = Memory;
    }
  };
  return {
    get byteLength() {
      return memory!.buffer.byteLength;
    },
  };
}
