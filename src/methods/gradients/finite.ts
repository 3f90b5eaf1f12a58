/** Attributions are never NaN or infinite. */

/** The largest float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** An element of a gradient: 0 if it is not finite. */
export function finite(x: number): number {
  return Number.isFinite(x) ? x : 0;
}

/** A double as it is stored in float32: beyond its range the largest number, and 0 for NaN. */
export function nearestFloat(x: number): number {
  return Number.isNaN(x) ? 0 : Math.max(-LARGEST, Math.min(LARGEST, x));
}
