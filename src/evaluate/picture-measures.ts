/** All measures of one picture: the map of every method, and how good each map is. */

import { ShapeError } from '../errors.js';
import type { NetworkInput } from '../methods/gradients/passes.js';
import type { Network } from '../model/index.js';
import { confidenceChange } from './average-drop.js';
import type { ClassProbe } from './class-probe.js';
import { localization, type MapBox } from './localization.js';
import { type OrderTable, orderTable, pixelOrder } from './map-order.js';
import { EVALUATED_METHODS, type MapOptions, methodMap } from './method-maps.js';
import { type CurveEnds, deletionEnds, insertionEnds, pixelCurve } from './pixel-curve.js';
import { road } from './road.js';

/** What can be measured. `localization` needs boxes; `randomization` needs networks with random weights. */
export type Metric =
  | 'insertion'
  | 'deletion'
  | 'road'
  | 'drop'
  | 'localization'
  | 'agreement'
  | 'randomization';

export const METRICS: readonly Metric[] = [
  ...(['insertion', 'deletion', 'road', 'drop', 'localization'] as const),
  ...(['agreement', 'randomization'] as const),
];

/** A map of a method, or why there is none. */
export interface MadeMap {
  /** Of the method. */
  readonly name: string;
  /** [H·W] of the network's input. */
  readonly map?: Float32Array;
  /** Time of one call, from the input to the map. */
  readonly ms: number;
  readonly error?: string;
}

/**
 * Makes the maps of methods, one each time the generator is asked.
 *
 * @param methods names as in `EVALUATED_METHODS`
 * @param now a clock in milliseconds
 */
export function* makeMaps(
  net: Network,
  input: NetworkInput,
  methods: readonly string[],
  options: MapOptions & { readonly now: () => number },
): Generator<MadeMap, void> {
  for (const name of methods) {
    const start = options.now();
    try {
      const map = methodMap(net, input, name, options);
      yield { name, map, ms: options.now() - start };
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      yield { name, ms: options.now() - start, error: error.message };
    }
  }
}

export interface MeasureOptions {
  readonly metrics: readonly Metric[];
  /** Of the object, on the map; see `boxOnMap`. */
  readonly boxes: readonly MapBox[];
  /** Of the network: what 0 and 1 of a channel's pixels are in its input. */
  readonly preprocessing: Pick<Network['preprocessing'], 'mean' | 'std'>;
  /** Of noise. */
  readonly seed: number;
  /** Of insertion and deletion; default 32. */
  readonly steps?: number;
  /** Removed by ROAD; default 10, 30, 50, 70 and 90 %. */
  readonly shares?: readonly number[];
}

export const DEFAULT_STEPS = 32;
export const DEFAULT_SHARES: readonly number[] = [0.1, 0.3, 0.5, 0.7, 0.9];
/** Deviation of ROAD's noise, where black is 0 and white is 1; that of its authors' program. */
export const ROAD_NOISE = 0.01;
/** Tolerance of the pointing game, as a share of the long side: 15 pixels of 500, the size of its pictures. */
export const POINTING_TOLERANCE = 0.03;
/** The top of two maps whose overlap is measured, as a share of the pixels. */
export const AGREEMENT_TOP = 0.1;

/** The measures of one map. Those that were not asked for are not there. */
export interface MapMeasures {
  readonly insertion?: { readonly area: number; readonly probabilities: readonly number[] };
  readonly deletion?: { readonly area: number; readonly probabilities: readonly number[] };
  readonly road?: {
    readonly score: number;
    /** Probabilities at each share. */
    readonly morf: readonly number[];
    readonly lerf: readonly number[];
    /** 1 where the class is the most likely one. */
    readonly morfTop: readonly number[];
    readonly lerfTop: readonly number[];
  };
  readonly drop?: number;
  readonly increase?: number;
  readonly pointing?: number;
  readonly energy?: number;
}

/**
 * Measures a map by each metric that concerns one map alone.
 *
 * @param map [H·W] of the input
 */
export function mapMeasures(
  probe: ClassProbe,
  map: Float32Array,
  options: MeasureOptions,
): MapMeasures {
  const { metrics, boxes, preprocessing, seed } = options;
  const { steps = DEFAULT_STEPS, shares = DEFAULT_SHARES } = options;
  const { mean, std } = preprocessing;
  const { input } = probe;
  const { H, W } = input;
  const has = (metric: Metric): boolean => metrics.includes(metric);
  const order = pixelOrder(map);
  const curve = (ends: CurveEnds) => {
    const { area, probabilities } = pixelCurve(probe, ends, order, steps);
    return { area, probabilities };
  };
  const tops = (scores: readonly { readonly isTop: boolean }[]) =>
    scores.map(({ isTop }) => (isTop ? 1 : 0));
  const debiased = (): NonNullable<MapMeasures['road']> => {
    const noise = std.map((deviation) => ROAD_NOISE / deviation);
    const { score, morf, lerf } = road(probe, order, { shares, noise, seed });
    return {
      ...{ score, morfTop: tops(morf), lerfTop: tops(lerf) },
      morf: morf.map(({ probability }) => probability),
      lerf: lerf.map(({ probability }) => probability),
    };
  };
  const black = mean.map((value, c) => -value / std[c]!);
  const tolerance = POINTING_TOLERANCE * Math.max(H, W);
  return {
    ...(has('insertion') && { insertion: curve(insertionEnds(input)) }),
    ...(has('deletion') && { deletion: curve(deletionEnds(input)) }),
    ...(has('road') && { road: debiased() }),
    ...(has('drop') && confidenceChange(probe, map, black)),
    ...(has('localization') && boxes.length > 0 && localization(map, [H, W], boxes, tolerance)),
  };
}

/** How methods agree on a picture: tables in the order of `methods`. */
export interface Agreement extends OrderTable {
  readonly methods: readonly string[];
}

export function agreementOf(made: readonly MadeMap[]): Agreement | undefined {
  const there = made.filter(({ map }) => map);
  if (there.length === 0) return undefined;
  const methods = there.map(({ name }) => name);
  return {
    methods,
    ...orderTable(
      there.map(({ map }) => map!),
      AGREEMENT_TOP,
    ),
  };
}

/** @throws {ShapeError} for a name that is none */
export function checkMethods(names: readonly string[]): void {
  const unknown = names.find((name) => !EVALUATED_METHODS.some((method) => method.name === name));
  if (unknown === undefined && names.length > 0) return;
  const all = EVALUATED_METHODS.map(({ name }) => name).join(', ');
  throw new ShapeError(`methods: expected some of ${all}, got ${unknown ?? 'none'}`);
}
