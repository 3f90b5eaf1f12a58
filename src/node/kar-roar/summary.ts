/** The results of several seeds together. */

import { MODES, type Mode } from '../../evaluate/kar-roar/masks.js';
import type { Accuracies } from '../../evaluate/kar-roar/summary.js';
import { STATISTIC_NAMES, type Statistic } from '../../kernels/index.js';
import type { KarRoarRun } from './experiments.js';
import { INPUT_METHODS } from './input-methods.js';

/** Means over the seeds, and their spread, by name: one number for each place. */
export interface Means {
  /** Scales, or shares of pixels, in the order of the first run. */
  readonly places: readonly string[];
  /** Names whose experiments are all done, `random` first. */
  readonly complete: ReadonlyMap<string, Accuracies>;
  /** Standard deviation over the seeds; 0 for a single one. */
  readonly deviations: ReadonlyMap<string, Accuracies>;
}

export function meansOf(runs: readonly KarRoarRun[]): Means {
  const results = runs.flatMap((run) => run.results);
  const places = [...new Set(results.map(({ place }) => place))];
  const complete = new Map<string, Accuracies>();
  const deviations = new Map<string, Accuracies>();
  for (const name of new Set(results.map((result) => result.name))) {
    const values = (mode: Mode): number[][] =>
      places.map((place) =>
        results
          .filter((one) => one.name === name && one.mode === mode && one.place === place)
          .map(({ accuracy }) => accuracy),
      );
    const [kar, roar] = MODES.map(values) as [number[][], number[][]];
    if ([...kar, ...roar].some((list) => list.length === 0)) continue;
    complete.set(name, { kar: kar.map(mean), roar: roar.map(mean) });
    deviations.set(name, { kar: kar.map(deviation), roar: roar.map(deviation) });
  }
  return { places, complete, deviations };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
}

/** The name for people. */
export function titleOf(name: string): string {
  const method = INPUT_METHODS.find((one) => one.name === name);
  if (method) return method.title;
  if (name === 'random') return 'Random';
  if (!name.startsWith('-')) return STATISTIC_NAMES[name as Statistic] ?? name;
  return `−${STATISTIC_NAMES[name.slice(1) as Statistic]}`;
}
