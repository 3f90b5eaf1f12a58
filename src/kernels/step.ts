/**
 * The contract between a network and what computes it. It knows no backend.
 *
 * A plan (src/model/graph/plan.ts) is a list of steps over numbered buffers of one arena. A backend packs
 * weights in whatever layout it likes and binds the steps to memory once; running the result allocates
 * nothing. All activations are NHWC float32: a pixel's channels (a *column*) lie together.
 *
 * There are two kinds of steps. A convolution has packed weights and an epilogue, and every backend has its
 * own. Any other operator is an `OperatorStep`: it brings a portable kernel, which a backend runs unless
 * it has a faster one of the same name.
 */

import type { DISPOSE } from '../disposal.js';
import type { DrawnPicture, Region, ResizeRows } from '../image/index.js';
import type { ActivationFunction } from './activation.js';
import type { Conv2dShape, Conv2dWeightShape } from './conv2d-shape.js';
import type { LayerWeights } from './layer-weights.js';
import type { Precision } from './precision.js';

/** A stretch of the arena, in float32 elements. Buffers that are never alive together may overlap. */
export interface ArenaBuffer {
  readonly offset: number;
  readonly length: number;
}

/**
 * A convolution with its fused epilogue: out = activation(conv(x) + bias (+ residual)), and, where the step
 * ends a scale, SMOE Scale of every output column into `smoe`. A linear layer is one of a single pixel.
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
  /** None: the sum as it is. */
  readonly activation?: ActivationFunction;
  /** What is below 0 counts as 0. */
  readonly smoe?: number;
  /** Whether x lies behind a ReLU, so that many of its values are 0 and may be skipped. */
  readonly sparse: boolean;
}

/**
 * A kernel that any backend can run.
 *
 * @param vectors of the step's weights
 */
export type OperatorKernel = (
  out: Float32Array,
  inputs: readonly Float32Array[],
  vectors: PackedVectors | undefined,
) => void;

/** Any operator but a convolution. */
export interface OperatorStep {
  /** What a backend knows its own kernel by. */
  readonly op: string;
  readonly inputs: readonly number[];
  /** May be the first of the inputs, if the kernel reads each element before it writes it. */
  readonly out: number;
  /** Key of packed vectors. */
  readonly weights?: string;
  /** The numbers that a backend's own kernel takes behind the addresses of out, inputs and vectors. */
  readonly numbers: readonly number[];
  readonly kernel: OperatorKernel;
  /** The function of each element that it computes, if it is one; the first of the numbers is how many. */
  readonly activation?: ActivationFunction;
  /** For people: extents, and what becomes of them. */
  readonly shape: string;
}

export type Step = Conv2dStep | OperatorStep;

export function isConv2d(step: Step): step is Conv2dStep {
  return step.op === 'conv2d';
}

/** How a convolution is computed. `sparse` skips the inputs that are 0. */
export type Algorithm = 'depthwise' | 'gemm' | 'sparse' | 'winograd';

/** Weights in a backend's own layout. */
export interface PackedWeights {
  readonly bytes: number;
}

/** Weights of a convolution. */
export interface PackedConv2d extends PackedWeights {
  /** Copies the weights of output `oc` of a 1×1 convolution without groups into `out` [Cin]. */
  row(out: Float32Array, oc: number): void;
}

/** What channels are multiplied by, and what is added to them: [C] each. */
export interface PackedVectors extends PackedWeights {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** What the memory of a layer's weights depends on: a convolution's, or the vectors of `channels`. */
export type RestingLayer =
  | { readonly shape: Conv2dWeightShape; readonly precision: Precision }
  | { readonly channels: number };

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
  /** The algorithm of one step, to read its time by; `undefined` where it is no convolution. */
  algorithm(index: number): Algorithm | undefined;
  /** Gives the memory back; the program must not be used again. */
  release(): void;
}

/** A map [h, w], as an ndarray has it. */
export interface MapView {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
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
  /** `sumUpsampled`: out [H, W] = Σ shareᵢ·up(mapᵢ), bilinear, NaN outside of the region, in pixels. */
  sumUpsampled(
    out: Float32Array,
    size: readonly [number, number],
    maps: readonly MapView[],
    shares: readonly number[],
    region: Region,
  ): boolean;
}

/** What may paint and resize pictures in place of the core's own functions: byte for byte, or not at all. */
export interface PictureKernels {
  /**
   * `classMaps`: cam by its place between its extremes; fastcam = saliency·cam, nonClass = saliency·(1 − cam).
   *
   * @param smallestSpan of the extremes
   */
  classMaps(
    cam: Float32Array,
    fastcam: Float32Array,
    nonClass: Float32Array,
    saliency: Float32Array,
    smallestSpan: number,
  ): void;
  /** `lovi`; `undefined` where the region is not the whole picture, too. */
  lovi(
    maps: readonly MapView[],
    size: readonly [number, number],
    region: Region,
  ): DrawnPicture | undefined;
  readonly resizeRows: ResizeRows;
}

/**
 * A backend. One instance serves any number of networks, one forward pass at a time. The memory of the SIMD backend grows
 * to what its networks want at once, and does not shrink, as WebAssembly's does not: what a network gives back serves
 * the next one. A network that is much larger than the others has kernels of its own, best, which go with it.
 */
export interface Kernels {
  readonly name: string;
  /** Of plain JavaScript that `auto` took: what the engine lacks for more. */
  readonly fallback?: string;
  readonly isDisposed: boolean;
  /**
   * Lets the memory go, and that of all its networks once these are disposed too. None of them can be used again; maps
   * of explanations stay.
   */
  dispose(): void;
  /** `dispose`, for `using`. */
  [DISPOSE](): void;
  /** Not of the portable backend: fastcam/viz is its own. */
  readonly maps?: MapKernels | undefined;
  /** Set by whoever has them, as fastcam/node. */
  pictures?: PictureKernels;
  /** Makes room, at once, for the weights of these layers and for packing them. */
  reserve(layers: readonly RestingLayer[]): void;
  /** Packs the weights of a convolution, OIHW. @throws {ShapeError} when a length does not fit */
  packConv2d(shape: Conv2dWeightShape, weights: LayerWeights): PackedConv2d;
  /** Packs vectors, [C] each. */
  packVectors(scale: Float32Array, shift: Float32Array): PackedVectors;
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
   * @param precisionOf the precision of a convolution's weights by their key
   */
  programBytes(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    precisionOf: (weights: string) => Precision,
  ): number;
}
