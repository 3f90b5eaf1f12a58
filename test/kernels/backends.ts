/** The backends that one suite tests. */

import {
  type Conv2dStep,
  isConv2d,
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
  vectors?: { readonly scale: Float32Array; readonly shift: Float32Array },
): void {
  let offset = 0;
  const places = buffers.map(({ length }) => {
    const place = { offset, length };
    offset += Math.ceil(length / 16) * 16;
    return place;
  });
  const packed = new Map();
  if (isConv2d(step)) packed.set('w', kernels.packConv2d(step.shape, weights!));
  else if (vectors) packed.set(step.weights, kernels.packVectors(vectors.scale, vectors.shift));
  const program = kernels.bind([step], places, packed);
  for (const [i, buffer] of buffers.entries()) program.buffer(i).set(buffer);
  program.run();
  for (const [i, buffer] of buffers.entries()) buffer.set(program.buffer(i));
}

/** A convolution from buffer 0 to buffer 1, of dense inputs. */
export function convStep(step: Pick<Conv2dStep, 'shape'> & Partial<Conv2dStep>): Conv2dStep {
  return { op: 'conv2d', weights: 'w', x: 0, out: 1, sparse: false, ...step };
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
