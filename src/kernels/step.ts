/**
 * The interface between a network and what computes it.
 *
 * A plan (src/model/plan.ts) is data: a list of steps over numbered buffers of one arena. A backend
 * packs weights in whatever layout it likes and binds the steps to memory once; running the result
 * allocates nothing. All activations are NHWC float32: a pixel's channels (a *column*) lie together.
 */

import type { Conv2dShape } from './js/conv2d.js';
import type { MaxPoolShape } from './js/max-pool.js';
import type { LayerWeights } from './layer-weights.js';
import type { Precision } from './precision.js';
import type { Statistic } from './statistics/index.js';

/** A stretch of the arena, in float32 elements. Buffers that are never alive together may overlap. */
export interface ArenaBuffer {
  readonly offset: number;
  readonly length: number;
}

/**
 * A convolution with its fused epilogue: out = relu?(conv(x) + bias (+ residual)), and, where the
 * step ends a scale, SMOE Scale of every output column into `smoe`.
 */
export interface Conv2dStep {
  readonly op: 'conv2d';
  /** Key of the packed weights. */
  readonly weights: string;
  readonly shape: Conv2dShape;
  /** Indices of buffers. `residual` may be `out`: each element is read before it is written. */
  readonly x: number;
  readonly out: number;
  readonly residual?: number;
  readonly relu: boolean;
  readonly smoe?: number;
}

export interface MaxPoolStep {
  readonly op: 'maxPool';
  readonly shape: MaxPoolShape;
  readonly x: number;
  readonly out: number;
}

/** The mean over all pixels: [N, H, W, C] → [N, C]. */
export interface GlobalAveragePoolStep {
  readonly op: 'globalAveragePool';
  readonly N: number;
  readonly pixels: number;
  readonly C: number;
  readonly x: number;
  readonly out: number;
}

/** out = x · weightᵀ + bias: [N, Cin] → [N, Cout]. */
export interface LinearStep {
  readonly op: 'linear';
  readonly weights: string;
  readonly N: number;
  readonly Cin: number;
  readonly Cout: number;
  readonly x: number;
  readonly out: number;
}

/** One value for each column, by a function of STATISTICS: [N, H, W, C] → [N, H, W]. */
export interface StatisticStep {
  readonly op: 'statistic';
  readonly statistic: Statistic;
  readonly N: number;
  readonly pixels: number;
  readonly C: number;
  readonly x: number;
  readonly out: number;
}

/** out = max(x, 0), where something was to be read before the ReLU. `out` may be `x`. */
export interface ReluStep {
  readonly op: 'relu';
  readonly N: number;
  readonly pixels: number;
  readonly C: number;
  readonly x: number;
  readonly out: number;
}

export type Step =
  | Conv2dStep
  | MaxPoolStep
  | GlobalAveragePoolStep
  | LinearStep
  | StatisticStep
  | ReluStep;

/** How a convolution is computed. `sparse` skips the inputs that are 0. */
export type Algorithm = 'gemm' | 'sparse' | 'winograd';

/** Weights in a backend's own layout. */
export interface PackedWeights {
  readonly bytes: number;
}

/** Weights of a linear layer, which the class activation maps read row by row. */
export interface PackedLinear extends PackedWeights {
  /** Copies the weights of output `oc` into `out` [Cin]. */
  row(out: Float32Array, oc: number): void;
}

/** Extents of a convolution's weight, without the picture it will meet. */
export interface Conv2dWeightShape {
  readonly Cin: number;
  readonly Cout: number;
  readonly kH: number;
  readonly kW: number;
  readonly groups: number;
}

/** What the memory of a layer's weights depends on; a linear layer is a 1×1 convolution. */
export interface RestingLayer {
  readonly shape: Conv2dWeightShape;
  readonly precision: Precision;
}

/** Steps bound to memory. */
export interface Program {
  /** Bytes of the arena and of the backend's scratch. */
  readonly bytes: number;
  /** A view of buffer `index` of the arena. Valid until the backend binds or packs something else. */
  buffer(index: number): Float32Array;
  /** Runs every step in order. Allocates nothing. */
  run(): void;
  /** Runs one step, to time it. */
  runStep(index: number): void;
  /** The algorithm of one step, to read its time by; `undefined` where it is neither. */
  algorithm(index: number): Algorithm | undefined;
  /** Gives the memory back; the program must not be used again. */
  release(): void;
}

/** A map [h, w] as an ndarray has it. */
export interface MapView {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
}

/** A part of a picture, in its pixels. */
export interface MapRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * What a backend does with saliency maps: the same as functions of fastcam/viz, bit for bit. Each
 * returns false, having written nothing, for maps that it leaves to those.
 */
export interface MapKernels {
  /** Of the scratch that they keep. */
  readonly bytes: number;
  /** `normalizeGaussian`: each value's place in the normal distribution of its map. `out` may be `x`. */
  normalizeGaussian(out: Float32Array, x: Float32Array): boolean;
  /** `combineMaps`: out [H, W] = Σ weightᵢ·up(mapᵢ), bilinear, NaN outside of the region. */
  sumUpsampled(
    out: Float32Array,
    size: readonly [number, number],
    maps: readonly MapView[],
    weights: readonly number[],
    region: MapRegion,
  ): boolean;
}

/** A backend. One instance serves any number of networks, one forward pass at a time. */
export interface Kernels {
  readonly name: string;
  /** Not of the portable backend: fastcam/viz is its own. */
  readonly maps?: MapKernels;
  /** Makes room, at once, for the weights of these layers and for packing them. */
  reserve(layers: readonly RestingLayer[]): void;
  /** Packs the weights of a convolution, OIHW. @throws {ShapeError} when a length does not fit */
  packConv2d(shape: Conv2dWeightShape, weights: LayerWeights): PackedWeights;
  /** Packs the weights of a linear layer, [Cout, Cin]. @throws {ShapeError} as `packConv2d` */
  packLinear(Cin: number, Cout: number, weights: LayerWeights): PackedLinear;
  /** Gives the memory of packed weights back; they must not be used again. */
  release(weights: PackedWeights): void;
  bind(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    weights: ReadonlyMap<string, PackedWeights>,
  ): Program;
  /** `bytes` of what packing a layer would make. Arithmetic: nothing is allocated. */
  packedBytes(layer: RestingLayer): number;
  /**
   * `bytes` of what `bind` would make, likewise.
   *
   * @param precisionOf the precision of weights by their key
   */
  programBytes(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    precisionOf: (weights: string) => Precision,
  ): number;
}
