/**
 * The statistics of a column by name: one number that tells how much information a pixel's C activations
 * hold. SMOE Scale is the paper's statistic; the paper compares it with the others.
 *
 * For columns of finite float32s ≥ 0 (any sign where `preActivation`) the result is never NaN. This includes
 * constant columns, zeros and C = 1; each file states the value. A value beyond float32's range is ∞ in a
 * Float32Array: activations above 1e36 may give it.
 */

import type { ColumnValues } from './columns.js';
import { renyiEntropy, shannonEntropy } from './entropy.js';
import { gammaScale } from './gamma.js';
import { logNormalEntropy, logNormalMean } from './log-normal.js';
import { columnMax, columnMean, columnSd, normalEntropy } from './normal.js';
import { smoeScale } from './smoe.js';
import {
  truncatedNormalEntropy,
  truncatedNormalMean,
  truncatedNormalSd,
} from './truncated-normal.js';

export type Statistic =
  | 'smoe'
  | 'gamma'
  | 'sd'
  | 'mean'
  | 'max'
  | 'shannon-entropy'
  | 'renyi-entropy'
  | 'log-normal-mean'
  | 'log-normal-entropy'
  | 'truncated-normal-mean'
  | 'truncated-normal-sd'
  | 'truncated-normal-entropy'
  | 'normal-entropy';

export interface ColumnStatistic {
  /**
   * One value for each column.
   *
   * @param out [M], overwritten
   * @param x [M, C]
   */
  readonly compute: (out: ColumnValues, x: ColumnValues, C: number) => void;
  /** Whether it reads the columns before the ReLU that ends a stage, and not after it; default no. */
  readonly preActivation?: boolean;
  /** Whether values below 0 count as 0. The other statistics need columns without negative values. */
  readonly rectifies?: boolean;
}

/** The statistics by name. */
export const STATISTICS: Readonly<Record<Statistic, ColumnStatistic>> = {
  smoe: { compute: smoeScale, rectifies: true },
  gamma: { compute: gammaScale, rectifies: true },
  sd: { compute: columnSd },
  mean: { compute: columnMean },
  max: { compute: columnMax },
  'shannon-entropy': { compute: shannonEntropy },
  'renyi-entropy': { compute: renyiEntropy },
  'log-normal-mean': { compute: logNormalMean },
  'log-normal-entropy': { compute: logNormalEntropy },
  'truncated-normal-mean': { compute: truncatedNormalMean, preActivation: true },
  'truncated-normal-sd': { compute: truncatedNormalSd, preActivation: true },
  'truncated-normal-entropy': { compute: truncatedNormalEntropy, preActivation: true },
  'normal-entropy': { compute: normalEntropy },
};
