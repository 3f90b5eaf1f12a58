/**
 * What a network takes in memory, known before anything of it is there: the sizes are those of the
 * plan and of the backend that would run it, and nothing is allocated to learn them.
 */

import type { Kernels, Precision, RestingLayer } from '../kernels/index.js';
import {
  type Architecture,
  convolutionsOf,
  type Layers,
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
  const scratchBytes = passBytes(kernels, architecture, precision, passPlan) - arenaBytes;
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
  const layers = restingLayers(layersOf(architecture), precision);
  return [...layers.values()].reduce((sum, layer) => sum + kernels.packedBytes(layer), 0);
}

/** Bytes of arena and scratch of a pass. */
export function passBytes(
  kernels: Kernels,
  architecture: Architecture,
  precision: Precision,
  { steps, buffers }: Plan,
): number {
  const layers = restingLayers(layersOf(architecture), precision);
  const program = kernels.programBytes(steps, buffers, (key) => layers.get(key)!.precision);
  return program + (kernels.maps?.bytes ?? 0);
}

/** The next finer precision. */
const FINER: Readonly<Record<Precision, Precision>> = { f32: 'f32', f16: 'f32', int8: 'f16' };

/**
 * Stages that are kept one step finer than the rest. They are 6 % of a ResNet-50's weights, and the
 * rounding of theirs is most of the maps' error: the combined map of f16 is off by at most 1.7e-3 with
 * them finer, by 1.2e-2 without (the golden ResNet-50 of 224×224).
 */
const FINE_STAGES = 2;

/**
 * The layers of a network by the key of their weights, in the order of the forward pass, each with the
 * precision that it is kept in: the network's own, and one step finer for the stem and the first
 * stages, of int8 for the classifier too.
 */
export function restingLayers(layers: Layers, precision: Precision): Map<string, RestingLayer> {
  const early = convolutionsOf({ ...layers, stages: layers.stages.slice(0, FINE_STAGES) });
  const resting = new Map<string, RestingLayer>();
  for (const spec of convolutionsOf(layers)) {
    const { name, Cin, Cout, kernel, groups } = spec;
    const shape = { Cin, Cout, kH: kernel, kW: kernel, groups };
    resting.set(name, { shape, precision: early.includes(spec) ? FINER[precision] : precision });
  }
  const { name, Cin, Cout } = layers.fc;
  const shape = { Cin, Cout, kH: 1, kW: 1, groups: 1 };
  return resting.set(name, {
    shape,
    precision: precision === 'int8' ? FINER[precision] : precision,
  });
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

/** As messages tell it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
