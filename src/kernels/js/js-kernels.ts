/** The portable backend: every engine that has typed arrays runs it, and it is the oracle of the others. */

import { STATISTICS } from '../statistics/index.js';
import type { Algorithm, ArenaBuffer, Kernels, PackedWeights, Program, Step } from '../step.js';
import {
  type Conv2dScratch,
  type Conv2dShape,
  conv2d,
  conv2dScratch,
  conv2dScratchBytes,
  type PackedConv2d,
  packConv2d,
  packedConv2dBytes,
} from './conv2d.js';
import { isWinograd } from './conv2d-winograd.js';
import { globalAveragePool } from './global-average-pool.js';
import { type JsLinear, linear, linearShape, packLinear } from './linear.js';
import { maxPool } from './max-pool.js';
import { relu } from './relu.js';

/** Makes the portable backend. */
export function jsKernels(): Kernels {
  return {
    name: 'js',
    // Arrays are allocated one by one; there is nothing to grow.
    reserve() {},
    packConv2d,
    packLinear,
    // The garbage collector's.
    release() {},
    bind,
    packedBytes: packedConv2dBytes,
    programBytes,
  };
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
    algorithm: (index) => algorithmOf(steps[index]!),
    // The garbage collector's.
    release() {},
  };
}

function programBytes(steps: readonly Step[], buffers: readonly ArenaBuffer[]): number {
  const arenaBytes = arenaLength(buffers) * Float32Array.BYTES_PER_ELEMENT;
  return arenaBytes + conv2dScratchBytes(convolutionsOf(steps));
}

function arenaLength(buffers: readonly ArenaBuffer[]): number {
  return buffers.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
}

function convolutionsOf(steps: readonly Step[]): Conv2dShape[] {
  return steps.flatMap((step) => {
    if (step.op === 'linear') return [linearShape(step)];
    return step.op === 'conv2d' ? [step.shape] : [];
  });
}

function algorithmOf(step: Step): Algorithm | undefined {
  if (step.op !== 'conv2d') return undefined;
  return isWinograd(step.shape) ? 'winograd' : 'gemm';
}

function bindStep(
  step: Step,
  views: readonly Float32Array[],
  weights: ReadonlyMap<string, PackedWeights>,
  scratch: Conv2dScratch,
): () => void {
  const x = views[step.x]!;
  const out = views[step.out]!;
  switch (step.op) {
    case 'conv2d': {
      const packed = weights.get(step.weights) as PackedConv2d;
      const epilogue = {
        residual: step.residual === undefined ? undefined : views[step.residual]!,
        relu: step.relu,
        smoe: step.smoe === undefined ? undefined : views[step.smoe]!,
      };
      return () => conv2d(out, x, packed, step.shape, epilogue, scratch);
    }
    case 'maxPool':
      return () => maxPool(out, x, step.shape);
    case 'globalAveragePool':
      return () => globalAveragePool(out, x, step.N, step.pixels, step.C);
    case 'linear': {
      const packed = weights.get(step.weights) as JsLinear;
      return () => linear(out, x, packed, step.N, step.Cin, step.Cout, scratch.b);
    }
    case 'statistic': {
      const { compute } = STATISTICS[step.statistic];
      return () => compute(out, x, step.C);
    }
    case 'relu':
      return () => relu(out, x);
  }
}
