/**
 * Constants of the normalisers, given by the caller so that values can be compared across pictures, and their
 * fit to the pooled values of many maps. Plain data: the result of `JSON.parse` can be used.
 */

import { ShapeError } from '../errors.js';
import { gammaShape } from '../math/index.js';

/** A normal distribution of raw values. */
export interface GaussianConstants {
  readonly mean: number;
  /** > 0. */
  readonly sd: number;
}

/** A Gamma distribution of y = x − min + 1e-7, density ∝ y^(shape−1)·exp(−y/scale). */
export interface GammaConstants {
  /** The lower end, which becomes almost 0; lower values count as this. */
  readonly min: number;
  /** k > 0. */
  readonly shape: number;
  /** θ > 0, in the unit of the map. */
  readonly scale: number;
}

/** The raw values that become 0 and 1; others are clamped. */
export interface RangeConstants {
  readonly min: number;
  /** ≥ min. */
  readonly max: number;
}

/** The constants of one scale, for each normaliser that has constants. */
export interface NormalizerConstants {
  readonly gaussian?: GaussianConstants;
  /** For `gamma` and `gamma-reference`. */
  readonly gamma?: GammaConstants;
  readonly range?: RangeConstants;
}

/** Added to y, so that its logarithm is finite; the authors' code adds it twice, here and in the fit. */
export const GAMMA_EPS = 1e-7;

/** The authors' limits of the shape. */
const SMALLEST_SHAPE = 1e-7;
const LARGEST_SHAPE = 18;

/**
 * Shape and scale of the Gamma distribution of largest likelihood, with the shape limited to [1e-7, 18] as in
 * the authors' code; the mean is kept, θ = mean/k.
 *
 * @param mean mean of the values, > 0.
 * @param meanLog mean of their logarithms.
 */
export function fitGamma(mean: number, meanLog: number): { shape: number; scale: number } {
  const shape = gammaShape(Math.log(mean) - meanLog);
  const held = Math.max(SMALLEST_SHAPE, Math.min(LARGEST_SHAPE, shape));
  return { shape: held, scale: mean / held };
}

/** Each constant must be above this. */
const ABOVE = {
  gaussian: { mean: -Infinity, sd: 0 },
  gamma: { min: -Infinity, shape: 0, scale: 0 },
  range: { min: -Infinity, max: -Infinity },
};

/**
 * Makes sure that the given constants are finite, and positive if they must be.
 *
 * @param operation its name begins the error message.
 * @throws ShapeError naming the constant that does not fit.
 */
export function checkNormalizerConstants(operation: string, constants: NormalizerConstants): void {
  for (const [kind, bounds] of Object.entries(ABOVE)) {
    const given = constants[kind as keyof NormalizerConstants] as
      | Record<string, number>
      | undefined;
    if (given === undefined) continue;
    for (const [name, above] of Object.entries(bounds)) {
      const value = given[name]!;
      if (Number.isFinite(value) && value > above) continue;
      const expected = above === 0 ? 'a finite number > 0' : 'a finite number';
      throw new ShapeError(`${operation}: ${kind}.${name} expected ${expected}, got ${value}`);
    }
  }
  const { range } = constants;
  if (range !== undefined && range.max < range.min) {
    throw new ShapeError(`${operation}: range.max expected ≥ ${range.min}, got ${range.max}`);
  }
}
