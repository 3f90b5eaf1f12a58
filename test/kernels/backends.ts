/** The backends that one suite tests. */

import {
  jsKernels,
  type Kernels,
  type LayerWeights,
  type Step,
  wasmKernels,
} from '../../src/kernels/index.js';

export const BACKENDS: readonly Backend[] = [
  { name: 'js', make: async () => jsKernels() },
  { name: 'simd', make: () => wasmKernels('simd') },
  { name: 'simd without Winograd', make: () => wasmKernels('simd', { winograd: false }) },
  { name: 'relaxed', make: () => wasmKernels('relaxed') },
];

interface Backend {
  readonly name: string;
  readonly make: () => Promise<Kernels>;
}

/**
 * Runs one step on a backend: buffer i of the step is a copy of `buffers[i]`, which is overwritten
 * with what the step left there.
 */
export function runStep(
  kernels: Kernels,
  step: Step,
  buffers: readonly Float32Array[],
  weights?: LayerWeights,
): void {
  let offset = 0;
  const places = buffers.map(({ length }) => {
    const place = { offset, length };
    offset += Math.ceil(length / 16) * 16;
    return place;
  });
  const packed = new Map();
  if (step.op === 'conv2d') {
    packed.set('w', kernels.packConv2d(step.shape, weights!));
  } else if (step.op === 'linear') {
    packed.set('w', kernels.packLinear(step.Cin, step.Cout, weights!));
  }
  const program = kernels.bind([step], places, packed);
  for (const [i, buffer] of buffers.entries()) program.buffer(i).set(buffer);
  program.run();
  for (const [i, buffer] of buffers.entries()) buffer.set(program.buffer(i));
}

/** Floats in [−1, 1) that depend on nothing but the seed (xorshift32). */
export function seededFloats(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  let state = (seed * 2654435761) | 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = (state >>> 0) / 2 ** 31 - 1;
  }
  return out;
}
