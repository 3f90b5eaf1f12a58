/**
 * Normalisers: a raw map → a map in [0, 1], one picture and one scale at a time, before any
 * upsampling. All except `gamma-reference` are monotone: x ≤ y ⇒ F(x) ≤ F(y).
 *
 *   gaussian          Φ((x − mean)/sd), sd with N − 1        Mundhenk et al. 2019 (arXiv 1911.11293), §3.2
 *   gamma             P(k, y/θ), y = x − min + 1e-7          the authors' code, with the whole series of P
 *   gamma-reference   the same with 8 terms                  the authors' code as it is: not monotone
 *   range             (x − min)/max(max − min, 1e-9)
 *   identity          x
 *
 * Constants may be given, so that values can be compared across pictures; then no statistic of the map is
 * computed. NaN marks a pixel that was not seen: it is left out of the statistics and stays NaN. In all
 * normalisers `out` may be `x` itself.
 */

import { ShapeError } from '../errors.js';
import { gammaP, normalCdf, normalCdfTable } from '../math/index.js';
import { gammaReference } from './gamma-reference.js';
import {
  checkNormalizerConstants,
  fitGamma,
  GAMMA_EPS,
  type GammaConstants,
  type GaussianConstants,
  type NormalizerConstants,
  type RangeConstants,
} from './normalizer-constants.js';

export type Normalizer = 'gaussian' | 'gamma' | 'gamma-reference' | 'range' | 'identity';

/** The values of a map, flat. */
export type MapValues = Float32Array | Float64Array;

/**
 * Writes x, normalised, into `out`. If constants are given, they must include those of the
 * normaliser.
 */
export type Normalize = (out: MapValues, x: MapValues, constants?: NormalizerConstants) => void;

/** The normalisers by name. */
export const NORMALIZERS: Readonly<Record<Normalizer, Normalize>> = {
  gaussian: (out, x, given) => normalizeGaussian(out, x, given && own(given, 'gaussian')),
  gamma: (out, x, given) => normalizeGamma(out, x, given && own(given, 'gamma')),
  'gamma-reference': (out, x, given) =>
    normalizeGammaReference(out, x, given && own(given, 'gamma')),
  range: (out, x, given) => normalizeRange(out, x, given && own(given, 'range')),
  identity: (out, x) => normalizeIdentity(out, x),
};

/** The constants of that name; they must be there. */
function own<K extends keyof NormalizerConstants>(
  given: NormalizerConstants,
  name: K,
): NonNullable<NormalizerConstants[K]> {
  const constants = given[name];
  if (constants === undefined) throw new ShapeError(`normalize: constants lack those of ${name}`);
  return constants;
}

/** The smallest span that `range` divides by, as in the authors' code. */
export const SMALLEST_SPAN = 1e-9;

/**
 * Each value's place in the normal distribution fitted to the map: out = ½(1 + erf((x − m)/(σ√2))),
 * with the mean m and the standard deviation σ (N − 1) of all values. The paper's normaliser.
 *
 * A constant map, or a map of a single pixel, becomes ½ everywhere (the authors' code gives NaN).
 * An infinite value makes the whole map NaN. Accurate to 1e-15 for float64; three passes over `x`.
 *
 * @param out overwritten; as long as `x`; may be `x`.
 * @param x raw values of one map.
 * @param constants mean and standard deviation to use instead of the map's; one pass.
 * @throws ShapeError if the lengths differ or a constant does not fit.
 */
export function normalizeGaussian(
  out: MapValues,
  x: MapValues,
  constants?: GaussianConstants,
): void {
  checkLengths('normalizeGaussian', out, x);
  if (constants !== undefined) {
    checkNormalizerConstants('normalizeGaussian', { gaussian: constants });
    placeInNormal(out, x, constants);
    return;
  }
  // Deviations are computed from a value of the map: they are exactly 0 on a constant map, and the
  // squares of a narrow distribution about a large mean do not cancel.
  const pivot = firstSeen(x);
  let count = 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const deviation = x[i]! - pivot;
    if (Number.isNaN(deviation)) continue;
    sum += deviation;
    count++;
  }
  const shift = sum / count;
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const deviation = x[i]! - pivot - shift;
    if (!Number.isNaN(deviation)) squares += deviation * deviation;
  }
  if (squares === 0) {
    for (let i = 0; i < x.length; i++) out[i] = Number.isNaN(x[i]) ? NaN : 0.5;
    return;
  }
  const scale = Math.sqrt((count - 1) / squares);
  const coefficients = normalCdfTable();
  for (let i = 0; i < x.length; i++) {
    out[i] = normalCdf(coefficients, (x[i]! - pivot - shift) * scale);
  }
}

