/** The constants of a normaliser, fitted to many maps. */

import { ShapeError } from '../errors.js';
import { checkNormalizerConstants, type NormalizerConstants } from '../viz/index.js';
import { fitGamma, GAMMA_EPS } from '../viz/normalizer-constants.js';

/**
 * Fits constants to the pooled values of many maps of one scale. It takes one map after another and keeps
 * only a few sums: the number of values, their mean and squared deviations (joined map by map; T. F. Chan,
 * G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979), their least and greatest value, and Σz and Σ ln z for the Gamma distribution.
 *
 * The lower end of the Gamma distribution is not fitted but given: 0, the least possible value of every
 * measure of spread, such as SMOE Scale. The least value of a pool would be a bad estimate: one pixel
 * decides it, it falls as pictures are added, and Σ ln z cannot follow it without reading all maps
 * again. For a statistic that can be negative, get `constants().range.min` in a first pass and give it
 * as `min` to a second pass.
 */
export class NormalizerFit {
  readonly #gammaMin: number;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;
  /** Sums of z = max(x − #gammaMin, 0) + 2e-7. */
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
   * Adds the values of one map. NaN, a pixel that was not seen, is left out.
   *
   * @throws ShapeError if a value is infinite; then nothing is added.
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
   * The constants of all added maps: sd with N − 1, shape limited to [1e-7, 18].
   *
   * @throws ShapeError if all values are equal: they have no scale.
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
    // If the square of the spread underflows, there is no scale either.
    checkNormalizerConstants('NormalizerFit', constants);
    return constants;
  }
}
