/** Memory that threads share. */

import type { WasmMemory } from '../wasm/webassembly.js';
import { webAssembly } from '../wasm/webassembly.js';

/** Pages that a shared memory may grow to; it must be said beforehand. An engine may refuse the whole 4 GiB. */
const MOST_PAGES = [65536, 32768, 16384, 4096];

/** The import of the memory: "env", "memory", then that it is a memory without a maximum. */
const IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0];

/** A shared memory, or the reason why there is none. */
export function sharedMemory(): WasmMemory | { readonly reason: string } {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (crossOriginIsolated === false) return { reason: 'the page is not cross-origin isolated' };
  let reason = 'the engine has no shared memory';
  // WebKitGTK has none, also where the page is isolated.
  if (typeof SharedArrayBuffer === 'undefined') return { reason };
  for (const maximum of MOST_PAGES) {
    try {
      return new webAssembly!.Memory({ initial: 1, maximum, shared: true });
    } catch (cause) {
      reason = `the engine refuses shared memory (${(cause as Error).message})`;
    }
  }
  return { reason };
}

/**
 * The bytes of a module that imports a shared memory, from those of one that imports a memory of its own. Its code is the
 * same. The import is the only one, so its section is shorter than 128 bytes.
 */
export function withSharedMemory(bytes: Uint8Array): Uint8Array {
  const at = bytes.findIndex((_, i) => IMPORT.every((byte, j) => bytes[i + j] === byte));
  const flags = at + IMPORT.length - 1;
  const sectionLength = at - 2;
  const shared = Uint8Array.from([
    ...bytes.subarray(0, flags),
    ...[3, bytes[flags + 1]!],
    // The maximum: 65536, seven bits in a byte.
    ...[0x80, 0x80, 4],
    ...bytes.subarray(flags + 2),
  ]);
  shared[sectionLength]! += 3;
  return shared;
}
