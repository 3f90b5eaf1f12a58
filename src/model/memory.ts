/**
 * What a network takes in memory, known before anything of it is there: the sizes are those of the
 * plan and of the backend that would run it, and nothing is allocated to learn them.
 */

import type { Conv2dWeightShape, Kernels, Precision } from '../kernels/index.js';
import {
  type Architecture,
  type ConvolutionSpec,
  convolutionsOf,
  layersOf,
  NETWORK_STRIDE,
} from './architecture.js';
import { type Plan, plan } from './plan.js';

/** Inputs to 4096: beyond that the arena is larger than any that is allocated. */
const MOST_STRIDES = 128;

/** Bytes, by what they are for. */
export interface Memory {
  /** The weights as the backend packs them, their biases and scales. */
  readonly weightBytes: number;
  /** Activations of the pass: the plan's arena. */
  readonly arenaBytes: number;
  /** What the backend works with besides: gathered rows, transformed tiles, tasks. */
  readonly scratchBytes: number;
  /** What explanations of the N pictures hold, when all that they can tell has been asked for once. */
  readonly mapBytes: number;
  readonly totalBytes: number;
}

export interface MemoryOptions {
  /** How the weights are stored. Default `f32`. */
  readonly precision?: Precision;
  /** Height and width of the pictures, which their maps have. Default those of the input. */
  readonly picture?: readonly [height: number, width: number];
}

/**
 * Bytes of `architecture` on a backend, with a forward pass over N pictures of H×W and their
 * explanations. It is what stays: while a file is loaded its bytes come on top, and a program's code
 * and engine are not in it.
 *
 * @throws {ShapeError} when N, H or W is not a whole number ≥ 1
 */
export function memoryOf(
  kernels: Kernels,
  architecture: Architecture,
  [N, H, W]: readonly [number, number, number],
  { precision = 'f32', picture = [H, W] }: MemoryOptions = {},
): Memory {
  const passPlan = plan(architecture, [N, H, W]);
  const weightBytes = packedBytes(kernels, architecture, precision);
  const { arenaBytes } = passPlan;
  const scratchBytes = kernels.programBytes(passPlan.steps, passPlan.buffers) - arenaBytes;
  const mapBytes = N * explanationBytes(passPlan, architecture.classes, picture);
  const totalBytes = weightBytes + arenaBytes + scratchBytes + mapBytes;
  return { weightBytes, arenaBytes, scratchBytes, mapBytes, totalBytes };
}

/**
 * The side of a square input that takes as much of a budget as there is: a multiple of the network's
 * stride, at most `MOST_STRIDES` of them; 0 where not even the smallest fits.
 *
 * By bisection: memory grows with the side, but for the rounding of scratch to whole blocks.
 */
export function largestInput(
  kernels: Kernels,
  architecture: Architecture,
  budgetBytes: number,
  precision: Precision = 'f32',
): number {
  const fits = (strides: number): boolean => {
    const side = strides * NETWORK_STRIDE;
    const { totalBytes } = memoryOf(kernels, architecture, [1, side, side], { precision });
    return totalBytes <= budgetBytes;
  };
  let fitting = 0;
  let tooLarge = MOST_STRIDES + 1;
  while (tooLarge - fitting > 1) {
    const middle = Math.floor((fitting + tooLarge) / 2);
    if (fits(middle)) fitting = middle;
    else tooLarge = middle;
  }
  return fitting * NETWORK_STRIDE;
}

/** Bytes of all weights of a network once a backend has packed them. */
export function packedBytes(
  kernels: Kernels,
  architecture: Architecture,
  precision: Precision = 'f32',
): number {
  const layers = layersOf(architecture);
  const convolutions = convolutionsOf(layers).reduce(
    (sum, spec) => sum + kernels.packedConv2dBytes(weightShape(spec), precision),
    0,
  );
  return convolutions + kernels.packedLinearBytes(layers.fc.Cin, layers.fc.Cout, precision);
}

/** Floats in a state dict: weights, batch norms with their statistics, classifier. */
export function parameterCount(architecture: Architecture): number {
  const layers = layersOf(architecture);
  const convolutions = convolutionsOf(layers).reduce(
    (sum, { Cin, Cout, kernel, groups }) => sum + Cout * ((kernel ** 2 * Cin) / groups + 4),
    0,
  );
  return convolutions + layers.fc.Cout * (layers.fc.Cin + 1);
}

/**
 * Each scale's map raw and normalised, the features and logits kept for other classes; at the
 * picture's size the combined map, CAM, FastCAM and non-class map, and LOVI. Four bytes an element,
 * of floats and of RGBA alike.
 */
function explanationBytes(
  { taps, featureShape }: Plan,
  classes: number,
  [height, width]: readonly [number, number],
): number {
  const scales = taps.reduce((sum, { H, W }) => sum + H * W, 0);
  const features = featureShape.H * featureShape.W * featureShape.C;
  return 4 * (2 * scales + features + classes + 5 * height * width);
}

/** The extents that a backend packs a convolution's weight by. */
export function weightShape({ Cin, Cout, kernel, groups }: ConvolutionSpec): Conv2dWeightShape {
  return { Cin, Cout, kH: kernel, kW: kernel, groups };
}