/** Each value's place in a given normal distribution; the arguments were checked. Allocates nothing. */
export function placeInNormal(out: MapValues, x: MapValues, { mean, sd }: GaussianConstants): void {
  const table = normalCdfTable();
  for (let i = 0; i < x.length; i++) out[i] = normalCdf(table, (x[i]! - mean) / sd);
}

/**
 * Each value's place in the Gamma distribution fitted to the map: out = P(k, y/θ), y = x − min + 1e-7,
 * where P is the regularised lower incomplete gamma function, and k and θ have the largest likelihood for y + 1e-7,
 * with k limited to [1e-7, 18].
 *
 * A constant map, or a map of a single pixel, becomes 0. An infinite value makes the whole map NaN.
 * Accurate to 1e-12 relative for float64.
 *
 * @param out overwritten; as long as `x`; may be `x`.
 * @param x raw values of one map.
 * @param constants min, shape and scale to use instead of the map's; values below min count as min.
 * @throws ShapeError if the lengths differ or a constant does not fit.
 */
export function normalizeGamma(out: MapValues, x: MapValues, constants?: GammaConstants): void {
  checkLengths('normalizeGamma', out, x);
  applyGamma('normalizeGamma', gammaP, out, x, constants);
}

/**
 * Like `normalizeGamma`, with the series of P cut after 8 terms as in the authors' code
 * (gamma-reference.ts). Not monotone: only for comparison. Same arguments.
 */
export function normalizeGammaReference(
  out: MapValues,
  x: MapValues,
  constants?: GammaConstants,
): void {
  checkLengths('normalizeGammaReference', out, x);
  applyGamma('normalizeGammaReference', gammaReference, out, x, constants);
}

function applyGamma(
  operation: string,
  cdf: (shape: number, t: number) => number,
  out: MapValues,
  x: MapValues,
  constants: GammaConstants | undefined,
): void {
  if (constants !== undefined) checkNormalizerConstants(operation, { gamma: constants });
  const fit = constants ?? gammaOf(x);
  if (fit === undefined) {
    for (let i = 0; i < x.length; i++) out[i] = Number.isNaN(x[i]) ? NaN : 0;
    return;
  }
  const { min, shape, scale } = fit;
  for (let i = 0; i < x.length; i++) {
    out[i] = cdf(shape, (Math.max(x[i]! - min, 0) + GAMMA_EPS) / scale);
  }
}

/** The Gamma distribution of a map; none if it is constant, or all NaN. */
function gammaOf(x: MapValues): GammaConstants | undefined {
  const { min, max } = extremes(x);
  if (!(max > min)) return undefined;
  let count = 0;
  let sum = 0;
  let logSum = 0;
  for (let i = 0; i < x.length; i++) {
    const z = x[i]! - min + 2 * GAMMA_EPS;
    if (Number.isNaN(z)) continue;
    sum += z;
    logSum += Math.log(z);
    count++;
  }
  return { min, ...fitGamma(sum / count, logSum / count) };
}

/**
 * The map stretched to [0, 1]: out = (x − min)/max(max − min, 1e-9). A constant map becomes 0.
 *
 * @param out overwritten; as long as `x`; may be `x`.
 * @param x raw values of one map.
 * @param constants min and max to use instead of the map's; values outside are clamped.
 * @throws ShapeError if the lengths differ or a constant does not fit.
 */
export function normalizeRange(out: MapValues, x: MapValues, constants?: RangeConstants): void {
  checkLengths('normalizeRange', out, x);
  if (constants !== undefined) checkNormalizerConstants('normalizeRange', { range: constants });
  const { min, max } = constants ?? extremes(x);
  const span = Math.max(max - min, SMALLEST_SPAN);
  for (let i = 0; i < x.length; i++) {
    const place = (x[i]! - min) / span;
    out[i] = Math.max(0, Math.min(1, place));
  }
}

/**
 * The values unchanged, for maps that are already in [0, 1].
 *
 * @throws ShapeError if the lengths differ.
 */
export function normalizeIdentity(out: MapValues, x: MapValues): void {
  checkLengths('normalizeIdentity', out, x);
  out.set(x);
}

/** The first value that is not NaN, or NaN. */
function firstSeen(x: MapValues): number {
  for (let i = 0; i < x.length; i++) if (!Number.isNaN(x[i])) return x[i]!;
  return NaN;
}

/** The least and greatest value; ∞ and −∞ if all are NaN. */
function extremes(x: MapValues): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

function checkLengths(operation: string, out: MapValues, x: MapValues): void {
  if (out.length !== x.length) {
    throw new ShapeError(`${operation}: out expected length ${x.length}, got ${out.length}`);
  }
}
