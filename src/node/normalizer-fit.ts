/** The constants of a normaliser, fitted to many maps. */

import { ShapeError } from '../errors.js';
import { checkNormalizerConstants, type NormalizerConstants } from '../viz/index.js';
import { fitGamma, GAMMA_EPS } from '../viz/normalizer-constants.js';

/**
 * Fits constants to the pooled values of many maps of one scale. It takes map after map and keeps but
 * a few sums: the number of values, their mean and squared deviations (joined map by map; T. F. Chan,
 * G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979), their least and greatest, and Σz and Σ ln z for the Gamma distribution.
 *
 * The lower end of the Gamma distribution is not fitted but given: 0, where every measure of spread,
 * SMOE Scale among them, begins. The least value of a pool would be a bad estimate: one pixel decides
 * it, it sinks the more pictures there are, and Σ ln z cannot follow it without reading all maps
 * again. For a statistic that can be negative take a first pass for `constants().range.min` and give
 * that as `min` to a second.
 */
export class NormalizerFit {
  readonly #gammaMin: number;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;
  /** Of z = max(x − #gammaMin, 0) + 2e-7. */
  #sum = 0;
  #logSum = 0;

  /** @throws ShapeError where `min` is not finite. */
  constructor({ min = 0 }: { readonly min?: number } = {}) {
    if (!Number.isFinite(min)) {
      throw new ShapeError(`NormalizerFit: min expected a finite number, got ${min}`);
    }
    this.#gammaMin = min;
  }

  /** How many values have been seen. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes in the values of one map. NaN, a pixel that was not seen, is left out.
   *
   * @throws ShapeError, and takes in nothing, where a value is infinite.
   */
  add(x: ArrayLike<number>): void {
    let count = 0;
    let total = 0;
    for (let i = 0; i < x.length; i++) {
      const value = x[i]!;
      if (Number.isNaN(value)) continue;
      total += value;
      count++;
    }
    if (count === 0) return;
    const mean = total / count;
    if (!Number.isFinite(mean)) {
      throw new ShapeError(`NormalizerFit: x expected finite values, got a mean of ${mean}`);
    }
    let squares = 0;
    for (let i = 0; i < x.length; i++) {
      const value = x[i]!;
      if (Number.isNaN(value)) continue;
      squares += (value - mean) * (value - mean);
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      const z = Math.max(value - this.#gammaMin, 0) + 2 * GAMMA_EPS;
      this.#sum += z;
      this.#logSum += Math.log(z);
    }
    const joined = this.#count + count;
    const apart = mean - this.#mean;
    this.#squares += squares + (apart * apart * this.#count * count) / joined;
    this.#mean += (apart * count) / joined;
    this.#count = joined;
  }

  /**
   * The constants of all that was taken in: sd with N − 1, shape held in [1e-7, 18].
   *
   * @throws ShapeError where there are no two values that differ: they have no scale.
   */
  constants(): Required<NormalizerConstants> {
    if (!(this.#max > this.#min)) {
      const got = this.#count === 0 ? 'none' : `${this.#count} times ${this.#min}`;
      throw new ShapeError(`NormalizerFit: expected values that differ, got ${got}`);
    }
    const constants = {
      gaussian: { mean: this.#mean, sd: Math.sqrt(this.#squares / (this.#count - 1)) },
      gamma: {
        min: this.#gammaMin,
        ...fitGamma(this.#sum / this.#count, this.#logSum / this.#count),
      },
      range: { min: this.#min, max: this.#max },
    };
    // A spread so small that its square underflows is no scale either.
    checkNormalizerConstants('NormalizerFit', constants);
    return constants;
  }
}
