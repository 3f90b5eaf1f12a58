/**
 * The memory of a network, known before it is allocated: the sizes come from the plan and the backend
 * that would run it.
 */

import { ShapeError } from '../errors.js';
import type { Kernels, Precision } from '../kernels/index.js';
import { type Plan, type PreparedNetwork, packedBytes, passBytes, plan } from '../model/index.js';

/** Inputs up to 4096: for larger ones the arena is too large to allocate. */
const MOST_SIDE = 4096;

/** Bytes, by use. */
export interface Memory {
  /** The weights as the backend packs them, their biases and scales. */
  readonly weightBytes: number;
  /** Activations of the pass: the plan's arena. */
  readonly arenaBytes: number;
  /** The backend's working memory: gathered rows, transformed tiles, tasks. */
  readonly scratchBytes: number;
  /** Explanations of the N pictures, after each result has been asked for once. */
  readonly mapBytes: number;
  readonly totalBytes: number;
}

/**
 * Bytes of a network on a backend, with a forward pass over N pictures of H×W and their explanations. This
 * is the permanent part: while a file is loaded its bytes are added. Code and engine are not counted.
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
 * The side of the largest square input that fits in a budget: a multiple of the network's stride, at
 * most 4096; 0 if not even the smallest fits.
 *
 * By bisection: memory grows with the side, except that scratch is rounded to whole blocks.
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
      // The picture is too small for the network.
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
 * For each scale the raw and the normalised map; the features and logits for other classes; at the input's
 * size the combined map, CAM, FastCAM, non-class map and LOVI. Four bytes an element, for floats and
 * RGBA alike.
 */
function explanationBytes({ taps, kept, H, W }: Plan, classes: number): number {
  const scales = taps.reduce((sum, tap) => sum + tap.H * tap.W, 0);
  const features = kept.reduce((sum, { shape }) => sum + shape.H * shape.W * shape.C, 0);
  return 4 * (2 * scales + features + classes + 5 * H * W);
}
