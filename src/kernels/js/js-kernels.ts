/** The portable backend: it runs in every engine that has typed arrays. Tests compare the other backends with it. */

import { DISPOSE } from '../../disposal.js';
import { type Conv2dShape, isDepthwise } from '../conv2d-shape.js';
import {
  type ArenaBuffer,
  isConv2d,
  type Kernels,
  type PackedVectors,
  type PackedWeights,
  type Program,
  type RestingLayer,
  type Step,
} from '../step.js';
import { conv2d, conv2dScratch, conv2dScratchBytes } from './conv2d.js';
import { type JsConv2d, packConv2d, packedConv2dBytes } from './conv2d-weights.js';
import { isWinograd } from './conv2d-winograd.js';
import type { Conv2dScratch } from './epilogue.js';

/** Makes the portable backend. */
export function jsKernels(): Kernels {
  const dispose = (): void => {
    kernels.isDisposed = true;
  };
  const kernels: Kernels & { isDisposed: boolean } = {
    name: 'js',
    isDisposed: false,
    dispose,
    [DISPOSE]: dispose,
    // Arrays are allocated one by one, so nothing can be reserved.
    reserve() {},
    packConv2d,
    packVectors: (scale, shift) => ({ scale, shift, bytes: 8 * scale.length }),
    // The garbage collector's.
    release() {},
    bind,
    packedBytes,
    programBytes: (steps, buffers) =>
      4 * arenaLength(buffers) + conv2dScratchBytes(convolutionsOf(steps)),
  };
  return kernels;
}

function packedBytes(layer: RestingLayer): number {
  if ('channels' in layer) return 8 * layer.channels;
  return packedConv2dBytes(layer.shape, layer.precision);
}

function bind(
  steps: readonly Step[],
  buffers: readonly ArenaBuffer[],
  weights: ReadonlyMap<string, PackedWeights>,
): Program {
  const arena = new Float32Array(arenaLength(buffers));
  const views = buffers.map(({ offset, length }) => arena.subarray(offset, offset + length));
  const scratch = conv2dScratch(convolutionsOf(steps));
  const bound = steps.map((step) => bindStep(step, views, weights, scratch));
  const scratchBytes = Object.values(scratch).reduce((sum, array) => sum + array.byteLength, 0);
  return {
    bytes: arena.byteLength + scratchBytes,
    buffer: (index) => views[index]!,
    run() {
      for (let i = 0; i < bound.length; i++) bound[i]!();
    },
    runStep: (index) => bound[index]!(),
    algorithm(index) {
      const step = steps[index]!;
      if (!isConv2d(step)) return undefined;
      if (isDepthwise(step.shape)) return 'depthwise';
      return isWinograd(step.shape) ? 'winograd' : 'gemm';
    },
    // The garbage collector's.
    release() {},
  };
}

function arenaLength(buffers: readonly ArenaBuffer[]): number {
  return buffers.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
}

function convolutionsOf(steps: readonly Step[]): Conv2dShape[] {
  return steps.filter(isConv2d).map(({ shape }) => shape);
}

function bindStep(
  step: Step,
  views: readonly Float32Array[],
  weights: ReadonlyMap<string, PackedWeights>,
  scratch: Conv2dScratch,
): () => void {
  const out = views[step.out]!;
  if (!isConv2d(step)) {
    const inputs = step.inputs.map((index) => views[index]!);
    const vectors = step.weights === undefined ? undefined : weights.get(step.weights);
    return () => step.kernel(out, inputs, vectors as PackedVectors | undefined);
  }
  const x = views[step.x]!;
  const packed = weights.get(step.weights) as JsConv2d;
  const epilogue = {
    residual: step.residual === undefined ? undefined : views[step.residual]!,
    activation: step.activation,
    smoe: step.smoe === undefined ? undefined : views[step.smoe]!,
  };
  return () => conv2d(out, x, packed, step.shape, epilogue, scratch);
}
