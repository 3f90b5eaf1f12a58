/**
 * The statistics of a column by name: one number that tells how much a pixel's C activations say. SMOE
 * Scale is the paper's; the others are what it was compared with.
 *
 * Every one has a value, never NaN, for columns of finite float32s that are ≥ 0 (any sign where
 * `preActivation`), for constant ones, for zeros and for C = 1; each says in its file which. A value
 * beyond float32's range is ∞ in a Float32Array: activations above 1e36 may give it.
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
  /** Whether it reads the columns before the ReLU that ends a stage, and not after it. */
  readonly preActivation: boolean;
  /** Whether it takes what is below 0 as 0; any other has to be given columns that are nowhere negative. */
  readonly rectifies?: boolean;
}

/** The statistics by name. */
export const STATISTICS: Readonly<Record<Statistic, ColumnStatistic>> = {
  smoe: { compute: smoeScale, preActivation: false, rectifies: true },
  gamma: { compute: gammaScale, preActivation: false, rectifies: true },
  sd: { compute: columnSd, preActivation: false },
  mean: { compute: columnMean, preActivation: false },
  max: { compute: columnMax, preActivation: false },
  'shannon-entropy': { compute: shannonEntropy, preActivation: false },
  'renyi-entropy': { compute: renyiEntropy, preActivation: false },
  'log-normal-mean': { compute: logNormalMean, preActivation: false },
  'log-normal-entropy': { compute: logNormalEntropy, preActivation: false },
  'truncated-normal-mean': { compute: truncatedNormalMean, preActivation: true },
  'truncated-normal-sd': { compute: truncatedNormalSd, preActivation: true },
  'truncated-normal-entropy': { compute: truncatedNormalEntropy, preActivation: true },
  'normal-entropy': { compute: normalEntropy, preActivation: false },
};
