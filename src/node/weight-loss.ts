/** What rounding does to weights, layer by layer. */

/** Of a convolution, a batch norm or the classifier. */
export interface LayerLoss {
  readonly layer: string;
  readonly weights: number;
  /** Magnitude of the largest weight. */
  readonly largest: number;
  /** Errors are absolute, against float32, which the network computes with. */
  readonly largestError: number;
  readonly meanError: number;
}

interface Sums {
  weights: number;
  largest: number;
  largestError: number;
  errors: number;
}

export class WeightLoss {
  readonly #layers = new Map<string, Sums>();

  /** Takes in weights of a tensor, of whose name all but the last part is the layer's. */
  add(tensor: string, x: Float32Array, rounded: Float32Array): void {
    const layer = tensor.slice(0, tensor.lastIndexOf('.'));
    const sums = this.#layers.get(layer) ?? { weights: 0, largest: 0, largestError: 0, errors: 0 };
    for (let i = 0; i < x.length; i++) {
      const error = Math.abs(rounded[i]! - x[i]!);
      sums.largest = Math.max(sums.largest, Math.abs(x[i]!));
      sums.largestError = Math.max(sums.largestError, error);
      sums.errors += error;
    }
    sums.weights += x.length;
    this.#layers.set(layer, sums);
  }

  /** In the order in which they were added. */
  layers(): LayerLoss[] {
    return [...this.#layers].map(([layer, { errors, ...sums }]) => ({
      layer,
      ...sums,
      meanError: errors / sums.weights,
    }));
  }
}
