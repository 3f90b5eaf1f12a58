/** The results of several seeds together. */

import type { Mode } from '../../evaluate/kar-roar/masks.js';
import type { Accuracies } from '../../evaluate/kar-roar/summary.js';
import { type Mean, meanOf } from '../../evaluate/summary.js';
import { STATISTIC_NAMES, type Statistic } from '../../kernels/index.js';
import type { KarRoarRun } from './experiments.js';
import { INPUT_METHODS } from './input-methods.js';

/** Means over the seeds, and their spread, by name: one number for each place. */
export interface Means {
  /** Scales, or shares of pixels, in the order of the first run. */
  readonly places: readonly string[];
  /** Names whose experiments are all done, `random` first. */
  readonly complete: ReadonlyMap<string, Accuracies>;
  /** Standard errors of these means; 0 for a single seed. */
  readonly errors: ReadonlyMap<string, Accuracies>;
}

export function meansOf(runs: readonly KarRoarRun[]): Means {
  const results = runs.flatMap((run) => run.results);
  const places = [...new Set(results.map(({ place }) => place))];
  const complete = new Map<string, Accuracies>();
  const errors = new Map<string, Accuracies>();
  for (const name of new Set(results.map((result) => result.name))) {
    const means = (mode: Mode): Mean[] =>
      places.flatMap((place) => {
        const own = results.filter(
          (one) => one.name === name && one.mode === mode && one.place === place,
        );
        return meanOf(own.map(({ accuracy }) => accuracy)) ?? [];
      });
    const kar = means('kar');
    const roar = means('roar');
    if (kar.length + roar.length < 2 * places.length) continue;
    complete.set(name, { kar: kar.map(({ mean }) => mean), roar: roar.map(({ mean }) => mean) });
    const error = ({ error: own = 0 }: Mean): number => own;
    errors.set(name, { kar: kar.map(error), roar: roar.map(error) });
  }
  return { places, complete, errors };
}

/** The name for people. */
export function titleOf(name: string): string {
  const method = INPUT_METHODS.find((one) => one.name === name);
  if (method) return method.title;
  if (name === 'random') return 'Random';
  if (!name.startsWith('-')) return STATISTIC_NAMES[name as Statistic] ?? name;
  return `−${STATISTIC_NAMES[name.slice(1) as Statistic]}`;
}
