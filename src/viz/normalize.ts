/**
 * Normalisers: a raw map → a map in [0, 1], one picture and one scale at a time, before any
 * upsampling. Every one is monotone: x ≤ y ⇒ F(x) ≤ F(y).
 *
 *   gaussian   Φ((x − mean)/sd), sd with N − 1         Mundhenk et al. 2019 (arXiv 1911.11293), §3.2
 *   range      (x − min)/max(max − min, 1e-9)
 *   identity   x
 *
 * NaN marks a pixel that was not seen: it is left out of the statistics and stays NaN. In all of them
 * `out` may be `x` itself.
 */

import { ShapeError } from '../errors.js';
import { normalCdf, normalCdfTable } from './normal-cdf.js';

export type Normalizer = 'gaussian' | 'range' | 'identity';

/** The values of a map, flat. */
export type MapValues = Float32Array | Float64Array;

/** The normalisers by name. */
export const NORMALIZERS: Readonly<Record<Normalizer, (out: MapValues, x: MapValues) => void>> = {
  gaussian: normalizeGaussian,
  range: normalizeRange,
  identity: normalizeIdentity,
};

/** The smallest span that `range` divides by, as in the authors' code. */
const SMALLEST_SPAN = 1e-9;

/**
 * Each value's place in the normal distribution fitted to the map: out = ½(1 + erf((x − m)/(σ√2))),
 * with the mean m and the standard deviation σ (N − 1) of all values. The paper's normaliser.
 *
 * A constant map, and one of a single pixel, becomes ½ everywhere (the authors' code gives NaN).
 * An infinite value makes all of it NaN. Accurate to 1e-15 for float64; three passes over `x`.
 *
 * @param out overwritten; as long as `x`; may be `x`.
 * @param x raw values of one map.
 * @throws ShapeError where the lengths differ.
 */
export function normalizeGaussian(out: MapValues, x: MapValues): void {
  checkLengths('normalizeGaussian', out, x);
  // Deviations are taken from a value of the map: they are exactly 0 on a constant map, and the
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

/**
 * The map stretched to [0, 1]: out = (x − min)/max(max − min, 1e-9). A constant map becomes 0.
 *
 * @param out overwritten; as long as `x`; may be `x`.
 * @param x raw values of one map.
 * @throws ShapeError where the lengths differ.
 */
export function normalizeRange(out: MapValues, x: MapValues): void {
  checkLengths('normalizeRange', out, x);
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const span = Math.max(max - min, SMALLEST_SPAN);
  for (let i = 0; i < x.length; i++) out[i] = (x[i]! - min) / span;
}

/**
 * The values as they are, for maps that are in [0, 1] already.
 *
 * @throws ShapeError where the lengths differ.
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

function checkLengths(operation: string, out: MapValues, x: MapValues): void {
  if (out.length !== x.length) {
    throw new ShapeError(`${operation}: out expected length ${x.length}, got ${out.length}`);
  }
}
