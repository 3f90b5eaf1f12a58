/**
 * What a network takes in memory, known before anything of it is there: the sizes are those of the
 * plan and of the backend that would run it, and nothing is allocated to learn them.
 */

import { ShapeError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import { type Plan, type PreparedNetwork, packedBytes, passBytes, plan } from '../model/index.js';

/** Inputs to 4096: beyond that the arena is larger than any that is allocated. */
const MOST_SIDE = 4096;

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

/**
 * Bytes of a network on a backend, with a forward pass over N pictures of H×W and their explanations. It
 * is what stays: while a file is loaded its bytes come on top, and a program's code and engine are not in it.
 *
 * @param precision how the weights are stored
 * @throws {ShapeError} when N, H or W is not a whole number ≥ 1, or too small for the network
 */
export function memoryOf(
  kernels: Kernels,
  net: PreparedNetwork,
  [N, H, W]: readonly [number, number, number],
  precision: Precision = 'f32',
): Memory {
  const passPlan = plan(net, [N, H, W]);
  const layers = net.resting(precision);
  const weightBytes = packedBytes(kernels, layers);
  const { arenaBytes } = passPlan;
  const scratchBytes = passBytes(kernels, layers, passPlan) - arenaBytes;
  const mapBytes = N * explanationBytes(passPlan, net.graph.classes);
  const totalBytes = weightBytes + arenaBytes + scratchBytes + mapBytes;
  return { weightBytes, arenaBytes, scratchBytes, mapBytes, totalBytes };
}

/**
 * The side of a square input that takes as much of a budget as there is: a multiple of the network's
 * stride, at most 4096; 0 where not even the smallest fits.
 *
 * By bisection: memory grows with the side, but for the rounding of scratch to whole blocks.
 */
export function largestInput(
  kernels: Kernels,
  net: PreparedNetwork,
  budgetBytes: number,
  precision: Precision = 'f32',
): number {
  const fits = (strides: number): boolean => {
    const side = strides * net.stride;
    try {
      return memoryOf(kernels, net, [1, side, side], precision).totalBytes <= budgetBytes;
    } catch (error) {
      // Too small a picture for the network.
      if (error instanceof ShapeError) return false;
      throw error;
    }
  };
  let fitting = 0;
  let tooLarge = Math.floor(MOST_SIDE / net.stride) + 1;
  while (tooLarge - fitting > 1) {
    const middle = Math.floor((fitting + tooLarge) / 2);
    if (fits(middle)) fitting = middle;
    else tooLarge = middle;
  }
  return fitting * net.stride;
}

/**
 * Each scale's map raw and normalised, the features and logits kept for other classes; at the input's
 * size the combined map, CAM, FastCAM and non-class map, and LOVI. Four bytes an element, of floats and of
 * RGBA alike.
 */
function explanationBytes({ taps, featureShape, H, W }: Plan, classes: number): number {
  const scales = taps.reduce((sum, tap) => sum + tap.H * tap.W, 0);
  const features = featureShape ? featureShape.H * featureShape.W * featureShape.C : 0;
  return 4 * (2 * scales + features + classes + 5 * H * W);
}
