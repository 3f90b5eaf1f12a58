/**
 * One attribution from those of noisy inputs x + σε, with ε standard normal and σ = noise · (max x − min x):
 *
 *   smoothgrad           mean of A              (Smilkov et al., arXiv 1706.03825)
 *   smoothgrad-squared   mean of A²             (Hooker et al., arXiv 1806.10758)
 *   vargrad              variance of A, ÷ n     (Adebayo et al., arXiv 1810.03292)
 */

import { normalGenerator } from '../../math/normal-generator.js';
import type { Smoothing } from './attribution.js';

export interface SmoothingOptions {
  readonly smoothing: Smoothing;
  /** Noisy inputs. */
  readonly samples: number;
  /** σ as a share of the input's range. */
  readonly noise: number;
  readonly seed: number;
}

/**
 * The inputs of all samples, one a call: the same ones for the same options.
 *
 * @param x [H, W, channels]
 * @returns x itself, if there is no smoothing
 */
export function noisyInputs(
  x: Float32Array,
  { smoothing, noise, seed }: SmoothingOptions,
): () => Float32Array {
  if (smoothing === 'none') return () => x;
  const largest = x.reduce((most, value) => Math.max(most, value));
  const least = x.reduce((most, value) => Math.min(most, value));
  const sd = noise * (largest - least);
  const next = normalGenerator(seed);
  return () => x.map((value) => value + sd * next());
}

/** Mean, mean square or variance of each element, in doubles. */
export class Moments {
  readonly #smoothing: Smoothing;
  #count = 0;
  /** Mean of the elements, or of their squares. */
  readonly #mean: Float64Array;
  /** Sum of the squared distances from the mean, by Welford's recurrence; it is exactly 0 for equal elements. */
  readonly #distance: Float64Array;

  constructor(length: number, smoothing: Smoothing) {
    this.#smoothing = smoothing;
    this.#mean = new Float64Array(length);
    this.#distance = new Float64Array(smoothing === 'vargrad' ? length : 0);
  }

  add(x: Float64Array): void {
    const count = ++this.#count;
    const isSquared = this.#smoothing === 'smoothgrad-squared';
    for (let i = 0; i < x.length; i++) {
      const value = isSquared ? x[i]! ** 2 : x[i]!;
      const before = value - this.#mean[i]!;
      this.#mean[i]! += before / count;
      if (this.#distance.length > 0) this.#distance[i]! += before * (value - this.#mean[i]!);
    }
  }

  result(): Float64Array {
    if (this.#smoothing !== 'vargrad') return this.#mean;
    return this.#distance.map((sum) => sum / this.#count);
  }
}
