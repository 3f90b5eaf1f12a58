/** A network that is ready to be planned: folded, its scales and its classifier found. No weight is read yet. */

import type { Kernels, Precision } from '../kernels/operators.js';
import type { TensorSource } from './formats/tensor-source.js';
import { fold } from './graph/fold.js';
import { type Graph, shapesOf, stridesOf } from './graph/node.js';
import { isGlobalMean } from './graph/operators/adaptive-mean.js';
import { isConv } from './graph/operators/conv.js';
import type { Plan, Tappable } from './graph/plan.js';
import { scaleEnds } from './graph/scale-ends.js';
import { type Layers, layersOf, type RestingLayers, restingLayers } from './layers.js';

export interface PreparedNetwork extends Tappable {
  readonly layers: Layers;
  /** The product of all strides: every scale of an input with sides a multiple of it is exact. */
  readonly stride: number;
  /** How each layer is kept. @param stored as of `restingLayers` */
  resting(precision: Precision, stored?: TensorSource): RestingLayers;
}

/**
 * @param H height of the input that the network was trained with: scales are those that it has there
 * @param W its width
 * @throws {ShapeError} where it does not take such an input
 */
export function prepareNetwork(graph: Graph, H: number, W: number = H): PreparedNetwork {
  const folded = fold(graph, shapesOf(graph, H, W));
  const ends = scaleEnds(folded, shapesOf(folded, H, W));
  const last = ends.at(-1) ?? folded.output;
  return {
    graph: folded,
    ends,
    features: averagedFeatures(folded),
    layers: layersOf(folded),
    stride: stridesOf(folded)[last]!,
    resting: (precision, stored) => restingLayers(folded, ends, precision, stored),
  };
}

/** Side of ImageNet's pictures, and of CIFAR's. */
const IMAGENET_SIZE = 224;
const CIFAR_SIZE = 32;

/**
 * The side that a network was most likely trained with: one that begins at the picture's own pixels, and goes
 * down by 8 at most, is for pictures of CIFAR's size.
 */
export function usualSize(graph: Graph): number {
  const strides = stridesOf(graph);
  const first = graph.nodes.findIndex(({ operator }) => isConv(operator));
  return strides[first] === 1 && Math.max(...strides) <= 8 ? CIFAR_SIZE : IMAGENET_SIZE;
}

/**
 * The value that logits are linear in: global mean, then one fully connected layer; or the mean alone, of a
 * channel for each class, as SqueezeNet has it.
 */
function averagedFeatures({ nodes, output, classes }: Graph): number | undefined {
  const last = nodes[output]!;
  if (classes === 0) return undefined;
  if (isGlobalMean(last.operator)) return last.inputs[0];
  if (!isConv(last.operator)) return undefined;
  const mean = nodes[last.inputs[0]!]!;
  return isGlobalMean(mean.operator) ? mean.inputs[0] : undefined;
}

/** Bytes of all weights of a network once a backend has packed them. */
export function packedBytes(kernels: Kernels, layers: RestingLayers): number {
  return [...layers.values()].reduce((sum, layer) => sum + kernels.packedBytes(layer), 0);
}

/** Bytes of arena and scratch of a pass. */
export function passBytes(
  kernels: Kernels,
  layers: RestingLayers,
  { steps, buffers }: Plan,
): number {
  const precisionOf = (key: string): Precision => {
    const layer = layers.get(key)!;
    return 'precision' in layer ? layer.precision : 'f32';
  };
  const program = kernels.programBytes(steps, buffers, precisionOf);
  return program + (kernels.maps?.bytes ?? 0);
}

/** As messages tell it. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
