/**
 * What rounding does to weights, layer by layer.
 *
 * The relative error of a layer, √(Σ error² / Σ w²), does not show everything. int8 weights have a scale for each
 * output channel, set by its largest weight. If the weights of a few input channels are far larger than all others,
 * the others have few steps left, while the sums are dominated by the large ones. With three input channels 50
 * times as large, the relative error goes from 0.8 % to 2.5 %, and that of the others' weights to 18 %. So the
 * error of the weights of each input channel is measured, too. Their median is not affected by a few channels that
 * are large, nor by a few that a trained network does not use.
 */

import type { Precision } from '../kernels/index.js';

/** Of a convolution, a batch norm or the classifier. */
export interface LayerLoss {
  readonly layer: string;
  readonly weights: number;
  /** Magnitude of the largest weight. */
  readonly largest: number;
  /** Errors are absolute, compared with float32, in which the network computes. */
  readonly largestError: number;
  readonly meanError: number;
  /** √(Σ error² / Σ w²) of its kernel or matrix; 0 if no weight changes. */
  readonly relativeError: number;
  /** The same for the weights of one input channel: the median over those whose weights are not all zero. */
  readonly channelError: number;
}

/**
 * A layer gets a warning if the larger of its relative errors is at least this. Trained networks have at most 1.4 %
 * in int8 and 0.03 % in f16 (the bundled one, a ResNet-20 of CIFAR-10, a MobileNetV2: 128 kernels). In the
 * bundled one's layers with one input channel 50 times as large it is 6.8 % to 26 % in int8, with three 14 %
 * to 32 %, and with three 100 times as large 27 % to 60 %. Measured.
 */
export const LARGE_ERROR = 0.04;

/** The kernel or matrix that has the weights. */
export interface Kernel {
  /** [Cout, Cin/groups, …] */
  readonly shape: readonly number[];
  readonly groups: number;
}

interface Sums {
  weights: number;
  largest: number;
  largestError: number;
  errors: number;
  /** Of the kernel, for each input channel. */
  squares: Float64Array;
  squaredErrors: Float64Array;
}

const NONE = new Float64Array(0);

export class WeightLoss {
  readonly #layers = new Map<string, Sums>();

  /**
   * Adds weights of a tensor; its name without the last part is the layer's.
   *
   * @param x some of its output channels
   * @param kernel of a tensor that is not a vector
   * @param firstRow the first output channel of `x`
   */
  add(tensor: string, x: Float32Array, rounded: Float32Array, kernel?: Kernel, firstRow = 0): void {
    const layer = tensor.slice(0, tensor.lastIndexOf('.'));
    const sums = this.#layers.get(layer) ?? newSums();
    for (let i = 0; i < x.length; i++) {
      const error = Math.abs(rounded[i]! - x[i]!);
      sums.largest = Math.max(sums.largest, Math.abs(x[i]!));
      sums.largestError = Math.max(sums.largestError, error);
      sums.errors += error;
    }
    sums.weights += x.length;
    if (kernel) addSquares(sums, x, rounded, kernel, firstRow);
    this.#layers.set(layer, sums);
  }

  /** In the order of the calls of `add`. */
  layers(): LayerLoss[] {
    return [...this.#layers].map(([layer, { errors, squares, squaredErrors, ...sums }]) => {
      const channels = [...squares.keys()].filter((c) => squares[c]! > 0);
      const ratios = channels.map((c) => Math.sqrt(squaredErrors[c]! / squares[c]!));
      const total = sumOf(squares);
      return {
        layer,
        ...sums,
        meanError: errors / sums.weights,
        relativeError: total > 0 ? Math.sqrt(sumOf(squaredErrors) / total) : 0,
        channelError: medianOf(ratios),
      };
    });
  }
}

function newSums(): Sums {
  const none = { squares: NONE, squaredErrors: NONE };
  return { weights: 0, largest: 0, largestError: 0, errors: 0, ...none };
}

function addSquares(
  sums: Sums,
  x: Float32Array,
  rounded: Float32Array,
  { shape, groups }: Kernel,
  firstRow: number,
): void {
  const [Cout, cin, ...window] = shape as [number, number, ...number[]];
  const area = window.reduce((product, size) => product * size, 1);
  if (sums.squares === NONE) {
    sums.squares = new Float64Array(groups * cin);
    sums.squaredErrors = new Float64Array(groups * cin);
  }
  for (let i = 0, row = firstRow; i < x.length; row++) {
    // The output channels of a group use only its own input channels.
    const begin = Math.floor((row * groups) / Cout) * cin;
    for (let c = begin; c < begin + cin; c++) {
      for (const end = i + area; i < end; i++) {
        sums.squares[c]! += x[i]! ** 2;
        sums.squaredErrors[c]! += (rounded[i]! - x[i]!) ** 2;
      }
    }
  }
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** 0 for an empty list. */
function medianOf(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

/** The usual error, why a layer has a larger one, and the precision that avoids it. */
const ADVICE: Readonly<Record<Precision, string>> = {
  f32: '',
  f16: '0.02 % is usual. Its weights are too small for float16: use --precision f32',
  int8: '1 % is usual. A few weights are far larger than the others: use --precision f16',
};

/** A line for each layer that rounding changes too much. */
export function lossWarnings(layers: readonly LayerLoss[], precision: Precision): string[] {
  return layers.flatMap(({ layer, relativeError, channelError }) => {
    const error = Math.max(relativeError, channelError);
    if (!(error >= LARGE_ERROR)) return [];
    const percent = `${(100 * error).toFixed(1)} %`;
    const what =
      channelError > relativeError
        ? `the weights of half of its input channels by ${percent} or more`
        : `its weights by ${percent}`;
    return `${layer}: ${precision} changes ${what}, where ${ADVICE[precision]}`;
  });
}
