/** The portable backend: every engine that has typed arrays runs it, and it is the oracle of the others. */

import type { Algorithm, ArenaBuffer, Kernels, PackedWeights, Program, Step } from '../kernels.js';
import { STATISTICS } from '../statistics/index.js';
import {
  type Conv2dScratch,
  conv2d,
  conv2dScratch,
  type PackedConv2d,
  packConv2d,
} from './conv2d.js';
import { isWinograd } from './conv2d-winograd.js';
import { globalAveragePool } from './global-average-pool.js';
import { type JsLinear, linear, packLinear } from './linear.js';
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
    bind,
  };
}

function bind(
  steps: readonly Step[],
  buffers: readonly ArenaBuffer[],
  weights: ReadonlyMap<string, PackedWeights>,
): Program {
  const length = buffers.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
  const arena = new Float32Array(length);
  const views = buffers.map(({ offset, length }) => arena.subarray(offset, offset + length));
  const convolutions = steps.flatMap((step) => (step.op === 'conv2d' ? [step.shape] : []));
  const scratch = conv2dScratch(convolutions);
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
      return () => linear(out, x, packed, step.N, step.Cin, step.Cout);
    }
    case 'statistic': {
      const { compute } = STATISTICS[step.statistic];
      return () => compute(out, x, step.C);
    }
    case 'relu':
      return () => relu(out, x);
  }
}
