/**
 * The memory of a backend: weights, arenas and scratch are regions of it. It grows when no free region is
 * large enough. Growing detaches every view, so keep addresses, not views.
 */

import { ShapeError } from '../../errors.js';
import type { WasmMemory } from './webassembly.js';

const PAGE_BYTES = 65536;
/** Regions begin at a cache line. */
export const ALIGNMENT = 64;
/** The most bytes that a 32-bit address can reach. */
const MOST_BYTES = 2 ** 32;

interface Region {
  ptr: number;
  bytes: number;
}

export class LinearMemory {
  readonly #memory: WasmMemory;
  /** Free regions below `#top`, sorted by address, never adjacent. */
  readonly #free: Region[] = [];
  /** No region was ever given out beyond it. */
  #top: number;

  /** @param base the first address that is free */
  constructor(memory: WasmMemory, base: number) {
    this.#memory = memory;
    this.#top = alignUp(base);
  }

  /** Bytes of the memory, including free ones. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Grows the memory at once, for regions of `bytes` in total. */
  reserve(bytes: number): void {
    this.#growTo(this.#top + bytes);
  }

  /**
   * A region of at least `bytes` bytes with undefined contents.
   *
   * @throws {ShapeError} with the bytes needed, if the engine refuses to grow the memory
   */
  allocate(bytes: number): number {
    const wanted = alignUp(bytes);
    const index = this.#free.findIndex((region) => region.bytes >= wanted);
    const region = this.#free[index];
    if (region) {
      const { ptr } = region;
      region.ptr += wanted;
      region.bytes -= wanted;
      if (region.bytes === 0) this.#free.splice(index, 1);
      return ptr;
    }
    this.#growTo(this.#top + wanted);
    const ptr = this.#top;
    this.#top += wanted;
    return ptr;
  }

  /** Frees the region that `allocate(bytes)` gave. */
  release(ptr: number, bytes: number): void {
    const at = this.#free.findIndex((region) => region.ptr > ptr);
    this.#free.splice(at < 0 ? this.#free.length : at, 0, { ptr, bytes: alignUp(bytes) });
    for (let i = this.#free.length - 1; i > 0; i--) {
      const before = this.#free[i - 1]!;
      if (before.ptr + before.bytes !== this.#free[i]!.ptr) continue;
      before.bytes += this.#free[i]!.bytes;
      this.#free.splice(i, 1);
    }
    const last = this.#free.at(-1);
    if (last && last.ptr + last.bytes === this.#top) {
      this.#top = last.ptr;
      this.#free.pop();
    }
  }

  /** A view; valid until the memory grows. */
  floats(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, ptr, length);
  }

  /** A view; valid until the memory grows. */
  doubles(ptr: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, ptr, length);
  }

  /** A view; valid until the memory grows. */
  words(ptr: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, ptr, length);
  }

  #growTo(end: number): void {
    const missing = end - this.bytes;
    if (missing <= 0) return;
    try {
      if (end > MOST_BYTES) throw new RangeError('beyond 32 bits');
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch {
      throw new ShapeError(`wasm: no memory for ${end} bytes; the engine stops at ${this.bytes}`);
    }
  }
}

/** The next cache line: where regions begin. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
