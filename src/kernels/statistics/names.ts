import type { Statistic } from './index.js';

/** Names of the statistics for people: on the contact sheet, in tables, in a menu. */
export const STATISTIC_NAMES: Readonly<Record<Statistic, string>> = {
  smoe: 'SMOE Scale',
  gamma: 'Gamma scale',
  sd: 'Standard deviation',
  mean: 'Mean',
  max: 'Maximum',
  'shannon-entropy': 'Shannon entropy',
  'renyi-entropy': 'Rényi entropy',
  'log-normal-mean': 'Log-normal mean',
  'log-normal-entropy': 'Log-normal entropy',
  'truncated-normal-mean': 'Truncated normal mean',
  'truncated-normal-sd': 'Truncated normal sd',
  'truncated-normal-entropy': 'Truncated normal entropy',
  'normal-entropy': 'Normal entropy',
};
