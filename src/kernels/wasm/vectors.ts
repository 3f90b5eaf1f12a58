/** Vectors in linear memory: scale, then shift, [C] each. */

import type { PackedVectors } from '../step.js';
import type { LinearMemory } from './linear-memory.js';

export class WasmVectors implements PackedVectors {
  readonly bytes: number;
  readonly ptr: number;
  readonly #memory: LinearMemory;

  constructor(memory: LinearMemory, scale: Float32Array, shift: Float32Array) {
    this.#memory = memory;
    this.bytes = scale.byteLength + shift.byteLength;
    this.ptr = memory.allocate(this.bytes);
    this.scale.set(scale);
    this.shift.set(shift);
  }

  /** Views, valid until the memory grows. */
  get scale(): Float32Array {
    return this.#memory.floats(this.ptr, this.bytes / 8);
  }

  get shift(): Float32Array {
    return this.#memory.floats(this.ptr + this.bytes / 2, this.bytes / 8);
  }
}
