/** The numbers of a column, as docs/algorithm.md defines them. */

import { gammaScale, SMOE_EPS, smoeScale } from 'fastcam/kernels';

/** With z = max(x, 0) + 1e-7 over the channels of one place. */
export interface ColumnNumbers {
  /** μ = mean z */
  readonly mean: number;
  /** mean log₂ z */
  readonly meanLog: number;
  /** SMOE Scale, φ = μ·(log₂ μ − mean log₂ z) */
  readonly phi: number;
  /** Scale of the Gamma distribution that fits best, θ; 0 for a constant column. */
  readonly theta: number;
  /** Its shape, k = μ/θ. */
  readonly shape: number;
  /** Channels that are not above 0. */
  readonly zeros: number;
}

/** @param column [C] activations */
export function numbersOf(column: Float32Array): ColumnNumbers {
  const C = column.length;
  let [sum, logs, zeros] = [0, 0, 0];
  for (const x of column) {
    const z = Math.max(x, 0) + SMOE_EPS;
    sum += z;
    logs += Math.log2(z);
    if (x <= 0) zeros++;
  }
  const out = new Float64Array(1);
  const [phi, theta] = [smoeScale, gammaScale].map((statistic) => {
    statistic(out, column, C);
    return out[0]!;
  }) as [number, number];
  const mean = sum / C;
  return { mean, meanLog: logs / C, phi, theta, shape: mean / theta, zeros };
}

/** The values as the statistics take them, greatest first. */
export function sortedColumn(column: Float32Array): Float32Array {
  return column.map((x) => Math.max(x, 0)).sort((a, b) => b - a);
}
