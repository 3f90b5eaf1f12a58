/**
 * Reduces all elements along some axes to one number, NHWC. Over the n elements xᵢ that are reduced together:
 *
 *   sum Σxᵢ     mean Σxᵢ/n     max, min
 *
 * Accumulated in doubles and rounded once. A NaN among them gives NaN.
 */

export type Reduction = 'mean' | 'sum' | 'max' | 'min';

/** The axes of [H, W, C] that are reduced. */
export interface ReducedAxes {
  readonly H: boolean;
  readonly W: boolean;
  readonly C: boolean;
}

/** The elements that are reduced together: two nested loops, and the step of each. */
type Stretch = (
  x: Float32Array,
  base: number,
  rows: number,
  rowStride: number,
  count: number,
  stride: number,
) => number;

/**
 * @param out [N, H or 1, W or 1, C or 1], overwritten
 * @param x [N, H, W, C]
 */
export function reduce(
  out: Float32Array,
  x: Float32Array,
  kind: Reduction,
  [N, H, W, C]: readonly [number, number, number, number],
  axes: ReducedAxes,
): void {
  const stretch = STRETCHES[kind];
  // Reduced axes that are next to each other in memory are one loop. H and C without W are two.
  const apart = axes.H && axes.C && !axes.W;
  const rows = apart ? H : 1;
  const count = (axes.H && !apart ? H : 1) * (axes.W ? W : 1) * (axes.C ? C : 1);
  const rowStride = W * C;
  const stride = axes.C ? 1 : axes.W ? C : W * C;
  const keptH = axes.H ? 1 : H;
  const keptW = axes.W ? 1 : W;
  const keptC = axes.C ? 1 : C;
  const share = kind === 'mean' ? rows * count : 1;
  let o = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < keptH; oy++) {
      for (let ox = 0; ox < keptW; ox++) {
        const base = ((n * H + oy) * W + ox) * C;
        for (let oc = 0; oc < keptC; oc++) {
          out[o++] = stretch(x, base + oc, rows, rowStride, count, stride) / share;
        }
      }
    }
  }
}

const sum: Stretch = (x, base, rows, rowStride, count, stride) => {
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const begin = base + row * rowStride;
    for (let i = 0; i < count; i++) total += x[begin + i * stride]!;
  }
  return total;
};

const STRETCHES: Readonly<Record<Reduction, Stretch>> = {
  sum,
  mean: sum,
  max(x, base, rows, rowStride, count, stride) {
    let most = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const begin = base + row * rowStride;
      for (let i = 0; i < count; i++) most = Math.max(most, x[begin + i * stride]!);
    }
    return most;
  },
  min(x, base, rows, rowStride, count, stride) {
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < rows; row++) {
      const begin = base + row * rowStride;
      for (let i = 0; i < count; i++) least = Math.min(least, x[begin + i * stride]!);
    }
    return least;
  },
};
