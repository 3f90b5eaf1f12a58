/** A network that is ready for a plan: it is folded, and its scales and its classifier are found. No weight is read yet. */

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
  /** The value in which logits are linear, if there is one. It is kept. */
  readonly features?: number | undefined;
  readonly layers: Layers;
  /** The product of all strides. If the input's sides are multiples of it, no scale is rounded. */
  readonly stride: number;
  /** How each layer is kept. @param stored as for `restingLayers` */
  resting(precision: Precision, stored?: TensorSource): RestingLayers;
}

/**
 * @param H height of the input that the network was trained with; the scales are found at this size
 * @param W its width
 * @throws {ShapeError} if the network does not accept such an input
 */
export function prepareNetwork(graph: Graph, H: number, W: number = H): PreparedNetwork {
  const folded = fold(graph, shapesOf(graph, H, W));
  const ends = scaleEnds(folded, shapesOf(folded, H, W));
  const last = ends.at(-1) ?? folded.output;
  const features = averagedFeatures(folded);
  return {
    graph: folded,
    ends,
    features,
    kept: features === undefined ? [] : [features],
    layers: layersOf(folded),
    stride: stridesOf(folded)[last]!,
    resting: (precision, stored) => restingLayers(folded, ends, precision, stored),
  };
}

/** Side of ImageNet's pictures, and of CIFAR's. */
const IMAGENET_SIZE = 224;
const CIFAR_SIZE = 32;

/**
 * The side of the pictures that a network was most likely trained with. A network whose first layer has stride 1,
 * and which reduces the picture by 8 at most, is for pictures of CIFAR's size.
 */
export function usualSize(graph: Graph): number {
  const strides = stridesOf(graph);
  const first = graph.nodes.findIndex(({ operator }) => isConv(operator));
  return strides[first] === 1 && Math.max(...strides) <= 8 ? CIFAR_SIZE : IMAGENET_SIZE;
}

/**
 * The value in which logits are linear. After it there is the global mean and one fully connected layer; or only
 * the mean, with one channel for each class, as in SqueezeNet.
 */
function averagedFeatures({ nodes, output, classes }: Graph): number | undefined {
  const last = nodes[output]!;
  if (classes === 0) return undefined;
  if (isGlobalMean(last.operator)) return last.inputs[0];
  if (!isConv(last.operator)) return undefined;
  const mean = nodes[last.inputs[0]!]!;
  return isGlobalMean(mean.operator) ? mean.inputs[0] : undefined;
}

/** Bytes of all weights of a network after a backend has packed them. */
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
    const layer = layers.get(key);
    // Weights that a pass makes itself are floats.
    return layer && 'precision' in layer ? layer.precision : 'f32';
  };
  const program = kernels.programBytes(steps, buffers, precisionOf);
  return program + (kernels.maps?.bytes ?? 0);
}

/** A number of bytes in the form for messages. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
