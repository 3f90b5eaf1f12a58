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
  /** Whether it reads the columns before the ReLU that ends a stage, and not after it; default no. */
  readonly preActivation?: boolean;
  /** Whether it takes what is below 0 as 0; any other has to be given columns that are nowhere negative. */
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
