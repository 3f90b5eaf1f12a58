/**
 * The part of the WebAssembly API that the backend uses. Every engine has it, but TypeScript only declares
 * it in a `lib` with the DOM. These are our own types, which do not conflict with others.
 */

import { UnsupportedError } from '../../errors.js';

/** A compiled `WebAssembly.Module`. */
export type WasmModule = object;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** @param pages of 64 KiB */
  grow(pages: number): number;
}

interface WebAssemblyApi {
  readonly Memory: new (descriptor: {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: object };
  compile(bytes: Uint8Array): Promise<WasmModule>;
  validate(bytes: Uint8Array): boolean;
}

/** `undefined` where the engine has no WebAssembly. */
export const webAssembly: WebAssemblyApi | undefined = (
  globalThis as { WebAssembly?: WebAssemblyApi }
).WebAssembly;

/** The error where the engine has WebAssembly but may not use it: a page's policy or a worker's rules forbid it. */
export function forbidden(build: string, cause: unknown): UnsupportedError {
  return new UnsupportedError(
    `wasm: the engine may not compile the ${build} build: choose js (${(cause as Error).message})`,
    { cause },
  );
}

/**
 * Whether `relaxed` is the faster build here. V8 compiles it to slower code than `simd` up to 12.9 at least (Node 20
 * with its flag to 23: 1.15 to 1.5 times the time) and to faster from 13.6 (Node 24 and 26, Deno: 0.8 to 0.95), as
 * JavaScriptCore does (Bun: 0.8 to 0.9). `npm run bench:builds` measures it.
 *
 * Method: what an engine takes for valid tells its age, and the same engine gives the same bits each time. V8 has
 * tables of 64-bit addresses from 13.3, Firefox from 134. JavaScriptCore lacks them, and is known by references to
 * exceptions without 64-bit memories: V8 had the memories first.
 */
export function prefersRelaxed(): boolean {
  return takes(TABLE64) || (takes(EXNREF) && !takes(MEMORY64));
}

/** Sections of a module: their id, their length, one entry. */
const TABLE64 = [4, 4, 1, 0x70, 4, 0];
const EXNREF = [1, 5, 1, 0x60, 1, 0x69, 0];
const MEMORY64 = [5, 3, 1, 4, 0];

function takes(section: readonly number[]): boolean {
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section];
  return webAssembly?.validate(Uint8Array.from(module)) ?? false;
}
