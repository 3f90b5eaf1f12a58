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

/** A range of the arena, in float32 elements. Buffers that are never in use together may overlap. */
export interface ArenaBuffer {
  readonly offset: number;
  readonly length: number;
}

/**
 * A convolution with its fused epilogue: out = activation(conv(x) + bias (+ residual)). Where the step ends a
 * scale, it also writes SMOE Scale of every output column to `smoe`. A linear layer is a convolution of one pixel.
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
  /** Without it, the sum is stored as it is. */
  readonly activation?: ActivationFunction;
  /** Index of the buffer for SMOE Scale. Values below 0 count as 0. */
  readonly smoe?: number;
  /** Whether x comes from a ReLU: then many of its values are 0 and may be skipped. */
  readonly sparse: boolean;
}

/**
 * A kernel that any backend can run.
 *
 * @param vectors the step's packed vectors, if it has weights
 */
export type OperatorKernel = (
  out: Float32Array,
  inputs: readonly Float32Array[],
  vectors: PackedVectors | undefined,
) => void;

/** Any operator but a convolution. */
export interface OperatorStep {
  /** The name by which a backend finds its own kernel. */
  readonly op: string;
  readonly inputs: readonly number[];
  /** May be the first of the inputs, if the kernel reads each element before it writes it. */
  readonly out: number;
  /** Key of packed vectors. */
  readonly weights?: string;
  /** A backend's own kernel takes these numbers after the addresses of out, inputs and vectors. */
  readonly numbers: readonly number[];
  readonly kernel: OperatorKernel;
  /** Set if the step is an activation function. Then the first of the numbers is the number of elements. */
  readonly activation?: ActivationFunction;
  /** For people to read: the extents before and after. */
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

/** One factor (`scale`) and one summand (`shift`) for each channel: [C] each. */
export interface PackedVectors extends PackedWeights {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** What decides how much memory a layer's weights need: a convolution's shape, or the number of channels. */
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
  /** The algorithm of one step, which explains its time; `undefined` if the step is no convolution. */
  algorithm(index: number): Algorithm | undefined;
  /** Gives the memory back; the program must not be used again. */
  release(): void;
}

/** A map [h, w], with the fields of an ndarray. */
export interface MapView {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
}

/**
 * What a backend does with saliency maps. The results are those of the functions of fastcam/viz, bit for bit.
 * A kernel that does not support a map returns false and writes nothing; then fastcam/viz computes it.
 */
export interface MapKernels {
  /** Bytes of the scratch that these kernels keep. */
  readonly bytes: number;
  /** `normalizeGaussian`: each value's quantile in the normal distribution of its map. `out` may be `x`. */
  normalizeGaussian(out: Float32Array, x: Float32Array): boolean;
  /** `sumUpsampled`: out [H, W] = Σ shareᵢ·up(mapᵢ), bilinear; NaN outside of the region (in pixels). */
  sumUpsampled(
    out: Float32Array,
    size: readonly [number, number],
    maps: readonly MapView[],
    shares: readonly number[],
    region: Region,
  ): boolean;
}

/** Paints and resizes pictures in place of the core's own functions, with exactly the same bytes. */
export interface PictureKernels {
  /** `classMaps`: cam is scaled to 0 … 1 by its extremes; fastcam = saliency·cam, nonClass = saliency·(1 − cam). */
  classMaps(
    cam: Float32Array,
    fastcam: Float32Array,
    nonClass: Float32Array,
    saliency: Float32Array,
  ): void;
  /** `lovi`; `undefined` for maps that it does not support, or if the region is not the whole picture. */
  lovi(
    maps: readonly MapView[],
    size: readonly [number, number],
    region: Region,
  ): DrawnPicture | undefined;
  readonly resizeRows: ResizeRows;
}

/**
 * A backend. One instance serves any number of networks, one forward pass at a time. The memory of the SIMD backend
 * grows to what its networks need at the same time. It does not shrink, because WebAssembly memory cannot; the next
 * network uses what a disposed one gave back. Make separate kernels for a network that is much larger than the others.
 */
export interface Kernels {
  readonly name: string;
  /** Why the backend is slower than asked for: what the engine lacks for SIMD, or for several threads. */
  readonly fallback?: string;
  /** How many threads work on a step; without it, one. */
  readonly threads?: number;
  readonly isDisposed: boolean;
  /**
   * Frees the memory; that of its networks is freed once these are disposed too. None of them can be used again. The
   * maps of explanations stay valid.
   */
  dispose(): void;
  /** `dispose`, for `using`. */
  [DISPOSE](): void;
  /** The portable backend has none: it uses fastcam/viz. */
  readonly maps?: MapKernels | undefined;
  /** Set by an entry that has them, such as fastcam/node. */
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
  /** The `bytes` that packing a layer would need. Only computes; nothing is allocated. */
  packedBytes(layer: RestingLayer): number;
  /**
   * The `bytes` that `bind` would need. Only computes, too.
   *
   * @param precisionOf returns the precision of a convolution's weights for their key
   */
  programBytes(
    steps: readonly Step[],
    buffers: readonly ArenaBuffer[],
    precisionOf: (weights: string) => Precision,
  ): number;
}
